"""Open a scan, whatever it is stored as: NIfTI, NRRD, one DICOM file, a folder, a list, a zip of these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from medvision.errors import SeriesError
from medvision.imaging.archive import archive_path, from_archive, is_zip, read_archive, unpacked
from medvision.imaging.files import Source, find_files
from medvision.imaging.geometry import Geometry, times
from medvision.imaging.itk_formats import ItkHeader, read_itk, read_itk_header
from medvision.imaging.itk_header import is_itk
from medvision.imaging.nifti import NiftiHeader, is_nifti, read_nifti, read_nifti_header
from medvision.imaging.options import Reading, ReadingOptions, reading
from medvision.imaging.series import Series, read_every_series, read_series
from medvision.imaging.volume import Provenance, Volume, plane


@dataclass(frozen=True, eq=False)
class ImageHeader:
    """What the headers of a scan say; no voxel was read.

    Attributes:
        geometry: Shape and affine, → RAS+ mm, as :func:`load_volume` will return them.
        dtype: Type of the voxels that :func:`load_volume` will return.
        modality: DICOM's letters, or "".
        format: ``"DICOM"``, ``"NIfTI"``, ``"NRRD"`` or ``"MetaImage"``.
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


def load_volume(source: Source, **options: Unpack[ReadingOptions]) -> Volume:
    """Load one scan.

    DICOM slices are ordered by the projection of ImagePositionPatient on the slice normal; array axes
    are (column, row, slice), so that i grows along a row. RescaleSlope and RescaleIntercept are applied
    slice by slice. MONOCHROME1 is not inverted. NIfTI arrays keep their order; sform before qform.

    Args:
        source: A ``.nii`` or ``.nii.gz`` file, a NRRD or MetaImage file (``.nrrd``, ``.nhdr``, ``.mha``,
            ``.mhd``), a DICOM file, a folder (searched with its subfolders), the files of one series in
            any order, or a ``.zip`` of one of these.
        options: What to do where the files leave a choice: ``series_uid``, ``volume_index``,
            ``on_gap="fill"``, …; see :class:`medvision.imaging.Reading`. By default nothing is chosen.

    Returns:
        The volume: whole numbers where slopes are 1 and intercepts whole, else float32. What was done
        to it stands in ``volume.provenance.notes``.

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
    asked = reading(options)
    if is_zip(source):
        return read_archive(source, load_volume, **options)
    found = _read_headers(source, asked)
    return _volume(found, asked.volume_index)


def load_volumes(source: Source, **options: Unpack[ReadingOptions]) -> tuple[Volume, ...]:
    """Load all volumes of one scan: time points, echoes, b-values, the runs between gaps.

    Arguments and errors are those of :func:`load_volume`. What tells the volumes apart stands in the
    ``provenance.keys`` of each, by DICOM's keyword: ``EchoTime`` in ms, ``DiffusionBValue`` in s/mm²,
    ``DiffusionGradientOrientation`` as a direction in LPS.

    Example:
        >>> import tempfile
        >>> from medvision.imaging import save_nifti
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = save_nifti(Path(folder) / "a.nii", np.arange(16.0).reshape(2, 2, 2, 2), np.eye(4))
        ...     [int(volume.array.max()) for volume in load_volumes(file)]
        [14, 15]
    """
    asked = reading(options)
    if is_zip(source):
        with unpacked(archive_path(source)) as inside:
            return tuple(from_archive(one, source) for one in load_volumes(inside, **options))
    where, files = find_files(source)
    if is_nifti(files[0]) or is_itk(files[0]):
        volumes = inspect(source, volume_index=0).volumes
        each = [replace(asked, volume_index=n) for n in range(volumes)]
        return tuple(_volume(_read_headers(source, one), one.volume_index) for one in each)
    series = read_every_series(files, where, asked)
    return tuple(_volume(_Found(_files_of(one), one), None) for one in series)


def _volume(found: _Found, volume_index: int | None) -> Volume:
    summary = _summary(found)
    if isinstance(found.headers, Series):
        from medvision.imaging.dicom import read_voxels

        array = read_voxels(found.headers)
    elif isinstance(found.headers, ItkHeader):
        array = read_itk(found.files[0], found.headers, volume_index)
    else:
        array = read_nifti(found.files[0], found.headers, volume_index)
    return Volume(array, summary.geometry, summary.modality, summary.provenance)


def inspect(source: Source, **options: Unpack[ReadingOptions]) -> ImageHeader:
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
    asked = reading(options)
    if is_zip(source):
        return read_archive(source, inspect, **options)
    return _summary(_read_headers(source, asked))


@dataclass(frozen=True, eq=False)
class _Found:
    files: tuple[Path, ...]
    headers: NiftiHeader | ItkHeader | Series


def _read_headers(source: Source, options: Reading) -> _Found:
    where, files = find_files(source)
    if is_nifti(files[0]) or is_itk(files[0]):
        if len(files) > 1:
            kind = "NIfTI" if is_nifti(files[0]) else "NRRD or MetaImage"
            raise SeriesError(f"{where}: {len(files)} files, one of them {kind}; give one {kind} file")
        read = read_nifti_header if is_nifti(files[0]) else read_itk_header
        header = read(files[0])
        _check_index(files[0], header, options.volume_index)
        return _Found(files if isinstance(header, NiftiHeader) else header.files, header)
    series = read_series(files, where, options)
    return _Found(_files_of(series), series)


def _files_of(series: Series) -> tuple[Path, ...]:
    """The files of a volume in the order of its slices."""
    return tuple(dict.fromkeys(one.path for one in series.slices))


def _check_index(path: Path, header: NiftiHeader | ItkHeader, volume_index: int | None) -> None:
    if volume_index is None and header.volumes > 1:
        raise SeriesError(
            f"{path}: 4D, {header.volumes} volumes of {times(header.geometry.shape)}; choose one with "
            f"volume_index=0…{header.volumes - 1}"
        )
    if volume_index is not None and not 0 <= volume_index < header.volumes:
        raise SeriesError(f"{path}: {header.volumes} volumes, no volume_index={volume_index}")


def _summary(found: _Found) -> ImageHeader:
    if not isinstance(found.headers, Series):
        header = found.headers
        name = "NIfTI" if isinstance(header, NiftiHeader) else header.format
        return ImageHeader(
            header.geometry, header.dtype, "", name, header.volumes, Provenance(files=found.files)
        )
    from medvision.imaging.dicom import volume_dtype

    series = found.headers
    first = series.slices[0]
    notes = series.notes
    if first.projection:
        notes = (*notes, first.projection)
    provenance = Provenance(
        files=found.files,
        patient_id=first.patient_id,
        series_uid=first.series_uid,
        description=first.description,
        frame_of_reference_uid=first.same["frame of reference"],
        instance_uids=tuple(dict.fromkeys(s.instance_uid for s in series.slices)),
        values=series.values,
        keys=series.keys,
        notes=notes,
    )
    return ImageHeader(
        series.geometry, volume_dtype(series), first.modality, "DICOM", series.volumes, provenance
    )
