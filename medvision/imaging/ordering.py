"""The order of slices: along the normal of their plane, evenly, without gaps, tilt or doubles.

Tolerances, all stated here: two slices within 0.01 mm are at one position; a slice may lie 0.1 mm (at
most a quarter of the spacing) from its place on the even grid, which is what positions rounded to one
decimal need, and a warning tells of more than 0.02 mm; a gantry tilt is a lean of more than 0.1° that
shifts the last slice by more than 0.1 mm against the first.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medvision.errors import SeriesError
from medvision.imaging.geometry import FloatArray
from medvision.imaging.header import SliceHeader
from medvision.imaging.options import Reading

SAME_PLACE_MM = 0.01
UNEVEN_MM = 0.1
UNEVEN_WARNING_MM = 0.02
TILT_DEGREES = 0.1


def normal(slices: Sequence[SliceHeader]) -> FloatArray:
    """Unit normal of the slices' plane in LPS: row direction × column direction of the first."""
    row, column = _orientation(slices[0]).reshape(2, 3)
    across = np.cross(row, column)
    return np.asarray(across / np.linalg.norm(across), dtype=np.float64)


def positions(slices: Sequence[SliceHeader]) -> FloatArray:
    """ImagePositionPatient of every slice, LPS mm, (n, 3)."""
    return np.array([s.position for s in slices], dtype=np.float64)


def along_normal(slices: Sequence[SliceHeader]) -> FloatArray:
    """Place of every slice along the normal in mm, (n,)."""
    return np.asarray(positions(slices) @ normal(slices), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Stack:
    """The slices of one volume in order.

    Attributes:
        slices: By increasing place along the normal.
        step: From one slice of the volume to the next, LPS mm, shape (3,).
        rows: Place of each of the volume's slices among `slices`; None where they are the same.
        notes: What was done that the caller had asked for.
    """

    slices: tuple[SliceHeader, ...]
    step: FloatArray
    rows: FloatArray | None = None
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Slices of the volume."""
        return len(self.slices) if self.rows is None else len(self.rows)


def stack(slices: Sequence[SliceHeader], where: str, options: Reading) -> Stack:
    """Put the slices of one volume in order and find the step from one to the next.

    Args:
        slices: At least one, all of one orientation, no two at one position.
        where: What an error calls the series.
        options: `on_gap`, `on_uneven` and `on_tilt` are looked at.

    Raises:
        SeriesError: A gap, uneven spacing, a sideways shift, a gantry tilt, or a lone slice of unknown
            thickness; all problems at once.
    """
    if len(slices) == 1:
        return Stack(tuple(slices), normal(slices) * _lone_depth(slices[0], where))
    order = np.argsort(along_normal(slices), kind="stable")
    ordered = [slices[i] for i in order]
    corners, places = positions(ordered), along_normal(ordered)
    even = _even_places(places, options)
    problems = [] if even is not None else _gaps(ordered, places) or _unevenness(ordered, places, where)
    problems += _sideways(ordered, corners, places)
    count = len(places) if even is None else len(even)
    step = (corners[-1] - corners[0]) / (places[-1] - places[0]) * _spacing(places, even)
    if options.on_tilt == "refuse":
        problems += _tilt(step, normal(slices), count - 1)
    if problems:
        raise one_or_many(where, problems)
    if even is None:
        _warn_if_decimated(ordered[0], float(np.diff(places).mean()), where)
        return Stack(tuple(ordered), step)
    rows = np.interp(even, places, np.arange(len(places)))
    whole = np.rint(rows)
    rows = np.where(np.abs(even - places[whole.astype(int)]) <= UNEVEN_MM, whole, rows)
    made = int(np.count_nonzero(rows % 1))
    note = f"{made} of {count} slices were interpolated between their neighbours"
    return Stack(tuple(ordered), step, rows, (note,))


def _spacing(places: FloatArray, even: FloatArray | None) -> float:
    """Distance of the volume's slices in mm."""
    return float((places[-1] - places[0]) / (len(places) - 1) if even is None else even[1] - even[0])


def unbroken_runs(slices: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """Cut the slices of one volume at its gaps, by increasing place."""
    if len(slices) < 3:
        return [list(slices)]
    order = np.argsort(along_normal(slices), kind="stable")
    places = along_normal(slices)[order]
    cuts = np.flatnonzero(np.diff(places) > 1.5 * _usual(np.diff(places))) + 1
    return [[slices[i] for i in run] for run in np.split(order, cuts)]


def _even_places(places: FloatArray, options: Reading) -> FloatArray | None:
    """Where slices shall lie that are to be interpolated; None where none have to be."""
    distances = np.diff(places)
    spacing = _usual(distances)
    if options.on_gap == "fill" and distances.max() > 1.5 * spacing:
        count = round(float(places[-1] - places[0]) / spacing) + 1
        even = np.linspace(places[0], places[-1], count)
        off = np.abs(places[:, None] - even).min(axis=1)
        if off.max() <= min(UNEVEN_MM, spacing / 4):
            return even
    regular = np.linspace(places[0], places[-1], len(places))
    if options.on_uneven == "resample" and np.abs(places - regular).max() > min(UNEVEN_MM, spacing / 4):
        return np.asarray(np.arange(places[0], places[-1] + 1e-6, distances.min()))
    return None


def _usual(distances: FloatArray) -> float:
    """The distance that others are read against: between two, the median says nothing."""
    return float(np.median(distances) if distances.size > 2 else distances.min())


def one_or_many(where: str, problems: Sequence[str]) -> SeriesError:
    """One problem as one sentence, several as a list."""
    if len(problems) == 1:
        return SeriesError(f"{where}: {problems[0]}")
    return SeriesError(f"{where}: {len(problems)} problems", problems=problems)


def names(slices: Sequence[SliceHeader], limit: int = 4) -> str:
    """The file names of some slices, cut after a few."""
    files = list(dict.fromkeys(s.name for s in slices))
    listed = ", ".join(files[:limit])
    return listed if len(files) <= limit else f"{listed} and {len(files) - limit} more"


def _orientation(one: SliceHeader) -> FloatArray:
    return np.asarray(one.orientation, dtype=np.float64)


def _lone_depth(one: SliceHeader, where: str) -> float:
    if one.depth_mm is None:
        raise SeriesError(
            f"{where}: a lone slice without SliceThickness has no depth; give the folder of the whole series"
        )
    return one.depth_mm


def _gaps(ordered: Sequence[SliceHeader], places: FloatArray) -> list[str]:
    distances = np.diff(places)
    usual = _usual(distances)
    found = []
    for k in np.flatnonzero(distances > 1.5 * usual).tolist():
        missing = max(1, round(float(distances[k]) / usual) - 1)
        found.append(
            f"{missing} slice{'s' if missing > 1 else ''} missing between {ordered[k].name} and "
            f"{ordered[k + 1].name}: {distances[k]:.2f} mm apart where others are {usual:.2f} mm; "
            f"export the series again, leave this scan out, or pass on_gap='fill' (interpolate) or 'split'"
        )
    return _few(found)


def _unevenness(ordered: Sequence[SliceHeader], places: FloatArray, where: str) -> list[str]:
    spacing = float(places[-1] - places[0]) / (len(places) - 1)
    off = np.abs(places - (places[0] + spacing * np.arange(len(places))))
    worst = int(off.argmax())
    if off[worst] > min(UNEVEN_MM, spacing / 4):
        distances = np.diff(places)
        return [
            f"mixed slice spacing, {distances.min():.2f} to {distances.max():.2f} mm: "
            f"{ordered[worst].name} lies {off[worst]:.2f} mm from its place in an even stack; "
            f"give the files of one evenly spaced stack, or pass on_uneven='resample'"
        ]
    if off[worst] > UNEVEN_WARNING_MM:
        warnings.warn(
            f"{where}: slices lie up to {off[worst]:.2f} mm from even spacing of {spacing:.3f} mm "
            f"(rounded positions?); even spacing is used",
            stacklevel=2,
        )
    return []


def _sideways(ordered: Sequence[SliceHeader], corners: FloatArray, places: FloatArray) -> list[str]:
    """Slices whose first pixel does not lie on the straight line through the stack."""
    across = normal(ordered)
    line = (corners[-1] - corners[0]) / (places[-1] - places[0])
    off = corners - corners[0] - np.outer(places - places[0], line)
    off -= np.outer(off @ across, across)
    distance = np.linalg.norm(off, axis=1)
    shifted = [one for one, mm in zip(ordered, distance, strict=True) if mm > UNEVEN_MM]
    if not shifted:
        return []
    return [
        f"{len(shifted)} slices are shifted in their plane by up to {distance.max():.2f} mm against a "
        f"straight stack ({names(shifted)}); give the files of one straight stack"
    ]


def _tilt(step: FloatArray, across: FloatArray, steps: int) -> list[str]:
    sideways = step - (step @ across) * across
    angle = float(np.degrees(np.arctan2(np.linalg.norm(sideways), step @ across)))
    if angle <= TILT_DEGREES or np.linalg.norm(sideways) * steps <= UNEVEN_MM:
        return []
    return [
        f"gantry tilt: the stack leans by {angle:.1f}° from the normal of its slices; pass on_tilt='shear' "
        f"to resample it to an upright grid, on_tilt='keep' for a sheared geometry, or leave the scan out"
    ]


def _warn_if_decimated(one: SliceHeader, spacing: float, where: str) -> None:
    """Positions twice as far apart as SpacingBetweenSlices (slices left out), or half as far (two stacks)."""
    if not one.spacing_between_mm or one.spacing_between_mm <= 0:
        return
    ratio = spacing / one.spacing_between_mm
    for times, may_be in ((ratio, "slices may be missing at every step"), (1 / ratio, "stacks may be mixed")):
        if round(times) >= 2 and abs(times - round(times)) < 0.02:
            warnings.warn(
                f"{where}: slices lie {spacing:.2f} mm apart but SpacingBetweenSlices is "
                f"{one.spacing_between_mm:.2f} mm: {may_be}",
                stacklevel=2,
            )


def _few(problems: list[str], limit: int = 5) -> list[str]:
    if len(problems) <= limit:
        return problems
    return [*problems[:limit], f"and {len(problems) - limit} more gaps"]
