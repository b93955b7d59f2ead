"""NRRD and MetaImage (MHA, MHD), through SimpleITK, which is an extra: ``medvision[simpleitk]``.

Both name places in LPS or in a stated space; SimpleITK turns them into LPS, this module into RAS+.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medvision.errors import GeometryError, SeriesError
from medvision.imaging.geometry import FloatArray, Geometry, lps_to_ras
from medvision.imaging.itk_header import Stored, check_voxels, read_text_header
from medvision.imaging.nifti import three_axes

_ONE_AFTER_ANOTHER = ("list", "time")


@dataclass(frozen=True, eq=False)
class ItkHeader:
    """What the header of a NRRD or MetaImage file says.

    Attributes:
        geometry: Shape and affine of one volume, → RAS+ mm.
        dtype: The type that :func:`read_itk` returns.
        volumes: How many volumes the file holds.
        format: ``"NRRD"`` or ``"MetaImage"``.
        files: The header's file, and that of the voxels where it is another.
        interleaved: Whether the volumes lie voxel by voxel (NRRD's axis of kind "list" first).
    """

    geometry: Geometry
    dtype: np.dtype[Any]
    volumes: int
    format: str
    files: tuple[Path, ...]
    interleaved: bool


def read_itk_header(path: Path) -> ItkHeader:
    """Read the header and check that the voxels are all there and whole.

    Raises:
        SeriesError: SimpleITK is not installed; damaged, cut short, colour or vectors, not three axes
            (and time).
        GeometryError: The file does not say where the scan lies.
    """
    try:
        stored = read_text_header(path)
        reader = _reader(path)
        reader.ReadImageInformation()
        header = _header(reader, stored, path)
        sizes = reader.GetSize()
        count = math.prod(sizes) * reader.GetNumberOfComponents()
        check_voxels(stored, count * header.dtype.itemsize, path)
    except (RuntimeError, OSError, OverflowError) as error:
        raise _unreadable(path, error) from error
    except GeometryError as error:
        raise error if str(path) in str(error) else GeometryError(f"{path}: {error}") from error
    return header


def read_itk(path: Path, header: ItkHeader, volume_index: int | None = None) -> npt.NDArray[Any]:
    """Read the voxels of one volume.

    Args:
        path: The file.
        header: What :func:`read_itk_header` returned for it.
        volume_index: Which volume, from 0, where there are several.

    Returns:
        (i, j, k), read-only, in the file's type.

    Raises:
        SeriesError: SimpleITK cannot read them.
    """
    reader, number = _reader(path), volume_index or 0
    try:
        reader.ReadImageInformation()
        if reader.GetDimension() == 4:
            reader.SetExtractSize([*header.geometry.shape, 0])
            reader.SetExtractIndex([0, 0, 0, number])
        array: npt.NDArray[Any] = _simpleitk(path).GetArrayFromImage(reader.Execute())
    except (RuntimeError, MemoryError) as error:
        raise _unreadable(path, error) from error
    if header.interleaved:
        array = np.ascontiguousarray(array[..., number])
    array.setflags(write=False)
    return array.transpose(2, 1, 0)


def _header(reader: Any, stored: Stored, path: Path) -> ItkHeader:  # noqa: ANN401 (untyped in SimpleITK)
    size, components = reader.GetSize(), reader.GetNumberOfComponents()
    kind = next((kind.lower() for kind in stored.kinds), "")
    if components > 1 and kind not in _ONE_AFTER_ANOTHER:
        raise SeriesError(
            f"{path}: {components} values a voxel ({kind or 'vectors'}), not a scan; give grey values"
        )
    if len(size) not in (3, 4) or (len(size) == 4 and components > 1):
        raise SeriesError(f"{path}: {len(size)} axes {tuple(size)}; a scan has three, or four with time")
    return ItkHeader(
        geometry=Geometry(three_axes(tuple(size[:3])), _affine(reader, path)),
        dtype=_dtype(reader, path),
        volumes=components if len(size) == 3 else int(size[3]),
        format="NRRD" if path.name.lower().endswith((".nrrd", ".nhdr")) else "MetaImage",
        files=tuple(dict.fromkeys((path, stored.path))),
        interleaved=components > 1,
    )


def _affine(reader: Any, path: Path) -> FloatArray:  # noqa: ANN401 (untyped in SimpleITK)
    axes = reader.GetDimension()
    direction = np.array(reader.GetDirection()).reshape(axes, axes)
    if np.any(direction[3:, :3]) or np.any(direction[:3, 3:]):
        raise GeometryError(f"{path}: its fourth axis leans into space; give one volume")
    affine = np.eye(4)
    affine[:3, :3] = direction[:3, :3] * reader.GetSpacing()[:3]
    affine[:3, 3] = reader.GetOrigin()[:3]
    return lps_to_ras(affine) + 0.0


def _dtype(reader: Any, path: Path) -> np.dtype[Any]:  # noqa: ANN401 (untyped in SimpleITK)
    itk = _simpleitk(path)
    name: str = itk.GetPixelIDValueAsString(reader.GetPixelID())
    if "complex" in name or "label" in name:
        raise SeriesError(f"{path}: voxels of type {name}, not a scan; give grey values")
    one = itk.Image([1, 1, 1], reader.GetPixelID(), reader.GetNumberOfComponents())
    dtype: np.dtype[Any] = itk.GetArrayViewFromImage(one).dtype
    return dtype


def _reader(path: Path) -> Any:  # noqa: ANN401 (untyped in SimpleITK)
    itk = _simpleitk(path)
    reader = itk.ImageFileReader()
    reader.SetImageIO("NrrdImageIO" if path.name.lower().endswith((".nrrd", ".nhdr")) else "MetaImageIO")
    reader.SetFileName(str(path))
    return reader


def _simpleitk(path: Path) -> Any:  # noqa: ANN401 (untyped in SimpleITK)
    """SimpleITK, loaded when first needed."""
    try:
        return import_module("SimpleITK")
    except ModuleNotFoundError as error:
        raise SeriesError(
            f"{path}: NRRD and MetaImage are read through SimpleITK; pip install 'medvision[simpleitk]', "
            f"or convert the scan to .nii.gz"
        ) from error


def _unreadable(path: Path, error: Exception) -> SeriesError:
    """SimpleITK's last line says what; the lines before it where in SimpleITK."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    found = lines[-1].rpartition("): ")[2].replace(str(path), path.name)[:160]
    return SeriesError(f"{path}: cannot be read ({found}); save or convert it again")
