"""Small files that claim to be huge, or become it when unpacked."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from isal.isal_zlib import crc32
from pydicom import dcmread
from pydicom.encaps import encapsulate, get_frame

from medvision.testing.samples import sample, zipped

_MEBIBYTE = 1 << 20


@cache
def _zeros(mebibytes: int) -> bytes:
    """Raw deflate of that many MiB of zeros: about a thousandth of it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(_MEBIBYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * mebibytes + packer.flush()


@cache
def _gzip_zeros(head: bytes, mebibytes: int) -> bytes:
    return gzip.compress(head, mtime=0) + _zero_member(mebibytes)


@cache
def _zero_member(mebibytes: int) -> bytes:
    checksum, block = 0, bytes(_MEBIBYTE)
    for _ in range(mebibytes):
        checksum = crc32(block, checksum)
    end = struct.pack("<2L", checksum, mebibytes * _MEBIBYTE % 2**32)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + _zeros(mebibytes) + end


def _nifti_with(shape: tuple[int, ...]) -> bytes:
    header = bytearray(sample("nifti1")["scan.nii"][:352])
    struct.pack_into("<8h", header, 40, len(shape), *(*shape, 1, 1, 1, 1)[:7])
    return bytes(header)


def nifti_zeros_behind(folder: Path, random: np.random.Generator) -> Path:
    """A whole small scan in .nii.gz, and 3 GiB of zeros behind it."""
    path = folder / "scan.nii.gz"
    path.write_bytes(_gzip_zeros(sample("nifti1")["scan.nii"], 3 * 1024))
    return path


def nifti_all_zeros(folder: Path, random: np.random.Generator) -> Path:
    """A scan of 3 GiB of zeros, all there, in 3 MiB."""
    path = folder / "scan.nii.gz"
    path.write_bytes(_gzip_zeros(_nifti_with((1024, 1024, 1536)), 3 * 1024))
    return path


def nifti_claims(folder: Path, random: np.random.Generator) -> Path:
    """A header of 32767×32767×32767 voxels, or of a million volumes, with hardly a byte behind it."""
    path = folder / str(random.choice(["scan.nii", "scan.nii.gz"]))
    shape = ((32767,) * 3, (32767,) * 7, (512, 512, 300, 32767))[int(random.integers(3))]
    content = _nifti_with(shape) + bytes(5000)
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def dicom_claims(folder: Path, random: np.random.Generator) -> Path:
    """A DICOM file of 65535×65535 pixels, or a million frames, in each transfer syntax."""
    syntaxes = ("explicit", "implicit", "rle", "jpeg-ls", "jpeg-2000", "jpeg", "big-endian", "deflated")
    content = next(iter(sample(f"dicom-{random.choice(syntaxes)}").values()))
    dataset = dcmread(io.BytesIO(content))
    if random.random() < 0.7:
        dataset.Rows = dataset.Columns = 65535
    else:
        dataset.NumberOfFrames = 1_000_000
    dataset.save_as(folder / "scan.dcm")
    return folder / "scan.dcm"


def dicom_codestream(folder: Path, random: np.random.Generator) -> Path:
    """A compressed DICOM file whose inner image says 40000×40000; the header says so too, or not."""
    marks = {
        "jpeg-2000": (b"\xff\x51", 6, ">2L"),
        "jpeg-ls": (b"\xff\xf7", 5, ">2H"),
        "jpeg": (b"\xff\xc3", 5, ">2H"),
    }
    name = str(random.choice(sorted(marks)))
    mark, offset, layout = marks[name]
    dataset = dcmread(io.BytesIO(next(iter(sample(f"dicom-{name}").values()))))
    frame = bytearray(get_frame(dataset.PixelData, 0, number_of_frames=1))
    struct.pack_into(layout, frame, frame.find(mark) + offset, 40000, 40000)
    dataset.PixelData = encapsulate([bytes(frame)])
    if random.random() < 0.5:
        dataset.Rows = dataset.Columns = 40000
    dataset.save_as(folder / "scan.dcm")
    return folder / "scan.dcm"


def dicom_deflated(folder: Path, random: np.random.Generator) -> Path:
    """A deflated DICOM file that unpacks to 3 GiB."""
    content = next(iter(sample("dicom-deflated").values()))
    dataset = dcmread(io.BytesIO(content))
    start = 132 + 12 + int(dataset.file_meta.FileMetaInformationGroupLength)
    inner = zlib.decompress(content[start:], -15) + struct.pack("<HH2sHL", 0x7FE1, 0x10, b"OB", 0, 0x7FFFFFFE)
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packed.compress(inner) + packed.flush(zlib.Z_FULL_FLUSH)
    (folder / "scan.dcm").write_bytes(content[:start] + head + _zeros(3 * 1024))
    return folder / "scan.dcm"


def zip_zeros(folder: Path, random: np.random.Generator) -> Path:
    """A zip whose one member unpacks to 3 GiB, or that holds another such zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("scan.dcm", _zeros(3 * 1024))
    content = _as_deflated(out.getvalue(), 3 * 1024 * _MEBIBYTE)
    (folder / "scan.zip").write_bytes(zipped({"inner.zip": content}) if random.random() < 0.3 else content)
    return folder / "scan.zip"


def _as_deflated(archive: bytes, size: int) -> bytes:
    """Say in both headers of a stored member that it is deflated, of so many bytes."""
    changed = bytearray(archive)
    for start, method, length in ((0, 8, 22), (archive.find(b"PK\x01\x02"), 10, 24)):
        struct.pack_into("<H", changed, start + method, 8)
        struct.pack_into("<L", changed, start + length, size)
    return bytes(changed)


def zip_many(folder: Path, random: np.random.Generator) -> Path:
    """A zip of 25,000 empty members."""
    (folder / "scan.zip").write_bytes(_many_members())
    return folder / "scan.zip"


@cache
def _many_members() -> bytes:
    return zipped({f"{number}.dcm": b"" for number in range(25_000)})


def text_claims(folder: Path, random: np.random.Generator) -> Path:
    """A NRRD or MetaImage header of 99999×99999×99999 voxels."""
    name, old = [("nrrd", b"40 36 4"), ("nrrd-gz", b"40 36 4"), ("mha", b"40 36 4")][int(random.integers(3))]
    ((file, content),) = sample(name).items()
    (folder / file).write_bytes(content.replace(old, b"99999 99999 99999"))
    return folder / file


BOMBS: dict[str, Callable[[Path, np.random.Generator], Path]] = {
    "nifti-zeros-behind": nifti_zeros_behind,
    "nifti-all-zeros": nifti_all_zeros,
    "nifti-claims": nifti_claims,
    "dicom-claims": dicom_claims,
    "dicom-codestream": dicom_codestream,
    "dicom-deflated": dicom_deflated,
    "zip-zeros": zip_zeros,
    "zip-many": zip_many,
    "text-claims": text_claims,
}
