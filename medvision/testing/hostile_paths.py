"""Sources whose names, not whose content, break readers: too long, in circles, in other scripts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from medvision.testing.samples import sample


def _series(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in sample("dicom-explicit").items():
        (folder / name).write_bytes(content)
    return folder


def long_path(folder: Path, random: np.random.Generator) -> Path:
    """A readable series at a path of more than 300 characters."""
    return _series(folder / ("a" * 100) / ("b" * 100) / ("c" * 100))


def long_name(folder: Path, random: np.random.Generator) -> Path:
    """A name of 300 characters, which no file can have."""
    return folder / ("x" * 300 + str(random.choice([".nii.gz", ".dcm", ".zip", ".nrrd", ""])))


def link_loop(folder: Path, random: np.random.Generator) -> Path:
    """A series in a folder that also holds a link to itself and to its parent."""
    series = _series(folder / "series")
    (series / "again").symlink_to(series)
    (series / "above").symlink_to(folder)
    return series


def link_to_itself(folder: Path, random: np.random.Generator) -> Path:
    """A link that leads to itself."""
    path = folder / str(random.choice(["scan.nii.gz", "scan.dcm", "scan.zip", "folder"]))
    path.symlink_to(path)
    return path


def dangling_link(folder: Path, random: np.random.Generator) -> Path:
    """A series with a link to a file that is gone."""
    series = _series(folder / "series")
    (series / "IM9999.dcm").symlink_to(folder / "gone.dcm")
    return series


def other_scripts(folder: Path, random: np.random.Generator) -> Path:
    """Folders named in Japanese, in Latin-1 bytes that are no UTF-8, and with line breaks."""
    names = ("患者 山田", os.fsdecode(b"M\xfcller"), "a\nb", "-rf", "x y'\"$(true)", "🩻", ".hidden")
    return _series(folder / str(random.choice(names)))


def pipe(folder: Path, random: np.random.Generator) -> Path:
    """A named pipe, which nobody writes to, beside the slices or alone."""
    series = _series(folder / "series")
    os.mkfifo(series / "IM9999.dcm")
    return series if random.random() < 0.5 else series / "IM9999.dcm"


def nothing(folder: Path, random: np.random.Generator) -> Path:
    """An empty file, an empty folder, or nothing at all."""
    path = folder / str(
        random.choice(["scan.nii", "scan.nii.gz", "scan.dcm", "scan.zip", "scan.nrrd", "scan.mha"])
    )
    choice = int(random.integers(3))
    if choice == 0:
        path.touch()
    elif choice == 1:
        path.mkdir()
    return path


def device(folder: Path, random: np.random.Generator) -> Path:
    """A link to a device that never ends."""
    path = folder / str(random.choice(["scan.nii", "scan.dcm", "scan.zip", "scan.nrrd"]))
    path.symlink_to("/dev/zero")
    return path


PATHS: dict[str, Callable[[Path, np.random.Generator], Path]] = {
    "long-path": long_path,
    "long-name": long_name,
    "link-loop": link_loop,
    "link-to-itself": link_to_itself,
    "dangling-link": dangling_link,
    "other-scripts": other_scripts,
    "pipe": pipe,
    "nothing": nothing,
    "device": device,
}
