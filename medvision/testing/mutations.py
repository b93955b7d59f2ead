"""Hostile scans from a seeded generator: what transfers, archives, old software and attackers make of files.

Number ``n`` of seed ``s`` is the same scan on every day, so a failure is named by two numbers. A reader
passes when each gives a volume or a `MedvisionError`, soon, and in little memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medvision.testing.bombs import BOMBS
from medvision.testing.headers import HEADER_CHANGES
from medvision.testing.hostile_paths import PATHS
from medvision.testing.samples import Files, sample, sample_names

Change = Callable[[bytes, np.random.Generator], bytes]


@dataclass(frozen=True)
class Mutant:
    """One hostile scan.

    Attributes:
        source: The file or folder to open.
        name: What it was made of and how, such as ``dicom-rle/flip-bits``.
        seed: The generator's seed.
        number: Its number under this seed; ``write_mutant(folder, seed, number)`` makes it again.
    """

    source: Path
    name: str
    seed: int
    number: int


def write_mutant(folder: Path, seed: int, number: int) -> Mutant:
    """Write one hostile scan into a folder.

    Of twenty scans one is a decompression bomb, one has a hostile path, six have a header that lies, and
    twelve are damaged somewhere.

    Args:
        folder: An empty folder.
        seed: Any number.
        number: Which one, from 0.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     mutant = write_mutant(Path(folder), seed=1, number=2)
        ...     print(mutant.name, mutant.source.exists())
        nifti2/cut-out True
    """
    random = np.random.default_rng([seed, number])
    kind = number % 20
    if kind == 7:
        base, change, source = _special(folder, random, BOMBS)
    elif kind == 17:
        base, change, source = _special(folder, random, PATHS)
    else:
        base = str(random.choice(sample_names()))
        changes = HEADER_CHANGES if kind % 3 == 1 else DAMAGES
        change, files = _changed(sample(base), base, changes, random)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        source = folder if len(files) > 1 else folder / next(iter(files))
    return Mutant(source, f"{base}/{change}", seed, number)


def _special(
    folder: Path, random: np.random.Generator, writers: dict[str, Callable[[Path, np.random.Generator], Path]]
) -> tuple[str, str, Path]:
    name = str(random.choice(sorted(writers)))
    return "bomb" if writers is BOMBS else "path", name, writers[name](folder, random)


def _changed(
    files: Files, base: str, changes: dict[str, Change], random: np.random.Generator
) -> tuple[str, Files]:
    """Change one file of a scan, or all of them alike; a series of one file is as common as a whole one."""
    family = base.split("-")[0].rstrip("12")
    suited = [name for name in changes if ":" not in name or name.startswith(f"{family}:")]
    name = str(random.choice(suited))
    victims = [str(random.choice(sorted(files)))]
    if random.random() < 0.3:
        victims = sorted(files)
    elif random.random() < 0.5:
        files = {victims[0]: files[victims[0]]}
    return name.split(":")[-1], files | {victim: changes[name](files[victim], random) for victim in victims}


def _place(content: bytes, random: np.random.Generator) -> int:
    """A place in the file; headers stand at the beginning and are hit more often."""
    reach = len(content) if random.random() < 0.5 else min(len(content), 1500)
    return int(random.integers(0, max(1, reach)))


def _flip_bits(content: bytes, random: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for _ in range(int(random.integers(1, 33))):
        changed[_place(content, random)] ^= 1 << int(random.integers(8))
    return bytes(changed)


def _random_bytes(content: bytes, random: np.random.Generator) -> bytes:
    start = _place(content, random)
    noise = random.bytes(int(random.integers(1, 65)))
    return content[:start] + noise + content[start + len(noise) :]


def _cut_short(content: bytes, random: np.random.Generator) -> bytes:
    return content[: _place(content, random)]


def _huge_length(content: bytes, random: np.random.Generator) -> bytes:
    """Four bytes anywhere that say four thousand million, two, or minus one; lengths are among them."""
    start = _place(content, random) // 2 * 2
    length = (0xFFFFFFFF, 0xFFFFFFFE, 0x7FFFFFFF, 0x80000000, 0x10000000)[int(random.integers(5))]
    return content[:start] + length.to_bytes(4, "little") + content[start + 4 :]


def _cut_out(content: bytes, random: np.random.Generator) -> bytes:
    start = _place(content, random)
    return content[:start] + content[start + int(random.integers(1, 200)) :]


def _insert(content: bytes, random: np.random.Generator) -> bytes:
    start = _place(content, random)
    return content[:start] + random.bytes(int(random.integers(1, 200))) + content[start:]


def _repeat(content: bytes, random: np.random.Generator) -> bytes:
    """A piece that comes twice, up to some thousand times."""
    start = _place(content, random)
    piece = content[start : start + int(random.integers(1, 400))]
    return content[:start] + piece * int(random.choice([2, 2, 3, 50, 2000])) + content[start:]


def _zeros(content: bytes, random: np.random.Generator) -> bytes:
    """A block that was never transferred."""
    start = _place(content, random)
    length = min(int(random.integers(1, 2000)), len(content) - start)
    return content[:start] + bytes(length) + content[start + length :]


def _another_file(content: bytes, random: np.random.Generator) -> bytes:
    """The beginning of this file and the end of one of another format."""
    other = sample(str(random.choice(sample_names())))
    end = next(iter(other.values()))
    return content[: _place(content, random)] + end[_place(end, random) :]


DAMAGES: dict[str, Change] = {
    "flip-bits": _flip_bits,
    "random-bytes": _random_bytes,
    "cut-short": _cut_short,
    "huge-length": _huge_length,
    "cut-out": _cut_out,
    "insert": _insert,
    "repeat": _repeat,
    "zeros": _zeros,
    "another-file": _another_file,
}
