"""Zip archives of a scan: unpacked where they can do no harm, read, and removed again."""

from __future__ import annotations

import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from medvision.errors import MedvisionError, SeriesError
from medvision.imaging.gzipped import refuse_bomb
from medvision.imaging.paths import is_file, is_folder

if TYPE_CHECKING:
    from medvision.imaging.files import Source
    from medvision.imaging.load import ImageHeader
    from medvision.imaging.volume import Volume

    Read = TypeVar("Read", Volume, ImageHeader)

MOST_BYTES = 8 << 30
MOST_MEMBERS = 20_000
_BLOCK = 1 << 20
_ENCRYPTED = 0x1


def is_zip(source: Source) -> bool:
    """Whether a source is one zip archive by its name.

    Example:
        >>> is_zip("series.ZIP"), is_zip(["a.zip"])
        (True, False)
    """
    if not isinstance(source, str | os.PathLike) or not os.fspath(source).lower().endswith(".zip"):
        return False
    return not is_folder(Path(source).expanduser())


def read_archive(source: Source, read: Callable[..., Read], **options: Any) -> Read:  # noqa: ANN401 (passed on)
    """Read the scan in an archive.

    Args:
        source: The zip file.
        read: ``load_volume`` or ``inspect``.
        options: The reader's own.

    Returns:
        What the reader returns, with the archive as the file that it came from.

    Raises:
        SeriesError: See :func:`unpacked`; or what the reader refuses, naming the member.
    """
    with unpacked(archive_path(source)) as inside:
        return from_archive(read(inside, **options), source)


def from_archive(found: Read, source: Source) -> Read:
    """Name the archive as the file that a scan came from, not the temporary ones."""
    return replace(found, provenance=replace(found.provenance, files=(archive_path(source),)))


def archive_path(source: Source) -> Path:
    """The path of a source that is an archive."""
    return Path(os.fspath(source)).expanduser()  # type: ignore[arg-type] # is_zip has looked


@contextmanager
def opened(source: Source) -> Iterator[Source]:
    """A source as it is, or the unpacked content of an archive, for as long as the block lasts.

    Yields:
        What ``load_volume`` takes.

    Raises:
        SeriesError: See :func:`unpacked`.
    """
    if not is_zip(source):
        yield source
        return
    with unpacked(archive_path(source)) as inside:
        yield inside


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Unpack a zip archive into a temporary folder that is removed when the block ends.

    Nothing is written outside the folder, and no more than 8 GiB and 20,000 files. Errors that are raised
    in the block name members of the archive instead of temporary files.

    Yields:
        The folder; where the archive holds one file, that file.

    Raises:
        SeriesError: No zip, damaged, encrypted, a bomb, or with members that are archives, links, or lie
            outside; names the archive and the members.
    """
    if not is_file(path):
        raise SeriesError(f"{path}: no such file")
    with tempfile.TemporaryDirectory(prefix="medvision-") as temporary:
        folder = Path(temporary) / path.name
        folder.mkdir()
        files = _extract(path, folder)
        try:
            yield files[0] if len(files) == 1 else folder
        except MedvisionError as error:
            told = [text.replace(str(folder), str(path)) for text in (error.message, *error.problems)]
            raise type(error)(told[0], problems=told[1:]) from error


def _extract(path: Path, folder: Path) -> list[Path]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _check(path, members)
            return [_write(archive, member, path, folder) for member in members]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, LookupError) as error:
        raise SeriesError(f"{path}: a damaged zip archive ({error}); copy or pack it again") from error
    except OSError as error:
        raise SeriesError(
            f"{path}: cannot be unpacked ({error.strerror or error}); unpack it yourself"
        ) from error


def _check(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """All that can be said before a byte is unpacked."""
    if not members or len(members) > MOST_MEMBERS:
        raise SeriesError(f"{path}: {len(members)} files in it; pack the files of one scan")
    problems = [f"{member.filename!r} {why}" for member in members if (why := _refusal(member))]
    if problems:
        raise SeriesError(f"{path}: not unpacked", problems=problems[:8])
    size = sum(member.file_size for member in members)
    for member in members:
        refuse_bomb(f"{path}: {member.filename!r}", member.compress_size, member.file_size)
    refuse_bomb(path, path.stat().st_size, size)
    if size > MOST_BYTES:
        raise SeriesError(
            f"{path}: {size / 2**30:.1f} GiB when unpacked; unpack it yourself and give the folder"
        )


def _refusal(member: zipfile.ZipInfo) -> str:
    parts = PurePosixPath(member.filename.replace("\\", "/")).parts
    if not parts or ".." in parts or parts[0].endswith((":", "/")):
        return "lies outside the archive; pack it again"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link; pack the file itself"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted; unpack it with its password and give the folder"
    if parts[-1].lower().endswith(".zip"):
        return "is an archive itself; unpack the outer one"
    return ""


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, folder: Path) -> Path:
    """Write one member, counting: a member may be larger than the archive says."""
    target = folder.joinpath(*PurePosixPath(member.filename.replace("\\", "/")).parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with archive.open(member) as packed, target.open("xb") as file:
        while block := packed.read(_BLOCK):
            size += len(block)
            if size > member.file_size:
                raise zipfile.BadZipFile(f"{member.filename!r} is larger than stated")
            file.write(block)
    return target
