"""Headers that lie: sizes, counts and positions that no scanner writes, in files that are otherwise whole."""

from __future__ import annotations

import gzip
import io
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
from pydicom import dcmread
from pydicom.config import disable_value_validation
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from medvision.testing.samples import Files, zipped

_NUMBERS = ("0", "-1", "65535", "1000000", "1e400", "-1e30", "nan", "inf", "abc", "", "1\\2\\3", "1e-300")
_SHORTS = (0, 1, 2, 3, 7, 16, 17, 255, 32768, 65535)
_SHORT_ELEMENTS = (
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel",
    "PlanarConfiguration",
)  # fmt: skip
_TEXT_ELEMENTS = (
    "NumberOfFrames", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
    "RescaleSlope", "RescaleIntercept", "InstanceNumber", "PhotometricInterpretation", "ImageType",
    "SOPClassUID", "SeriesInstanceUID", "SpacingBetweenSlices", "AcquisitionNumber", "EchoTime",
)  # fmt: skip
_CHARACTER_SETS = (
    "ISO_IR 100",
    "ISO 2022 IR 87",
    "\\ISO 2022 IR 87",
    "ISO_IR 192",
    "GB18030",
    "nonsense",
    "",
)
_NAMES = ("M\xfcller^J\xf6rg", "山田^太郎", "Ямада^Таро", "\x1b$B;3ED\x1b(B^", "^" * 70, "\udcff")
_NIFTI_FIELDS = {  # NIfTI-1 offsets and types; NIfTI-2 is hit by the same names at its own offsets
    "dim": (40, "h", 8), "datatype": (70, "h", 1), "bitpix": (72, "h", 1), "pixdim": (76, "f", 8),
    "vox_offset": (108, "f", 1), "scl_slope": (112, "f", 1), "scl_inter": (116, "f", 1),
    "xyzt_units": (123, "b", 1), "qform_code": (252, "h", 1), "sform_code": (254, "h", 1),
    "quatern": (256, "f", 6), "srow": (280, "f", 12), "magic": (344, "b", 4),
}  # fmt: skip
_NIFTI2_FIELDS = {
    "datatype": (12, "h", 1), "dim": (16, "q", 8), "pixdim": (104, "d", 8), "vox_offset": (168, "q", 1),
    "scl_slope": (176, "d", 1), "scl_inter": (184, "d", 1), "qform_code": (344, "i", 1),
    "sform_code": (348, "i", 1), "quatern": (352, "d", 6), "srow": (400, "d", 12),
    "xyzt_units": (500, "i", 1),
}  # fmt: skip


def dicom_element(content: bytes, random: np.random.Generator) -> bytes:
    """One to three elements of a DICOM file with values that cannot be."""
    with disable_value_validation(), warnings.catch_warnings(action="ignore"):
        dataset = dcmread(io.BytesIO(content))
        for _ in range(int(random.integers(1, 4))):
            if random.random() < 0.4:
                name, value = random.choice(_SHORT_ELEMENTS), int(random.choice(_SHORTS))
                setattr(dataset, str(name), value)
            elif random.random() < 0.2:
                dataset.SpecificCharacterSet = str(random.choice(_CHARACTER_SETS)).split("\\")
                dataset.PatientID = dataset.SeriesDescription = str(random.choice(_NAMES[:3]))
            else:
                _put_text(dataset, str(random.choice(_TEXT_ELEMENTS)), str(random.choice(_NUMBERS)))
        out = io.BytesIO()
        try:
            dataset.save_as(out)
        except (ValueError, TypeError, OSError, AttributeError, OverflowError):
            return content[:200]  # pydicom will not write such a value
        return out.getvalue()


def _put_text(dataset: Dataset, name: str, value: str) -> None:
    tag = Tag(tag_for_keyword(name) or 0)
    raw = value.encode() + b" " * (len(value) % 2)
    dataset[tag] = RawDataElement(tag, dictionary_VR(tag), len(raw), raw, 0, False, True)


def dicom_names(content: bytes, random: np.random.Generator) -> bytes:
    """Latin-1, Japanese, Russian and broken names under a character set that may be another."""
    name = random.choice(_NAMES)
    for encoding in ("latin-1", "iso2022_jp_2", "shift_jis", "utf-8"):
        raw = str(name).encode(encoding, "replace")[:60]
        if random.random() < 0.5:
            break
    raw += b" " * (len(raw) % 2)
    element = struct.pack("<HH2sH", 0x0010, 0x0010, b"PN", len(raw)) + raw
    place = content.find(struct.pack("<HH", 0x0010, 0x0010))
    if place < 0:
        return content
    (length,) = struct.unpack("<H", content[place + 6 : place + 8])
    return content[:place] + element + content[place + 8 + length :]


def dicom_sequence(content: bytes, random: np.random.Generator) -> bytes:
    """Sequences within sequences, thousands deep, with or without an end, or that claim to be endless."""
    depth = int(random.choice([1, 20, 400, 5000]))
    length = int(random.choice([0xFFFFFFFF, 0xFFFFFFFF, 0x7FFFFFFE, 8]))
    one = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, length)
    one += struct.pack("<HHL", 0xFFFE, 0xE000, length)
    end = struct.pack("<HHL", 0xFFFE, 0xE00D, 0) + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    closed = random.random() < 0.5
    place = content.find(struct.pack("<HH", 0x0010, 0x0010))
    return content[:place] + one * depth + end * depth * closed + content[place:]


def nifti_field(content: bytes, random: np.random.Generator) -> bytes:
    """One to three header fields with numbers that cannot be; compressed files stay whole gzip."""
    if content[:2] == b"\x1f\x8b":
        return gzip.compress(nifti_field(gzip.decompress(content), random), 1, mtime=0)
    size = int.from_bytes(content[:4], "little")
    order, fields = ("<" if size in (348, 540) else ">"), _NIFTI2_FIELDS if size == 540 else _NIFTI_FIELDS
    changed = bytearray(content)
    for _ in range(int(random.integers(1, 4))):
        offset, kind, count = fields[str(random.choice(sorted(fields)))]
        step = struct.calcsize(kind)
        struct.pack_into(
            order + kind, changed, offset + step * int(random.integers(count)), _odd(kind, random)
        )
    return bytes(changed)


def _odd(kind: str, random: np.random.Generator) -> float | int:
    if kind in "fd":
        return float(random.choice([0, -1, np.nan, np.inf, -np.inf, 1e30, 1e-30, 3.5, 2**31, -353]))
    top = 2 ** (8 * struct.calcsize(kind) - 1) - 1
    return int([0, 1, -1, 2, 3, 5, 7, 8, 127, top, -top - 1, top // 2][int(random.integers(12))])


def text_field(content: bytes, random: np.random.Generator) -> bytes:
    """A line of a NRRD or MetaImage header with another value, twice, or gone."""
    lines = content.split(b"\n")
    last = next(
        (n for n, line in enumerate(lines) if not line or line.startswith(b"ElementData")), len(lines)
    )
    number = int(random.integers(0, last + 1))
    name, mark, old = re.findall(rb"([^:=]*)([:=]?=? ?)(.*)", lines[number], re.DOTALL)[0]
    values = [b"-1 -1 -1", b"99999 99999 99999", b"0 0 0", b"nan nan nan", b"4", b"double", b"bzip2", b"raw"]
    values += [
        b"../../../etc/passwd",
        b"/dev/zero",
        b"LIST",
        b"unknown",
        b"",
        old * 300,
        b"%d %d %d",
        old + b" 7",
    ]
    new = name + mark + values[int(random.integers(len(values)))]
    lines[number : number + 1] = [[new], [new, lines[number]], []][int(random.integers(3))]
    return b"\n".join(lines)


def zip_member(content: bytes, random: np.random.Generator) -> bytes:
    """An archive whose members lie outside it, deep below, are archives, or have names of all kinds."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    first = next(iter(files.values()))
    escape = ("../../escaped.dcm", "/tmp/escaped.dcm", "C:\\escaped.dcm", "a/../../b", "..\\..\\x", "\0x", "")
    made: tuple[Files, ...] = (
        {str(random.choice(escape)): first, **files},
        {"inner.zip": content},
        {f"folder/{n}/" * 30 + key: value for n, (key, value) in enumerate(files.items())},
        {"患者.dcm": first, "M\xfcller.dcm": first, "x" * 300: first},
    )
    return zipped(made[int(random.integers(len(made)))])


def zip_directory(content: bytes, random: np.random.Generator) -> bytes:
    """An archive that says it is encrypted, states other sizes, or holds a link."""
    choice = int(random.integers(3))
    if choice == 0:
        link = zipfile.ZipInfo("link.dcm")
        link.external_attr = 0o120777 << 16
        out = io.BytesIO(content)
        with zipfile.ZipFile(out, "a") as archive:
            archive.writestr(link, "/etc/passwd")
        return out.getvalue()
    changed = bytearray(content)
    for start in [entry.start() for entry in re.finditer(b"PK\x01\x02", content)]:
        if choice == 1:
            changed[start + 8] |= 1
        else:
            struct.pack_into("<L", changed, start + 24, int(random.choice([0, 1, 2**31, 2**32 - 2])))
    return bytes(changed)


def gzip_member(content: bytes, random: np.random.Generator) -> bytes:
    """A compressed file whose checksum, length or further members are wrong; others come through zlib."""
    if content[:2] != b"\x1f\x8b":
        return zlib.compress(content)
    choice = int(random.integers(4))
    if choice == 0:
        return content[:-8] + random.bytes(4) + content[-4:]
    if choice == 1:
        return content[:-4] + random.bytes(4)
    if choice == 2:
        return content + gzip.compress(b"more", mtime=0) * 300
    return content + random.bytes(int(random.integers(1, 99)))


HEADER_CHANGES: dict[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "dicom:element": dicom_element,
    "dicom:names": dicom_names,
    "dicom:sequence": dicom_sequence,
    "nifti:field": nifti_field,
    "nifti:gzip": gzip_member,
    "nrrd:field": text_field,
    "mha:field": text_field,
    "zip:member": zip_member,
    "zip:directory": zip_directory,
}
