"""Which folders hold the images of a series, and which hold them once more."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path


@dataclass
class Copy:
    """The images of a series in some folders.

    Attributes:
        folders: Number of each folder.
        paths: The folders.
        images: SOPInstanceUIDs, each once; left empty in a copy.
        doubles: Files whose image is there more than once.
    """

    folders: list[int] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    images: set[str] = field(default_factory=set)
    doubles: int = 0


@dataclass
class _Folder:
    number: int
    path: Path
    images: int
    files: int
    signature: bytes


def copies_of(places: Iterable[tuple[int, Path, str]], again: Iterable[tuple[int, Path, str]]) -> list[Copy]:
    """Tell the folders that together hold a series from those that hold images of it once more.

    The folder with most images comes first; a folder whose images are all new belongs to it, as do the
    images of one of which only some are new; a folder with nothing new is a copy. Images are the same
    when their SOPInstanceUIDs are.

    Args:
        places: Folder, its path and SOPInstanceUID of every file of the series, sorted by folder, then UID.
        again: The same once more; of many equal copies only one is held in memory.

    Returns:
        The series first, then its copies, one for each folder.

    Example:
        >>> files = [(1, Path("a"), "x"), (1, Path("a"), "y"), (2, Path("b"), "y"), (3, Path("c"), "z")]
        >>> [(copy.folders, sorted(copy.images)) for copy in copies_of(files, files)]
        [([1, 3], ['x', 'y', 'z']), ([2], [])]
    """
    folders = sorted(_folders(places), key=lambda one: (-one.images, str(one.path)))
    first = {one.signature: one.number for one in reversed(folders)}
    images: dict[int, set[str]] = {number: set() for number in first.values()}
    for number, _, image in again:
        if number in images:
            images[number].add(image)
    whole, copies = Copy(), []
    for one in folders:
        found = images.pop(one.number, set())
        if found - whole.images:
            whole.doubles += len(found & whole.images) + one.files - one.images
            whole.folders.append(one.number)
            whole.paths.append(one.path)
            whole.images |= found
        else:
            copies.append(Copy([one.number], [one.path], set(), one.files - one.images))
    return [whole, *copies]


def _folders(places: Iterable[tuple[int, Path, str]]) -> Iterator[_Folder]:
    """Each folder with a hash of its images, read one after another."""
    for (number, path), group in groupby(places, key=lambda place: place[:2]):
        digest, files, images, last = hashlib.sha256(), 0, 0, None
        for _, _, image in group:
            files += 1
            if image != last:
                images += 1
                digest.update(image.encode("utf-8", "surrogateescape") + b"\0")
                last = image
        yield _Folder(number, path, images, files, digest.digest())
