"""The voxels of a DICOM series: decoded, rescaled, stacked in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medvision.errors import SeriesError
from medvision.imaging.decoding import stored_frames
from medvision.imaging.geometry import FloatArray
from medvision.imaging.header import SliceHeader
from medvision.imaging.resampling import resample_array
from medvision.imaging.series import Series

_INTEGERS = ("uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


def read_voxels(series: Series) -> npt.NDArray[Any]:
    """Read the slices of one volume and apply each one's slope and intercept.

    Args:
        series: The slices in order, and what becomes of them.

    Returns:
        (i, j, k), read-only. The smallest integer type that holds all values that BitsStored allows where
        every slope is 1 and every intercept whole; else float32, computed in float64; float64 where the
        pixels are stored as such. Interpolated slices are rounded where the type is an integer; a
        resampled tilt gives float32.

    Raises:
        SeriesError: Pixels that cannot be decoded, or do not fit the header; names the file.
    """
    voxels = _read_slices(series.slices).transpose(2, 1, 0)
    if series.rows is not None:
        voxels = _interpolated(voxels, series.rows)
    if series.sheared is not None:
        low = float(voxels.min())
        voxels = resample_array(voxels, series.sheared, series.geometry, "linear", low)
    voxels.setflags(write=False)
    return voxels


def _read_slices(slices: Sequence[SliceHeader]) -> npt.NDArray[Any]:
    """(slices, rows, columns); each file is decoded once."""
    columns, rows = slices[0].shape
    dtype = value_dtype(slices)
    voxels = np.empty((len(slices), rows, columns), dtype=dtype)
    of_file: dict[Path, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for k, one in enumerate(slices):
        of_file[one.path][one.frame].append(k)
    for path, of_frame in of_file.items():
        one = slices[next(iter(of_frame.values()))[0]]
        wanted = sorted(of_frame)
        images = stored_frames(path, wanted, native=one.native, luminance=one.coding.colour)
        for frame, image in zip(wanted, images, strict=True):
            for k in of_frame[frame]:
                _fill(voxels[k], image, slices[k])
    return voxels


def _fill(plane: npt.NDArray[Any], image: npt.NDArray[Any], one: SliceHeader) -> None:
    """Put the rescaled values of a slice into its plane of the volume."""
    if one.tile is not None:
        row, column = one.tile
        image = image[row : row + one.shape[1], column : column + one.shape[0]]
    _check_fits(image, one)
    if plane.dtype.kind == "f":
        plane[...] = image.astype(np.float64) * one.slope + one.intercept
    else:
        plane[...] = image.astype(plane.dtype) + plane.dtype.type(int(one.intercept))


def _interpolated(voxels: npt.NDArray[Any], rows: FloatArray) -> npt.NDArray[Any]:
    """Slices at fractional places between those that are there; whole places are copied."""
    below = np.floor(rows).astype(int)
    made = np.empty((*voxels.shape[:2], len(rows)), dtype=voxels.dtype, order="F")
    for k, (low, weight) in enumerate(zip(below, rows - below, strict=True)):
        if weight == 0:
            made[..., k] = voxels[..., low]
            continue
        mixed = (1 - weight) * voxels[..., low] + weight * voxels[..., low + 1]
        made[..., k] = np.rint(mixed) if made.dtype.kind in "iu" else mixed
    return made


def volume_dtype(series: Series) -> np.dtype[Any]:
    """The type that `read_voxels` will return, from the headers alone."""
    return np.dtype(np.float32) if series.sheared is not None else value_dtype(series.slices)


def value_dtype(slices: Sequence[SliceHeader]) -> np.dtype[Any]:
    """The type that holds every rescaled value exactly, from the headers alone (see read_voxels)."""
    if any(s.coding.real for s in slices):
        return np.dtype(np.float64 if any(s.coding.allocated > 32 for s in slices) else np.float32)
    if any(s.slope != 1 or s.intercept != int(s.intercept) for s in slices):
        return np.dtype(np.float32)
    low = min(s.coding.stored_range[0] + int(s.intercept) for s in slices)
    high = max(s.coding.stored_range[1] + int(s.intercept) for s in slices)
    # The stored values and the intercept themselves have to fit too, on the way to their sum.
    low, high = (
        min(low, *(int(s.intercept) for s in slices)),
        max(high, *(s.coding.stored_range[1] for s in slices)),
    )
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
    low, high = one.coding.stored_range
    if stored.dtype.kind != "f" and (stored.min() < low or stored.max() > high):
        raise SeriesError(
            f"{one.path}: values {stored.min()}…{stored.max()} do not fit its BitsStored, {low}…{high}; "
            f"the file was compressed with a wrong header, export it again"
        )
