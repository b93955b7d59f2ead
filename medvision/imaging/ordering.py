"""The order of slices: along the normal of their plane, evenly, without gaps, tilt or doubles.

Tolerances, all stated here: two slices within 0.01 mm are at one position; a slice may lie 0.1 mm (at
most a quarter of the spacing) from its place on the even grid, which is what positions rounded to one
decimal need, and a warning tells of more than 0.02 mm; a gantry tilt is a lean of more than 0.1° that
shifts the last slice by more than 0.1 mm against the first.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from medvision.errors import SeriesError
from medvision.imaging.geometry import FloatArray
from medvision.imaging.header import SliceHeader

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


def stack(
    slices: Sequence[SliceHeader], where: str, *, allow_tilt: bool
) -> tuple[list[SliceHeader], FloatArray]:
    """Put the slices of one volume in order and find the step from one to the next.

    Args:
        slices: At least one, all of one orientation, no two at one position.
        where: What an error calls the series.
        allow_tilt: Keep a gantry tilt in the step instead of refusing it.

    Returns:
        The slices by increasing place along the normal, and the step in LPS mm, shape (3,).

    Raises:
        SeriesError: A gap, uneven spacing, a sideways shift, a gantry tilt, or a lone slice of unknown
            thickness; all problems at once.
    """
    if len(slices) == 1:
        return list(slices), normal(slices) * _lone_depth(slices[0], where)
    order = np.argsort(along_normal(slices), kind="stable")
    ordered = [slices[i] for i in order]
    where_from, places = positions(ordered), along_normal(ordered)
    step = (where_from[-1] - where_from[0]) / (len(ordered) - 1)
    problems = _gaps(ordered, places) or _unevenness(ordered, places, where)
    problems += _sideways(ordered, where_from, step)
    if not allow_tilt:
        problems += _tilt(step, normal(slices), len(ordered) - 1)
    if problems:
        raise one_or_many(where, problems)
    _warn_if_decimated(ordered[0], float(np.diff(places).mean()), where)
    return ordered, step


def one_or_many(where: str, problems: Sequence[str]) -> SeriesError:
    """One problem as one sentence, several as a list."""
    if len(problems) == 1:
        return SeriesError(f"{where}: {problems[0]}")
    return SeriesError(f"{where}: {len(problems)} problems", problems=problems)


def names(slices: Sequence[SliceHeader], limit: int = 4) -> str:
    """The file names of some slices, cut after a few."""
    files = list(dict.fromkeys(s.path.name for s in slices))
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
    # Between two distances the median says nothing: the smaller one is no gap.
    usual = float(np.median(distances) if distances.size > 2 else distances.min())
    found = []
    for k in np.flatnonzero(distances > 1.5 * usual).tolist():
        missing = max(1, round(float(distances[k]) / usual) - 1)
        found.append(
            f"{missing} slice{'s' if missing > 1 else ''} missing between {ordered[k].path.name} and "
            f"{ordered[k + 1].path.name}: {distances[k]:.2f} mm apart where others are {usual:.2f} mm; "
            f"export the series again, or leave this scan out"
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
            f"{ordered[worst].path.name} lies {off[worst]:.2f} mm from its place in an even stack; "
            f"give the files of one evenly spaced stack"
        ]
    if off[worst] > UNEVEN_WARNING_MM:
        warnings.warn(
            f"{where}: slices lie up to {off[worst]:.2f} mm from even spacing of {spacing:.3f} mm "
            f"(rounded positions?); even spacing is used",
            stacklevel=2,
        )
    return []


def _sideways(ordered: Sequence[SliceHeader], where_from: FloatArray, step: FloatArray) -> list[str]:
    """Slices whose first pixel does not lie on the straight line through the stack."""
    across = normal(ordered)
    off = where_from - where_from[0] - np.outer(np.arange(len(ordered)), step)
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
        f"gantry tilt: the stack leans by {angle:.1f}° from the normal of its slices; pass allow_tilt=True "
        f"to keep the sheared geometry (resample_to then puts it on an upright grid), or leave the scan out"
    ]


def _warn_if_decimated(one: SliceHeader, spacing: float, where: str) -> None:
    """Positions twice as far apart as SpacingBetweenSlices: every other slice may be missing."""
    if not one.spacing_between_mm or one.spacing_between_mm <= 0:
        return
    ratio = spacing / one.spacing_between_mm
    if round(ratio) >= 2 and abs(ratio - round(ratio)) < 0.02:
        warnings.warn(
            f"{where}: slices lie {spacing:.2f} mm apart but SpacingBetweenSlices is "
            f"{one.spacing_between_mm:.2f} mm: slices may be missing at every step",
            stacklevel=2,
        )


def _few(problems: list[str], limit: int = 5) -> list[str]:
    if len(problems) <= limit:
        return problems
    return [*problems[:limit], f"and {len(problems) - limit} more gaps"]
