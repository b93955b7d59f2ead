"""The voxels of a DICOM series: decoded, rescaled, stacked in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from medvision.errors import SeriesError
from medvision.imaging.decoding import stored_values
from medvision.imaging.header import SliceHeader

_INTEGERS = ("uint8", "int8", "int16", "uint16", "int32", "uint32", "int64")


def read_voxels(slices: Sequence[SliceHeader]) -> npt.NDArray[Any]:
    """Read the slices of one volume and apply each one's RescaleSlope and RescaleIntercept.

    Args:
        slices: In order.

    Returns:
        (columns, rows, slices), read-only. The smallest integer type that holds all values that
        BitsStored allows where every slope is 1 and every intercept whole; else float32, computed in
        float64. MONOCHROME1 is not inverted.

    Raises:
        SeriesError: Pixels that cannot be decoded, or do not fit the header; names the file.
    """
    dtype = value_dtype(slices)
    columns, rows = slices[0].shape
    voxels = np.empty((len(slices), rows, columns), dtype=dtype)
    for plane, one, stored in zip(voxels, slices, _stored_planes(slices), strict=True):
        _check_fits(stored, one)
        if dtype.kind == "f":
            plane[...] = stored.astype(np.float64) * one.slope + one.intercept
        else:
            plane[...] = stored.astype(dtype) + dtype.type(int(one.intercept))
    voxels.setflags(write=False)
    return voxels.transpose(2, 1, 0)


def _stored_planes(slices: Sequence[SliceHeader]) -> Iterator[npt.NDArray[Any]]:
    """The stored values of each slice; a mosaic is decoded once for all its slices."""
    path, image = None, np.empty((0, 0))
    for one in slices:
        if one.path != path:
            path, image = one.path, stored_values(one.path)
        if one.tile is None:
            yield image
        else:
            row, column = one.tile
            yield image[row : row + one.shape[1], column : column + one.shape[0]]


def value_dtype(slices: Sequence[SliceHeader]) -> np.dtype[Any]:
    """The type that holds every rescaled value exactly, from the headers alone (see read_voxels)."""
    if any(s.slope != 1 or s.intercept != int(s.intercept) for s in slices):
        return np.dtype(np.float32)
    low = min(s.stored_range[0] + int(s.intercept) for s in slices)
    high = max(s.stored_range[1] + int(s.intercept) for s in slices)
    # The stored values and the intercept themselves have to fit too, on the way to their sum.
    low, high = min(low, *(int(s.intercept) for s in slices)), max(high, *(s.stored_range[1] for s in slices))
    for name in _INTEGERS:
        if np.iinfo(name).min <= low and high <= np.iinfo(name).max:
            return np.dtype(name)
    return np.dtype(np.float32)


def _check_fits(stored: npt.NDArray[Any], one: SliceHeader) -> None:
    columns, rows = one.shape
    if stored.shape != (rows, columns):
        raise SeriesError(
            f"{one.path}: its pixels have shape {stored.shape}, its header says {rows}×{columns}"
        )
    low, high = one.stored_range
    if stored.dtype.kind != "f" and (stored.min() < low or stored.max() > high):
        raise SeriesError(
            f"{one.path}: values {stored.min()}…{stored.max()} do not fit its BitsStored, {low}…{high}; "
            f"the file was compressed with a wrong header, export it again"
        )
