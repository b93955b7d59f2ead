"""Which files a source names: a file, a folder, a list."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from medvision.errors import SeriesError
from medvision.imaging.archive import is_zip
from medvision.imaging.dataset import looks_like_dicom
from medvision.imaging.itk_header import is_itk
from medvision.imaging.nifti import is_nifti
from medvision.imaging.paths import is_file, is_folder

Source: TypeAlias = "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]"


NOT_IMAGES = (
    *(".txt", ".json", ".csv", ".tsv", ".xml", ".md", ".html", ".pdf", ".log", ".ini", ".inf", ".db"),
    *(".nrrd", ".nhdr", ".mha", ".mhd", ".raw", ".zraw", ".zip"),
    *(".yaml", ".yml", ".jpg", ".jpeg", ".png", ".gif", ".bval", ".bvec", ".nii", ".gz", ".md5", ".sha256"),
)
"""Suffixes of files that are no DICOM, as far as their names say."""

NOT_IMAGE_NAMES = ("DICOMDIR", "LICENSE", "LICENCE", "README")
"""Names of files that are no images, in capitals."""
OTHER_FORMATS = (".hdr", ".img", ".mgz", ".mgh", ".minc", ".mnc")
"""Suffixes of formats that are not read."""


def find_files(source: Source) -> tuple[str, tuple[Path, ...]]:
    """The files of a source, and what an error calls it.

    In a folder, hidden files, DICOMDIR and files whose names say that they are no DICOM (.txt, .json, …)
    are passed over; a list is taken as it is.

    Raises:
        SeriesError: Nothing there, no path (an empty cell of a table, say), or a format that is not read.
    """
    if isinstance(source, str | os.PathLike):
        path = _path(source)
        if is_folder(path):
            return str(path), _in_folder(path)
        files: tuple[Path, ...] = (path,)
        where = str(path)
    else:
        if isinstance(source, bytes) or not isinstance(source, Iterable):
            raise _no_path(source)
        files = tuple(_path(file) for file in source)
        where = f"{len(files)} files of {files[0].parent}" if files else "the list of files"
    missing = [str(file) for file in files if not is_file(file)]
    if missing or not files:
        raise SeriesError(f"{where}: no such file: {', '.join(missing[:4]) or 'the list is empty'}")
    for file in files:
        if file.name.lower().endswith(OTHER_FORMATS):
            raise SeriesError(
                f"{file}: this format is not read; convert the scan to .nii.gz or give the DICOM"
            )
    return where, files


def _path(source: str | os.PathLike[str]) -> Path:
    """An empty path would be the current folder."""
    if not isinstance(source, str | os.PathLike) or not os.fspath(source).strip():
        raise _no_path(source)
    return Path(source).expanduser()


def _no_path(source: object) -> SeriesError:
    return SeriesError(f"{str(source)[:40]!r} is no path; give that of a file or folder, or a list of files")


def _in_folder(folder: Path) -> tuple[Path, ...]:
    below = sorted(p for p in _everything_below(folder) if is_file(p))
    files = tuple(p for p in below if _may_be_dicom(p, folder))
    if files:
        return files
    for name, is_one in (("NIfTI", is_nifti), ("NRRD or MetaImage", is_itk), ("zip archives", is_zip)):
        others = [p for p in below if is_one(p)]
        if others:
            raise SeriesError(
                f"{folder}: no DICOM in it but {name}, such as {others[0].name}; give the file itself"
            )
    raise SeriesError(
        f"{folder}: no DICOM file in it ({len(below)} other files); give the folder of the series"
    )


def _everything_below(folder: Path) -> Iterator[Path]:
    """Links to folders are not followed; a folder that cannot be read may hold half of the slices."""

    def refuse(error: OSError) -> None:
        raise SeriesError(
            f"{error.filename}: the folder cannot be read: {error.strerror}; mend its permissions"
        )

    for where, _, names in os.walk(folder, onerror=refuse):
        yield from (Path(where, name) for name in names)


def _may_be_dicom(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    if hidden or path.name.upper() in NOT_IMAGE_NAMES:
        return False
    return path.suffix.lower() not in NOT_IMAGES or looks_like_dicom(path)
