"""Which DICOM files form one series, which volumes it holds, and how their slices are stacked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medvision.errors import SeriesError
from medvision.imaging.consistency import given
from medvision.imaging.elements import read_elements
from medvision.imaging.geometry import FloatArray, Geometry, dicom_affine
from medvision.imaging.header import REPEATED_KEYS, SliceHeader, read_slices
from medvision.imaging.options import Reading
from medvision.imaging.ordering import names, stack
from medvision.imaging.rescaling import with_values
from medvision.imaging.survey import without_names
from medvision.imaging.tilt import upright
from medvision.imaging.values import Key, text
from medvision.imaging.volumes import Found, find_volumes
from medvision.wording import pseudonym


@dataclass(frozen=True, eq=False)
class Series:
    """The slices of one volume in order, and where they lie.

    Attributes:
        slices: By increasing place along the normal of their plane.
        geometry: Shape (columns, rows, slices) and affine, → RAS+ mm, of the volume that is made of them.
        volumes: How many volumes the series holds; the slices are of one of them.
        keys: What tells the volume apart from the others of the series, by DICOM's keyword.
        values: What its values are: rescaled, stored, ….
        notes: What was done to the slices that the caller had asked for, one sentence each.
        rows: Place of each of the volume's slices among `slices`, fractions are interpolated; None where
            they are the same.
        sheared: The grid of the slices before a gantry tilt is resampled away; None where it is not.
    """

    slices: tuple[SliceHeader, ...]
    geometry: Geometry
    volumes: int
    keys: Mapping[str, Key]
    values: str
    notes: tuple[str, ...] = ()
    rows: FloatArray | None = None
    sheared: Geometry | None = None


def read_series(files: Sequence[Path], where: str, options: Reading | None = None) -> Series:
    """Read the headers of DICOM files and put the slices of one volume in order.

    Args:
        files: In any order; their names mean nothing.
        where: What an error calls them, such as the folder.
        options: What to do where the files leave a choice; by default nothing is chosen.

    Raises:
        SeriesError: The files are not DICOM, belong to several series or patients, are mixed or
            incomplete, or leave the order of the slices open; names files and what to do.
    """
    options = options or Reading()
    found = volumes_of(files, where, options)
    return _arranged(_choose(found, options.volume_index), found, options)


def read_every_series(files: Sequence[Path], where: str, options: Reading) -> list[Series]:
    """As `read_series`, for all volumes of the series."""
    found = volumes_of(files, where, options)
    return [_arranged(slices, found, options) for slices in found.volumes]


def _arranged(slices: Sequence[SliceHeader], found: Found, options: Reading) -> Series:
    """As `arrange`; a time point, echo or b-value with fewer slices than another is refused."""
    series = arrange(slices, len(found.volumes), found.where, options)
    fullest = max(found.volumes, key=len)
    repeated = [name for name in found.key.split(" and ") if name in REPEATED_KEYS]
    if series.geometry.shape[2] < len(fullest) and repeated:
        told = ", ".join(f"{name} {series.keys.get(name, ('none',))[0]}" for name in repeated)
        raise SeriesError(
            f"{found.where}: the volume of {told} has {series.geometry.shape[2]} slices "
            f"({names(series.slices, 2)}) where another has {len(fullest)} ({names(fullest, 2)}); export the "
            f"series again, or pass on_gap='split' to take each volume as it is"
        )
    return series


def volumes_of(files: Sequence[Path], where: str, options: Reading) -> Found:
    """The volumes that the files hold, not yet in order.

    Raises:
        SeriesError: As for `read_series`.
    """
    headers = choose_series(read_headers(files, where), where, options.series_uid)
    if headers[0].patient_id:
        where += f" ({pseudonym(headers[0].patient_id)})"
    return find_volumes(headers, where, options)


def arrange(slices: Sequence[SliceHeader], volumes: int, where: str, options: Reading) -> Series:
    """Put the slices of one volume in order and find where they lie.

    Raises:
        SeriesError: A gap, uneven distances, a tilt, or values that cannot be had.
    """
    slices, values = with_values(slices, where, options)
    stacked = stack(slices, where, options)
    first = stacked.slices[0]
    affine = dicom_affine(
        given(first.position), given(first.orientation), given(first.pixel_spacing), stacked.step
    )
    geometry, notes, sheared = Geometry((*first.shape, stacked.count), affine), stacked.notes, None
    if options.on_tilt == "shear" and not geometry.is_orthogonal:
        geometry, sheared = upright(geometry), geometry
        notes = (*notes, f"a gantry tilt was resampled away, from {sheared} to {geometry}")
    keys = {
        name: value for name, value in first.keys.items() if all(s.keys.get(name) == value for s in slices)
    }
    return Series(stacked.slices, geometry, volumes, keys, values, notes, stacked.rows, sheared)


def read_headers(files: Sequence[Path], where: str) -> list[SliceHeader]:
    """Read the headers of all images among DICOM files; objects without pixels are passed over.

    Raises:
        SeriesError: No image among them, or files that cannot be read; names each.
    """
    headers: list[SliceHeader] = []
    problems = []
    for file in files:
        try:
            headers += read_slices(file)
        except SeriesError as error:
            problems.append(str(error))
    if problems and len(files) == 1:
        raise SeriesError(problems[0])
    if problems:
        found = f"{where}: {len(problems)} of {len(files)} files cannot be read"
        raise SeriesError(found, problems=problems)
    if not headers:
        raise SeriesError(f"{where}: no DICOM image in it; give the folder that holds the series")
    return headers


def choose_series(headers: Sequence[SliceHeader], where: str, series_uid: str | None) -> list[SliceHeader]:
    """The headers of one series.

    Raises:
        SeriesError: Several series and none chosen, or the chosen one is not there; lists them all.
    """
    series: dict[str, list[SliceHeader]] = defaultdict(list)
    for header in headers:
        series[header.series_uid].append(header)
    if series_uid is not None and series_uid in series:
        return series[series_uid]
    if series_uid is None and len(series) == 1:
        return list(headers)
    listed = [_describe(uid, slices) for uid, slices in sorted(series.items())]
    if series_uid is not None:
        raise SeriesError(f"{where}: no series {series_uid} in it; there is", problems=listed)
    patients = len({h.patient_id for h in headers})
    found = f"{len(series)} series" + (f" of {patients} patients" if patients > 1 else "")
    raise SeriesError(f"{where}: {found} in it; choose one with series_uid=", problems=listed)


def _describe(uid: str, slices: Sequence[SliceHeader]) -> str:
    one = slices[0]
    images = len({each.path for each in slices})
    words = [one.modality, repr(_description(one)) if one.description else "", f"{images} images"]
    words += [pseudonym(one.patient_id) if one.patient_id else "", one.refusal.split(",")[0]]
    return f"{uid or '(no SeriesInstanceUID)'}: " + ", ".join(w for w in words if w)


def _description(one: SliceHeader) -> str:
    """SeriesDescription, unless somebody typed the patient's name into it."""
    stated = read_elements(one.path, ["PatientName", "PatientID"])
    return without_names(one.description, *(text(stated, name) for name in ("PatientName", "PatientID")))


def _choose(found: Found, index: int | None) -> list[SliceHeader]:
    count = len(found.volumes)
    if index is not None and 0 <= index < count:
        return found.volumes[index]
    if index is None and count == 1:
        return found.volumes[0]
    asked = "" if index is None else f", no volume_index={index}"
    raise SeriesError(f"{found.where}: {found}{asked}; choose one with volume_index=0…{count - 1}")
