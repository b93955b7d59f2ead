"""Open a scan, whatever it is stored as: NIfTI, one DICOM file, a folder, a list of files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medvision.errors import SeriesError
from medvision.imaging.files import Source, find_files
from medvision.imaging.geometry import Geometry, times
from medvision.imaging.nifti import NiftiHeader, is_nifti, read_nifti, read_nifti_header
from medvision.imaging.series import Series, read_series
from medvision.imaging.volume import Provenance, Volume, plane


@dataclass(frozen=True, eq=False)
class ImageHeader:
    """What the headers of a scan say; no voxel was read.

    Attributes:
        geometry: Shape and affine, → RAS+ mm, as :func:`load_volume` will return them.
        dtype: Type of the voxels that :func:`load_volume` will return.
        modality: DICOM's letters, or "".
        format: ``"DICOM"`` or ``"NIfTI"``.
        volumes: Volumes in the file or series (time points, echoes); the summary is of one of them.
        provenance: Files, in slice order for DICOM, patient and series.
    """

    geometry: Geometry
    dtype: np.dtype[Any]
    modality: str
    format: str
    volumes: int
    provenance: Provenance

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along (i, j, k)."""
        return self.geometry.shape

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along (i, j, k) in mm."""
        return self.geometry.spacing_mm

    def __str__(self) -> str:
        size = f"{self.modality or 'image'} {times(self.shape)} · {times(self.spacing_mm)} mm"
        return f"{size} · {plane(self.geometry)} · {self.format}, {len(self.provenance.files)} files"


def load_volume(
    source: Source,
    *,
    series_uid: str | None = None,
    volume_index: int | None = None,
    allow_tilt: bool = False,
) -> Volume:
    """Load one scan.

    DICOM slices are ordered by the projection of ImagePositionPatient on the slice normal; array axes
    are (column, row, slice), so that i grows along a row. RescaleSlope and RescaleIntercept are applied
    slice by slice. MONOCHROME1 is not inverted. NIfTI arrays keep their order; sform before qform.

    Args:
        source: A ``.nii`` or ``.nii.gz`` file, a DICOM file, a folder (searched with its subfolders), or
            the files of one series in any order.
        series_uid: Which SeriesInstanceUID, where there are several.
        volume_index: Which volume (from 0), where the scan holds several at the same positions.
        allow_tilt: Keep a gantry tilt as a sheared affine instead of refusing it.

    Returns:
        The volume: whole numbers where slopes are 1 and intercepts whole, else float32.

    Raises:
        SeriesError: The files are not one complete scan; names files, patient and what to do.
        GeometryError: A NIfTI file without a place in space.

    Example:
        >>> import tempfile
        >>> from medvision.imaging import save_nifti
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = save_nifti(Path(folder) / "a.nii.gz", np.arange(8.0).reshape(2, 2, 2), np.eye(4))
        ...     load_volume(file)
        image 2×2×2 · 1.00×1.00×1.00 mm · axial · values 0…7
    """
    found = _read_headers(source, series_uid, volume_index, allow_tilt)
    summary = _summary(found)
    if isinstance(found.headers, Series):
        from medvision.imaging.dicom import read_voxels

        array = read_voxels(found.headers.slices)
    else:
        array = read_nifti(found.files[0], found.headers, volume_index)
    return Volume(array, summary.geometry, summary.modality, summary.provenance)


def inspect(
    source: Source,
    *,
    series_uid: str | None = None,
    volume_index: int | None = None,
    allow_tilt: bool = False,
) -> ImageHeader:
    """Read the headers of one scan and check them, without its voxels.

    Refuses what :func:`load_volume` refuses, files that are cut short included, except for damage
    inside the pixels that no header shows. Arguments and errors are those of :func:`load_volume`.

    Example:
        >>> import tempfile
        >>> from medvision.imaging import save_nifti
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = save_nifti(Path(folder) / "a.nii", np.zeros((3, 2, 2), "i2"), np.eye(4))
        ...     print(inspect(file), inspect(file).dtype)
        image 3×2×2 · 1.00×1.00×1.00 mm · axial · NIfTI, 1 files int16
    """
    return _summary(_read_headers(source, series_uid, volume_index, allow_tilt))


@dataclass(frozen=True, eq=False)
class _Found:
    files: tuple[Path, ...]
    headers: NiftiHeader | Series


def _read_headers(source: Source, uid: str | None, volume_index: int | None, allow_tilt: bool) -> _Found:
    where, files = find_files(source)
    if is_nifti(files[0]):
        if len(files) > 1:
            raise SeriesError(f"{where}: {len(files)} files, one of them NIfTI; give one NIfTI file")
        return _Found(files, _nifti_header(files[0], volume_index))
    series = read_series(files, where, series_uid=uid, volume_index=volume_index, allow_tilt=allow_tilt)
    return _Found(tuple(dict.fromkeys(s.path for s in series.slices)), series)


def _nifti_header(path: Path, volume_index: int | None) -> NiftiHeader:
    header = read_nifti_header(path)
    if volume_index is None and header.volumes > 1:
        raise SeriesError(
            f"{path}: 4D, {header.volumes} volumes of {times(header.geometry.shape)}; choose one with "
            f"volume_index=0…{header.volumes - 1}"
        )
    if volume_index is not None and not 0 <= volume_index < header.volumes:
        raise SeriesError(f"{path}: {header.volumes} volumes, no volume_index={volume_index}")
    return header


def _summary(found: _Found) -> ImageHeader:
    if isinstance(found.headers, NiftiHeader):
        header = found.headers
        return ImageHeader(
            header.geometry, header.dtype, "", "NIfTI", header.volumes, Provenance(files=found.files)
        )
    from medvision.imaging.dicom import value_dtype

    series = found.headers
    first = series.slices[0]
    provenance = Provenance(
        files=found.files,
        patient_id=first.patient_id,
        series_uid=first.series_uid,
        description=first.description,
        frame_of_reference_uid=first.same["frame of reference"],
        instance_uids=tuple(dict.fromkeys(s.instance_uid for s in series.slices)),
    )
    return ImageHeader(
        series.geometry, value_dtype(series.slices), first.modality, "DICOM", series.volumes, provenance
    )
