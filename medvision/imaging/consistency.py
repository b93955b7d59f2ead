"""What must agree in all slices of a series before they can be stacked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from medvision.imaging.geometry import FloatArray
from medvision.imaging.header import SliceHeader
from medvision.imaging.options import Reading
from medvision.imaging.ordering import names

_ORIENTATION_TOLERANCE = 1e-3  # direction cosines written with three decimals


_PIXEL_SPACING_TOLERANCE_MM = 1e-4


def inconsistencies(slices: Sequence[SliceHeader], options: Reading) -> list[str]:
    """Why slices cannot be stacked, one sentence each; empty where they can.

    Looked at in turn, and reported at the first that fails: images that are no slices, identity (patient,
    frame of reference, matrix, units, …), place (position, orientation, spacing absent), plane.
    """
    return (
        _refusals(slices)
        or _colours(slices, options)
        or _mixtures(slices)
        or _without_place(slices)
        or _mixed_planes(slices)
        or _projections(slices)
        or _unscaled(slices, options)
    )


def given(value: FloatArray | None) -> FloatArray:
    """A vector that was checked to be there."""
    return np.asarray(value, dtype=np.float64)


def _refusals(slices: Sequence[SliceHeader]) -> list[str]:
    grouped: dict[str, list[SliceHeader]] = defaultdict(list)
    for one in slices:
        grouped[one.refusal].append(one)
    return [f"{names(found)}: {refusal}" for refusal, found in grouped.items() if refusal]


def _colours(slices: Sequence[SliceHeader], options: Reading) -> list[str]:
    coloured = [one for one in slices if one.coding.colour]
    if not coloured or options.on_colour == "luminance":
        return []
    return [
        f"{names(coloured)}: a colour image ({coloured[0].coding.photometric}), not a scan; leave "
        f"screenshots and colour maps out, or pass on_colour='luminance' to read it as grey"
    ]


def _projections(slices: Sequence[SliceHeader]) -> list[str]:
    if len(slices) == 1 or not any(one.projection for one in slices):
        return []
    return [f"{len(slices)} radiographs ({names(slices)}), which do not form a volume; give one file"]


def _unscaled(slices: Sequence[SliceHeader], options: Reading) -> list[str]:
    """CT and PET whose values have no unit, and series of which only a part states its scaling."""
    without = [one for one in slices if not one.rescaled]
    needed = slices[0].modality in ("CT", "PT") or len(without) < len(slices)
    if not without or not needed or options.on_missing_rescale == "stored" or options.values == "stored":
        return []
    return [
        f"RescaleSlope or RescaleIntercept is absent in {len(without)} of {len(slices)} images "
        f"({names(without)}), so the unit of their values is unknown; export the series again, or pass "
        f"on_missing_rescale='stored' to take the stored values of all"
    ]


def _mixtures(slices: Sequence[SliceHeader]) -> list[str]:
    """What should be one value in a series but is several, with the files of the rarer ones."""
    problems = []
    for name in slices[0].same:
        problems += _mixture(f"mixed {name}", slices, [s.same[name] or "none" for s in slices])
    return problems


def _mixture(what: str, slices: Sequence[SliceHeader], values: Sequence[str]) -> list[str]:
    groups: dict[str, list[SliceHeader]] = defaultdict(list)
    for one, value in zip(slices, values, strict=True):
        groups[value].append(one)
    if len(groups) == 1:
        return []
    by_size = sorted(groups.items(), key=lambda item: -len(item[1]))
    listed = "; ".join(f"{text} in {len(found)} ({names(found, 3)})" for text, found in by_size[:4])
    more = f"; and {len(by_size) - 4} more" if len(by_size) > 4 else ""
    cure = "give the files of one stack"
    if what != "mixed patient":
        cure += ", or pass on_mixed='split' to read each stack by itself"
    return [f"{what}: {listed}{more}; {cure}"]


def _without_place(slices: Sequence[SliceHeader]) -> list[str]:
    problems = []
    for name, attribute in (
        ("ImagePositionPatient", "position"),
        ("ImageOrientationPatient", "orientation"),
        ("PixelSpacing", "pixel_spacing"),
    ):
        without = [s for s in slices if getattr(s, attribute) is None]
        if without and without[0].projection:
            problems.append(
                f"PixelSpacing and ImagerPixelSpacing are absent in {names(without)}, so the size of "
                f"pixels is unknown; export the radiograph with one of them"
            )
        elif without:
            problems.append(
                f"{name} is absent in {len(without)} of {len(slices)} images ({names(without)}), so their "
                f"place is unknown; leave them out, or export the original series instead of derived images"
            )
    return problems


_PLANE = (
    ("mixed orientation", "orientation", _ORIENTATION_TOLERANCE),
    ("mixed pixel spacing", "pixel_spacing", _PIXEL_SPACING_TOLERANCE_MM),
)


def _mixed_planes(slices: Sequence[SliceHeader]) -> list[str]:
    problems = []
    for what, attribute, tolerance in _PLANE:
        values = [given(getattr(one, attribute)) for one in slices]
        labels = ["\\".join(f"{x:.6g}" for x in values[k]) for k in _kinds(values, tolerance)]
        problems += _mixture(what, slices, labels)
    return problems or _crooked(slices[0])


def plane_kinds(slices: Sequence[SliceHeader]) -> list[tuple[int, ...]]:
    """Which slices share orientation and pixel spacing: equal tuples, also for those without."""
    kinds = []
    for _, attribute, tolerance in _PLANE:
        values = [getattr(one, attribute) for one in slices]
        kinds.append(_kinds([np.full(6, np.inf) if v is None else v for v in values], tolerance))
    return list(zip(*kinds, strict=True))


def _kinds(values: Sequence[FloatArray], tolerance: float) -> list[int]:
    """For each value the index of the first one that it agrees with."""
    first: list[int] = []
    kinds = []
    for index, value in enumerate(values):
        same = next((k for k in first if _agree(values[k], value, tolerance)), index)
        if same == index:
            first.append(index)
        kinds.append(same)
    return kinds


def _agree(one: FloatArray, other: FloatArray, tolerance: float) -> bool:
    if one.shape != other.shape:
        return False
    return bool(np.array_equal(one, other) or np.abs(one - other).max() <= tolerance)


def _crooked(one: SliceHeader) -> list[str]:
    row, column = given(one.orientation).reshape(2, 3)
    lengths = float(np.linalg.norm(row)), float(np.linalg.norm(column))
    off = max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(float(row @ column)))
    spacing = given(one.pixel_spacing)
    if off > 5 * _ORIENTATION_TOLERANCE:
        found = given(one.orientation).tolist()
        return [f"ImageOrientationPatient {found} is not two perpendicular unit vectors; export it again"]
    if spacing.min() <= 0:
        return [f"PixelSpacing {spacing.tolist()} is not positive; export the series again"]
    return []
