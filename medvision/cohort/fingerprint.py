"""What a file holds, as a number: SHA-256, remembered from run to run."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from medvision.errors import CohortError
from medvision.wording import first_of

_VOXELS = re.compile(rb"^(?:data ?file\s*:|ElementDataFile\s*=)([^\r\n]+)", re.MULTILINE | re.IGNORECASE)

Stat = tuple[int, int]
Known = dict[str, tuple[Stat, str]]


def file_hashes(
    paths: Iterable[str | Path], *, index: str | Path | None = None, threads: int | None = None
) -> dict[str, str]:
    """Hash files, in parallel and without reading what is known.

    A folder, such as one DICOM series, is hashed by the sorted hashes of all files in it, so that a
    copy with other file names has the same hash. Hidden files (`.DS_Store`), pipes and devices, which no
    reader of a series opens either, do not count. A header whose voxels lie beside it (`.nhdr`, `.mhd`) is
    hashed together with them.

    The hash is of the bytes. The same scan that was compressed twice, or written by two programs, has
    two hashes.

    Args:
        paths: Files and folders.
        index: File that remembers hashes by path, size and time of change; made if it is not there,
            replaced as a whole.
        threads: Files read at a time; by default as many as there are processors, up to 8.

    Returns:
        The hash (64 hexadecimal digits) by absolute path.

    Raises:
        CohortError: Files that cannot be read, pipes and devices that are named themselves, empty folders,
            or an index that cannot be written.

    Example:
        >>> file = getfixture("tmp_path") / "a.nii"
        >>> _ = file.write_bytes(b"abc")
        >>> file_hashes([file])[str(file)][:16]
        'ba7816bf8f01cfea'
    """
    wanted = list(dict.fromkeys(str(Path(path).absolute()) for path in paths))
    files = {path: _files_of(path) for path in wanted}
    known = _load(index)
    hashes, problems = _hash_all(sorted({file for group in files.values() for file in group}), known, threads)
    problems += [f"the folder {path} has no files" for path in wanted if not files[path]]
    if problems:
        raise CohortError("files that cannot be read", problems=first_of(problems))
    if index is not None:
        _save(Path(index), known | hashes)
    return {path: _digest(path, files[path], hashes) for path in wanted}


def _files_of(path: str) -> list[str]:
    if not os.path.isdir(path):  # noqa: PTH112 (pathlib raises where a folder above is closed)
        return [path, *_beside(Path(path))]
    return [
        str(Path(folder, name))
        for folder, _, names in os.walk(path)
        for name in names
        if not name.startswith(".") and not _never_ends(str(Path(folder, name)))
    ]


def _never_ends(path: str) -> bool:
    """Whether a path leads to a pipe, a device or a socket, which may have no end."""
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return False  # reading it says what is wrong
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _beside(header: Path) -> list[str]:
    """The file of the voxels that the header of a detached NRRD or MetaImage names."""
    if header.suffix.lower() not in (".nhdr", ".mhd") or not header.is_file():
        return []
    with header.open("rb") as file:
        found = _VOXELS.search(file.read(1 << 16))
    named = header.parent / found.group(1).decode("latin-1").strip() if found else header
    return [str(named)] if named != header and named.is_file() else []


def _digest(path: str, files: list[str], hashes: Known) -> str:
    if files == [path]:
        return hashes[path][1]
    text = "\n".join(sorted(hashes[file][1] for file in files))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _hash_all(files: list[str], known: Known, threads: int | None) -> tuple[Known, list[str]]:
    def work(file: str) -> tuple[Stat, str] | str:
        if _never_ends(file):
            return f"{file} is no regular file"
        try:
            before = _stat(file)
            remembered = known.get(file)
            if remembered is not None and remembered[0] == before:
                return remembered
            with Path(file).open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return (before, digest) if _stat(file) == before else f"{file} changed while it was read"
        except OSError as error:
            return f"{file} cannot be read: {error.strerror}"

    with ThreadPoolExecutor(threads or min(8, os.cpu_count() or 1)) as pool:
        results = dict(zip(files, pool.map(work, files), strict=True))
    found = {file: result for file, result in results.items() if not isinstance(result, str)}
    return found, [result for result in results.values() if isinstance(result, str)]


def _stat(file: str) -> Stat:
    status = Path(file).stat()
    return status.st_size, status.st_mtime_ns


def _load(index: str | Path | None) -> Known:
    """Read what is remembered; an index that is missing or damaged remembers nothing."""
    if index is None:
        return {}
    try:
        entries = json.loads(Path(index).read_text(encoding="utf-8"))
        return {path: ((int(size), int(time)), str(digest)) for path, (size, time, digest) in entries.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _save(index: Path, known: Mapping[str, tuple[Stat, str]]) -> None:
    entries = {path: [*stat, digest] for path, (stat, digest) in sorted(known.items())}
    try:
        index.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{index.name}.", dir=index.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(entries, stream)
        Path(temporary).replace(index)
    except OSError as error:
        raise CohortError(f"the index of hashes {index} cannot be written: {error.strerror}") from None
