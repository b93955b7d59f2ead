"""Write NIfTI files whole, and the same bytes on every day."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from medvision.errors import GeometryError, MedvisionError
from medvision.imaging.geometry import Geometry
from medvision.imaging.nifti import DISAGREEMENT_MM, is_nifti, nibabel_class, three_axes


def save_nifti(
    path: str | Path,
    array: npt.ArrayLike,
    geometry_or_affine: Geometry | npt.ArrayLike,
    dtype: npt.DTypeLike | None = None,
) -> Path:
    """Write an array as NIfTI; the same array gives the same bytes on every day.

    The file is written beside its place and renamed, so a kill leaves the old one or the new one.
    sform and qform are both set (code 1, scanner); a sheared affine, which a qform cannot hold, is set
    as sform alone.

    Args:
        path: ``.nii`` or ``.nii.gz``; its folder is made.
        array: (i, j, k) or (i, j, k, t).
        geometry_or_affine: Where it lies: a Geometry or a 4×4 affine → RAS+ mm.
        dtype: Type in the file; default the array's own (bool as uint8, float16 as float32). Whole
            numbers and masks must survive the change exactly.

    Returns:
        The path.

    Raises:
        GeometryError: The array does not fit the geometry.
        MedvisionError: The name does not end in .nii or .nii.gz, or ``dtype`` cannot hold the values.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_nifti(Path(folder) / "mask.nii.gz", np.ones((3, 3, 3), bool), np.eye(4)).name
        'mask.nii.gz'
    """
    path = Path(path)
    if not is_nifti(path):
        raise MedvisionError(f"{path}: a NIfTI file is named .nii or .nii.gz")
    voxels = _cast(np.asarray(array), dtype, path)
    shape = voxels.shape[:3]
    if isinstance(geometry_or_affine, Geometry):
        geometry = geometry_or_affine
    else:
        geometry = Geometry(three_axes(shape), np.asarray(geometry_or_affine, dtype=np.float64))
    if shape != geometry.shape or voxels.ndim > 4:
        raise GeometryError(f"{path}: array of shape {voxels.shape} on a grid of shape {geometry.shape}")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with _open_for_writing(temporary, compressed=path.name.lower().endswith(".gz")) as file:
            _image(voxels, geometry).to_stream(file)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


@contextmanager
def _open_for_writing(path: Path, *, compressed: bool) -> Iterator[BinaryIO | gzip.GzipFile]:
    with path.open("wb") as file:
        if not compressed:
            yield file
            return
        # No name and no time in gzip's header: equal voxels give equal bytes.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed:
            yield packed


def _cast(array: npt.NDArray[Any], dtype: npt.DTypeLike | None, path: Path) -> npt.NDArray[Any]:
    if array.dtype.kind not in "biuf":
        raise MedvisionError(f"{path}: voxels of type {array.dtype} cannot be written as NIfTI")
    default = {"bool": np.uint8, "float16": np.float32}.get(array.dtype.name, array.dtype)
    wanted = np.dtype(dtype if dtype is not None else default)
    if wanted.kind == "b":
        wanted = np.dtype(np.uint8)
    if wanted == array.dtype:
        return array
    with np.errstate(invalid="ignore", over="ignore"):
        cast = array.astype(wanted)
    exact = wanted.kind == "f" and array.dtype.kind == "f"
    if not exact and not np.array_equal(cast.astype(array.dtype), array):
        raise MedvisionError(
            f"{path}: {wanted} cannot hold the {array.dtype} values exactly; round them first"
        )
    return cast


def _image(voxels: npt.NDArray[Any], geometry: Geometry) -> Any:  # noqa: ANN401 (NiBabel is untyped)
    kind = nibabel_class("Image", 1 if max(voxels.shape) < 2**15 else 2)
    image = kind(voxels, np.array(geometry.affine), dtype=voxels.dtype)
    image.header.set_xyzt_units("mm")
    image.set_sform(geometry.affine, code=1)
    image.set_qform(geometry.affine, code=1)
    if not Geometry(geometry.shape, image.get_qform()).is_close(geometry, DISAGREEMENT_MM / 10):
        image.set_qform(None, code=0)
    return image
