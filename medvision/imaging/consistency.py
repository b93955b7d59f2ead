"""What must agree in all slices of a series before they can be stacked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from medvision.imaging.geometry import FloatArray
from medvision.imaging.header import SliceHeader
from medvision.imaging.ordering import names

_ORIENTATION_TOLERANCE = 1e-3  # direction cosines written with three decimals


_PIXEL_SPACING_TOLERANCE_MM = 1e-4


def inconsistencies(slices: Sequence[SliceHeader]) -> list[str]:
    """Why slices cannot be stacked, one sentence each; empty where they can.

    Looked at in turn, and reported at the first that fails: images that are no slices, identity (patient,
    frame of reference, matrix, units, …), place (position, orientation, spacing absent), plane.
    """
    return _refusals(slices) or _mixtures(slices) or _without_place(slices) or _mixed_planes(slices)


def given(value: FloatArray | None) -> FloatArray:
    """A vector that was checked to be there."""
    return np.asarray(value, dtype=np.float64)


def _refusals(slices: Sequence[SliceHeader]) -> list[str]:
    grouped: dict[str, list[SliceHeader]] = defaultdict(list)
    for one in slices:
        grouped[one.refusal].append(one)
    return [f"{names(found)}: {refusal}" for refusal, found in grouped.items() if refusal]


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
    return [f"{what}: {listed}{more}; give the files of one stack"]


def _without_place(slices: Sequence[SliceHeader]) -> list[str]:
    problems = []
    for name, attribute in (
        ("ImagePositionPatient", "position"),
        ("ImageOrientationPatient", "orientation"),
        ("PixelSpacing", "pixel_spacing"),
    ):
        without = [s for s in slices if getattr(s, attribute) is None]
        if without:
            problems.append(
                f"{name} is absent in {len(without)} of {len(slices)} images ({names(without)}), so their "
                f"place is unknown; export the original series, not a derived or projection image"
            )
    return problems


def _mixed_planes(slices: Sequence[SliceHeader]) -> list[str]:
    problems = []
    for what, attribute, tolerance in (
        ("mixed orientation", "orientation", _ORIENTATION_TOLERANCE),
        ("mixed pixel spacing", "pixel_spacing", _PIXEL_SPACING_TOLERANCE_MM),
    ):
        kinds: list[FloatArray] = []
        labels = []
        for one in slices:
            value = given(getattr(one, attribute))
            same = [kind for kind in kinds if np.abs(kind - value).max() <= tolerance]
            if not same:
                kinds.append(value)
            labels.append("\\".join(f"{x:.6g}" for x in (same[0] if same else value)))
        problems += _mixture(what, slices, labels)
    return problems or _crooked(slices[0])


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
