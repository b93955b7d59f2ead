"""NIfTI files: headers without their voxels, voxels without surprises.

Which affine: the sform where its code is positive, else the qform, as NiBabel does; where both are
given and differ by more than 0.1 mm, the sform is used and a warning says so. A file with neither has
no place in space and is refused. Coordinates in metres or micrometres are turned into mm.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from nibabel.spatialimages import HeaderDataError  # here: threads that import it at once see half of it

from medvision.errors import GeometryError, SeriesError
from medvision.imaging.geometry import FloatArray, Geometry
from medvision.imaging.gzipped import DAMAGED, holds, open_unpacked

SUFFIXES = (".nii", ".nii.gz")
DISAGREEMENT_MM = 0.1
_SIZES = {348: 1, 540: 2}  # length of the header, NIfTI version
_FORM_CODES = range(6)  # NIFTI_XFORM_UNKNOWN to NIFTI_XFORM_TEMPLATE_OTHER
_UNITS = {1: ("metres", 1000.0), 3: ("micrometres", 0.001)}  # NIfTI-1 xyzt_units, lowest three bits


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """What a NIfTI header says: grid, type of voxels, number of volumes.

    Attributes:
        geometry: Shape and affine of one volume, → RAS+ mm.
        dtype: The type that :func:`read_nifti` returns.
        volumes: Length of the fourth axis, 1 where there is none.
        stored_dtype: The type in the file, in its byte order.
        offset: Where the voxels begin, in bytes of the unpacked file.
        slope: ``scl_slope``, 1 where the file gives none.
        intercept: ``scl_inter``, 0 where the file gives none.
    """

    geometry: Geometry
    dtype: np.dtype[Any]
    volumes: int
    stored_dtype: np.dtype[Any]
    offset: int
    slope: float
    intercept: float


def is_nifti(path: Path) -> bool:
    """Whether a file is NIfTI by its name.

    Example:
        >>> is_nifti(Path("scan.NII.GZ")), is_nifti(Path("IM0001"))
        (True, False)
    """
    return path.name.lower().endswith(SUFFIXES)


def read_nifti_header(path: Path) -> NiftiHeader:
    """Read the header of a NIfTI-1 or NIfTI-2 file and check that its voxels are all there.

    Of a compressed file only the first bytes are unpacked; its length is read from gzip's last four.

    Raises:
        SeriesError: Not a NIfTI file, cut short, a header that contradicts itself, a decompression bomb,
            or not one volume of grey values per time point.
        GeometryError: Neither sform nor qform, or an affine that squashes the volume.
    """
    try:
        result = _header(_read_block(path), path)
        complete = holds(path, result.offset + _bytes_of_one(result) * result.volumes)
    except (HeaderDataError, ValueError, ArithmeticError, LookupError, *DAMAGED) as error:
        raise _damaged(path, error) from error
    except GeometryError as error:
        raise GeometryError(f"{path}: {error}") from error
    if not complete:
        raise _cut_short(path)
    return result


def _read_block(path: Path) -> Any:  # noqa: ANN401 (NiBabel's headers are untyped)
    """The header as NiBabel's, unchecked: NiBabel would mend it silently."""
    with open_unpacked(path) as file:
        start = file.read(4)
        order: Literal["little", "big"] = "big" if start[:2] == b"\0\0" else "little"
        size = int.from_bytes(start, order)
        if size not in _SIZES:
            raise SeriesError(f"{path}: not a NIfTI file; convert the scan again")
        block = start + file.read(size - 4)
    if len(block) < size:
        raise _cut_short(path)
    return nibabel_class("Header", _SIZES[size])(block, endianness="<>"[order == "big"], check=False)


def read_nifti(path: Path, header: NiftiHeader, volume_index: int | None = None) -> npt.NDArray[Any]:
    """Read the voxels of one volume.

    Args:
        path: The file.
        header: What :func:`read_nifti_header` returned for it.
        volume_index: Which volume of a 4D file, from 0.

    Returns:
        (i, j, k), read-only, in the file's type where nothing has to be scaled, as whole numbers where
        ``scl_slope`` is 1 and ``scl_inter`` whole, else float32 computed in float64.

    Raises:
        SeriesError: The file is cut short or damaged.
    """
    size = _bytes_of_one(header)
    try:
        with open_unpacked(path) as file:
            file.seek(header.offset + (volume_index or 0) * size)
            data = file.read(size)  # straight into the bytes that the array below looks at
            if header.volumes == 1:
                file.read(1)  # reaching the end makes gzip compare its checksum
    except DAMAGED as error:
        raise _damaged(path, error) from error
    if len(data) < size:
        raise _cut_short(path)
    stored = np.frombuffer(data, dtype=header.stored_dtype).reshape(header.geometry.shape, order="F")
    voxels = _scaled(stored, header)
    voxels.setflags(write=False)
    return voxels


def _scaled(stored: npt.NDArray[Any], header: NiftiHeader) -> npt.NDArray[Any]:
    """The values that the header means; slice by slice, so that float64 never holds the whole volume."""
    if header.slope == 1 and header.intercept == 0:
        return stored.astype(header.dtype, copy=False)
    voxels = np.empty(stored.shape, header.dtype, order="F")
    for k in range(stored.shape[2]):
        if header.dtype.kind == "f":
            voxels[..., k] = stored[..., k].astype(np.float64) * header.slope + header.intercept
        else:
            np.add(stored[..., k], int(header.intercept), out=voxels[..., k], dtype=header.dtype)
    return voxels


def _bytes_of_one(header: NiftiHeader) -> int:
    return math.prod(header.geometry.shape) * header.stored_dtype.itemsize


def nibabel_class(kind: str, version: int) -> Any:  # noqa: ANN401 (NiBabel's classes are untyped)
    """NiBabel's Nifti1Header, Nifti2Image, …, loaded when first needed."""
    return getattr(import_module(f"nibabel.nifti{version}"), f"Nifti{version}{kind}")


def _header(header: Any, path: Path) -> NiftiHeader:  # noqa: ANN401 (NiBabel's headers are untyped)
    _refuse_contradictions(header, path)
    stored = header.get_data_dtype()
    shape = [int(n) for n in header["dim"][1 : 1 + int(header["dim"][0])]]
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if len(shape) > 4 or len(shape) < 2:
        raise SeriesError(f"{path}: {len(shape)} axes {tuple(shape)}; a scan has three, or four with time")
    if min(shape) < 1:
        raise SeriesError(
            f"{path}: a damaged NIfTI file (its size is {tuple(shape)}); copy or convert it again"
        )
    slope, intercept = header.get_slope_inter()
    slope, intercept = (
        (1.0 if slope is None else float(slope)),
        (0.0 if intercept is None else float(intercept)),
    )
    return NiftiHeader(
        geometry=Geometry(three_axes((*shape, 1)[:3]), _affine(header, path)),
        dtype=_value_dtype(stored, slope, intercept),
        volumes=shape[3] if len(shape) == 4 else 1,
        stored_dtype=stored,
        offset=int(header["vox_offset"]),
        slope=slope,
        intercept=intercept,
    )


def _refuse_contradictions(header: Any, path: Path) -> None:  # noqa: ANN401 (NiBabel's headers are untyped)
    """What one reader would mend in one way and another in another is damage, not a scan."""
    if header["magic"].item() == header.pair_magic:
        raise SeriesError(f"{path}: the header of a .hdr/.img pair; convert the pair to one .nii.gz")
    stored = header.get_data_dtype()
    if stored.fields is not None or (stored.kind not in "iuf" and stored.itemsize):
        raise SeriesError(f"{path}: a colour or complex image ({stored}), not a scan; give grey values")
    offset, bits = float(header["vox_offset"]), int(header["bitpix"])
    wrong = {
        "magic": header["magic"].item() != header.single_magic,
        "dim[0]": not 1 <= int(header["dim"][0]) <= 7,
        "datatype": not stored.itemsize,
        "bitpix": bits not in (0, 8 * stored.itemsize),
        "vox_offset": not header.single_vox_offset <= offset < 2**62 or offset != int(offset),
        "sform_code": int(header["sform_code"]) not in _FORM_CODES,
        "qform_code": int(header["qform_code"]) not in _FORM_CODES,
    }
    found = [name for name, is_wrong in wrong.items() if is_wrong]
    if found:
        raise SeriesError(f"{path}: a damaged NIfTI file ({', '.join(found)}); copy or convert it again")


def _value_dtype(stored: np.dtype[Any], slope: float, intercept: float) -> np.dtype[Any]:
    native = stored.newbyteorder("=")
    if native.kind == "f" and native.itemsize > 8:
        native = np.dtype(np.float64)  # long double: not portable
    if slope == 1 and intercept == 0:
        return native
    if native.kind == "f" or slope != 1 or intercept != int(intercept):
        return np.dtype(np.float32)
    low, high = np.iinfo(native).min + int(intercept), np.iinfo(native).max + int(intercept)
    low, high = min(low, int(intercept)), max(high, np.iinfo(native).max)
    fits = [t for t in ("int16", "int32", "int64") if np.iinfo(t).min <= low and high <= np.iinfo(t).max]
    return np.dtype(fits[0]) if fits else np.dtype(np.float32)


def _affine(header: Any, path: Path) -> FloatArray:  # noqa: ANN401 (NiBabel's headers are untyped)
    sform, qform = header.get_sform(coded=True)[0], _qform(header, path)
    if sform is None and qform is None:
        raise GeometryError(
            "neither sform nor qform: the file does not say where the scan lies or which side is left; "
            "convert it again from DICOM, or set the affine if you know it"
        )
    affine = np.array(qform if sform is None else sform, dtype=np.float64)
    shape = [*header.get_data_shape(), 1][:3]
    if sform is not None and qform is not None:
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape], 1), dtype=np.float64).reshape(4, -1)
        apart = float(np.linalg.norm(((sform - qform) @ corners)[:3], axis=0).max())
        if apart > DISAGREEMENT_MM:
            warnings.warn(
                f"{path}: sform and qform put the scan up to {apart:.3g} mm apart; the sform is used",
                stacklevel=2,
            )
    unit, scale = _UNITS.get(int(header["xyzt_units"]) % 8, ("mm", 1.0))
    if scale != 1:
        warnings.warn(f"{path}: coordinates in {unit} are turned into mm", stacklevel=2)
        affine[:3] *= scale
    return affine


def _qform(header: Any, path: Path) -> FloatArray | None:  # noqa: ANN401 (NiBabel's headers are untyped)
    """The qform, None where the file has none; one that is no rotation matters only without an sform."""
    if header["pixdim"][0] == 0:
        header["pixdim"][0] = 1  # nifti1.h: "If pixdim[0]=0 … qfac=1"
    try:
        qform: FloatArray | None = header.get_qform(coded=True)[0]
    except (ValueError, HeaderDataError):
        if header["sform_code"] <= 0:
            raise
        warnings.warn(f"{path}: its qform is no rotation; the sform is used", stacklevel=2)
        return None
    return qform


def _damaged(path: Path, error: Exception) -> SeriesError:
    return SeriesError(f"{path}: a damaged NIfTI file ({error}); copy or convert it again")


def _cut_short(path: Path) -> SeriesError:
    return SeriesError(f"{path}: cut short, its voxels are not all there; copy or convert it again")


def three_axes(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """A shape as a triple.

    Raises:
        GeometryError: It has more axes or fewer.
    """
    if len(shape) != 3:
        raise GeometryError(f"a volume has three axes, not shape {shape}")
    return shape[0], shape[1], shape[2]
