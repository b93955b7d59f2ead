"""Which DICOM files form one series, and whether they form one volume."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medvision.errors import SeriesError
from medvision.imaging.consistency import given, inconsistencies
from medvision.imaging.geometry import Geometry, dicom_affine
from medvision.imaging.header import SliceHeader, read_slices
from medvision.imaging.ordering import one_or_many, stack
from medvision.imaging.splitting import split_volumes


@dataclass(frozen=True, eq=False)
class Series:
    """The slices of one volume in order, and where they lie.

    Attributes:
        slices: By increasing place along the normal of their plane.
        geometry: Shape (columns, rows, slices) and affine, → RAS+ mm.
        volumes: How many volumes the series holds at these positions; the slices are one of them.
    """

    slices: tuple[SliceHeader, ...]
    geometry: Geometry
    volumes: int


def read_series(
    files: Sequence[Path],
    where: str,
    *,
    series_uid: str | None = None,
    volume_index: int | None = None,
    allow_tilt: bool = False,
) -> Series:
    """Read the headers of DICOM files and put the slices of one series in order.

    Args:
        files: In any order; their names mean nothing.
        where: What an error calls them, such as the folder.
        series_uid: Take this SeriesInstanceUID where the files belong to several series.
        volume_index: Take this volume (from 0) where the series holds several at the same positions.
        allow_tilt: Keep a gantry tilt as a sheared affine instead of refusing it.

    Raises:
        SeriesError: The files are not DICOM, belong to several series or patients, are mixed or
            incomplete, or leave the order of the slices open; names files and what to do.
    """
    slices = choose_series(read_headers(files, where), where, series_uid)
    if slices[0].patient_id:
        where += f" (patient {slices[0].patient_id})"
    problems = inconsistencies(slices)
    if problems:
        raise one_or_many(where, problems)
    key, volumes = split_volumes(slices, where)
    chosen = _choose_volume(key, volumes, volume_index, where)
    ordered, step = stack(chosen, where, allow_tilt=allow_tilt)
    first = ordered[0]
    affine = dicom_affine(given(first.position), given(first.orientation), given(first.pixel_spacing), step)
    return Series(tuple(ordered), Geometry((*first.shape, len(ordered)), affine), len(volumes))


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
    words = [one.modality, repr(one.description) if one.description else "", f"{images} images"]
    words += [f"patient {one.patient_id}" if one.patient_id else "", one.refusal.split(",")[0]]
    return f"{uid or '(no SeriesInstanceUID)'}: " + ", ".join(w for w in words if w)


def _choose_volume(
    key: str, volumes: list[list[SliceHeader]], index: int | None, where: str
) -> list[SliceHeader]:
    count = len(volumes)
    if index is not None and 0 <= index < count:
        return volumes[index]
    if index is None and count == 1:
        return volumes[0]
    sizes = sorted({len(volume) for volume in volumes})
    told = f"{count} volumes at the same positions, told apart by {key}" if count > 1 else "one volume"
    told += "" if len(sizes) == 1 else f", of {sizes[0]} to {sizes[-1]} slices"
    values = [volume[0].keys.get(key, ("none",)) for volume in volumes]
    if any(value != ("none",) for value in values):
        told += f" ({', '.join('/'.join(str(v) for v in value) for value in values)})"
    asked = "" if index is None else f", no volume_index={index}"
    raise SeriesError(f"{where}: {told}{asked}; choose one with volume_index=0…{count - 1}")
