"""Small valid scans in every format that is read, as bytes: what hostile files are made of."""

from __future__ import annotations

import gzip
import io
import struct
import tempfile
import zipfile
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, EnhancedCTImageStorage, ExplicitVRBigEndian

from medvision.testing.dicom import write_dicom_series
from medvision.testing.dicom_header import Patient, Storage, TransferSyntax
from medvision.testing.phantom import Phantom, affine_of

Files = dict[str, bytes]
_SHAPE = (40, 36, 4)
_SPACING_MM = (0.8, 0.8, 2.0)


def sample_names() -> tuple[str, ...]:
    """The names that :func:`sample` knows, always in one order.

    Example:
        >>> [name for name in sample_names() if name.startswith("nifti")]
        ['nifti1', 'nifti1-gz', 'nifti2', 'nifti-big-endian', 'nifti-4d-gz']
    """
    return tuple(_SAMPLES)


@cache
def sample(name: str) -> Files:
    """The files of one scan of 40×36×4 voxels by their names; the same bytes on every day.

    Example:
        >>> list(sample("nifti1-gz")), len(sample("dicom-rle"))
        (['scan.nii.gz'], 4)
    """
    return _SAMPLES[name]()


def phantom() -> Phantom:
    """A ramp with noise, 40×36×4 voxels."""
    random = np.random.default_rng(4)
    ramp = np.arange(np.prod(_SHAPE)).reshape(_SHAPE) + random.integers(0, 50, _SHAPE)
    affine, empty = affine_of(_SHAPE, _SPACING_MM), np.zeros(_SHAPE, np.uint8)
    return Phantom("CT", ramp.astype(np.int16), affine, empty, {}, (), "HFS", 4)


def _dicom(syntax: TransferSyntax) -> Files:
    with tempfile.TemporaryDirectory() as folder:
        files = write_dicom_series(
            phantom(), folder, patient=Patient("SAMPLE"), storage=Storage(transfer_syntax=syntax)
        )
        return {file.name: file.read_bytes() for file in files}


def _datasets() -> dict[str, Dataset]:
    return {name: dcmread(io.BytesIO(content)) for name, content in sample("dicom-explicit").items()}


def _saved(dataset: Dataset, syntax: UID) -> bytes:
    fresh = Dataset()
    for element in dataset:  # decoded one by one: pydicom does not change the byte order of what it read
        fresh.add(element)
    fresh.file_meta = dataset.file_meta
    fresh.file_meta.TransferSyntaxUID = syntax
    out = io.BytesIO()
    fresh.save_as(out, implicit_vr=False, little_endian=syntax.is_little_endian, enforce_file_format=True)
    return out.getvalue()


def _big_endian() -> Files:
    written = {}
    for name, dataset in _datasets().items():
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
        written[name] = _saved(dataset, ExplicitVRBigEndian)
    return written


def _deflated() -> Files:
    return {name: _saved(ds, DeflatedExplicitVRLittleEndian) for name, ds in _datasets().items()}


def _jpeg() -> Files:
    """JPEG lossless, by GDCM, which also decodes it."""
    gdcm: Any = import_module("gdcm")  # it has no annotations
    written = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in sample("dicom-explicit").items():
            (source := Path(folder) / name).write_bytes(content)
            reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
            reader.SetFileName(str(source))
            reader.Read()
            change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
            change.SetInput(reader.GetImage())
            change.Change()
            writer.SetFile(reader.GetFile())
            writer.SetImage(change.GetOutput())
            writer.SetFileName(str(source))
            writer.Write()
            written[name] = source.read_bytes()
    return written


def _enhanced() -> Files:
    """One enhanced multi-frame CT with its functional groups (PS3.3 C.7.6.16)."""
    slices = sorted(_datasets().values(), key=lambda ds: float(ds.ImagePositionPatient[2]))
    whole = deepcopy(slices[0])
    whole.SOPClassUID = whole.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    whole.NumberOfFrames = len(slices)
    whole.PixelData = b"".join(ds.PixelData for ds in slices)
    measures, plane, rescale, shared = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = whole.PixelSpacing, whole.SliceThickness
    plane.ImageOrientationPatient = whole.ImageOrientationPatient
    rescale.RescaleSlope, rescale.RescaleIntercept, rescale.RescaleType = 1, 0, "HU"
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [plane]
    shared.PixelValueTransformationSequence = [rescale]
    whole.SharedFunctionalGroupsSequence = [shared]
    whole.PerFrameFunctionalGroupsSequence = [_frame(ds, n) for n, ds in enumerate(slices, start=1)]
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(whole, name)
    return {"enhanced.dcm": _saved(whole, UID("1.2.840.10008.1.2.1"))}


def _frame(one: Dataset, number: int) -> Dataset:
    groups, content, position = Dataset(), Dataset(), Dataset()
    content.StackID, content.InStackPositionNumber, content.DimensionIndexValues = "1", number, [1, number]
    position.ImagePositionPatient = one.ImagePositionPatient
    groups.FrameContentSequence, groups.PlanePositionSequence = [content], [position]
    return groups


def _mosaic() -> Files:
    """A Siemens mosaic of four slices: two by two tiles, with the CSA header that says where they lie."""
    slices = list(_datasets().values())
    whole = slices[0]
    # The position of a mosaic is that of an image of its size around the centre of the first slice.
    x, y, z = (float(mm) for mm in whole.ImagePositionPatient)
    whole.ImagePositionPatient = [x - _SPACING_MM[0] * _SHAPE[0] / 2, y - _SPACING_MM[1] * _SHAPE[1] / 2, z]
    tiles = [np.frombuffer(ds.PixelData, "<i2").reshape(ds.Rows, ds.Columns) for ds in slices]
    image = np.block([tiles[:2], tiles[2:]])
    whole.Rows, whole.Columns = image.shape
    whole.PixelData = image.tobytes()
    whole.Modality, whole.SpacingBetweenSlices = "MR", whole.SliceThickness
    whole.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    block = whole.private_block(0x29, "SIEMENS CSA HEADER", create=True)
    tags = {"NumberOfImagesInMosaic": ("US", ["4"]), "SliceNormalVector": ("FD", ["0", "0", "1"])}
    block.add_new(0x10, "OB", csa_header(tags))
    return {"mosaic.dcm": _saved(whole, UID("1.2.840.10008.1.2.1"))}


def csa_header(tags: dict[str, tuple[str, list[str]]]) -> bytes:
    """A CSA2 header; layout as in NiBabel's page "Siemens format DICOM with CSA header".

    Args:
        tags: Value representation and values by name.
    """
    written = b"SV10\4\3\2\1" + struct.pack("<2I", len(tags), 77)
    for name, (kind, items) in tags.items():
        written += struct.pack("<64si4s3i", name.encode(), len(items), kind.encode(), 0, len(items), 77)
        for item in items:
            text = item.encode() + b"\0"
            written += struct.pack("<4i", len(text), len(text), 77, len(text))
            written += text + b"\0" * (-len(text) % 4)
    return written


def _nifti(version: int = 1, *, endianness: str = "<", volumes: int = 1) -> bytes:
    kinds: Any = (nib.nifti1.Nifti1Image, nib.nifti2.Nifti2Image)  # nibabel has no annotations
    kind = kinds[version - 1]
    array = np.stack([phantom().array] * volumes, axis=-1) if volumes > 1 else phantom().array
    image = kind(array, phantom().affine, kind.header_class(endianness=endianness), dtype=np.int16)
    image.set_sform(phantom().affine, code=1)
    image.set_qform(phantom().affine, code=1)
    return bytes(image.to_bytes())


def _nrrd(*, compressed: bool) -> bytes:
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ phantom().affine
    axes = " ".join(f"({','.join(f'{x:g}' for x in affine[:3, n])})" for n in range(3))
    lines = (
        "NRRD0004", "type: short", "dimension: 3", "space: left-posterior-superior",
        f"sizes: {' '.join(map(str, _SHAPE))}", f"space directions: {axes}", "kinds: domain domain domain",
        "endian: little", f"encoding: {'gzip' if compressed else 'raw'}",
        f"space origin: ({','.join(f'{x:g}' for x in affine[:3, 3])})",
    )  # fmt: skip
    voxels = phantom().array.tobytes(order="F")
    return "\n".join(lines).encode() + b"\n\n" + (gzip.compress(voxels, mtime=0) if compressed else voxels)


def _mha() -> bytes:
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ phantom().affine
    directions = (affine[:3, :3] / _SPACING_MM).T.ravel()
    lines = (
        "ObjectType = Image", "NDims = 3", "BinaryData = True", "BinaryDataByteOrderMSB = False",
        "CompressedData = False", f"TransformMatrix = {' '.join(f'{x:g}' for x in directions)}",
        f"Offset = {' '.join(f'{x:g}' for x in affine[:3, 3])}", "CenterOfRotation = 0 0 0",
        f"ElementSpacing = {' '.join(map(str, _SPACING_MM))}", f"DimSize = {' '.join(map(str, _SHAPE))}",
        "ElementType = MET_SHORT", "ElementDataFile = LOCAL",
    )  # fmt: skip
    return "\n".join(lines).encode() + b"\n" + phantom().array.tobytes(order="F")


def zipped(files: Files) -> bytes:
    """Pack files into a zip archive; the same files give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


_SAMPLES: dict[str, Callable[[], Files]] = {
    "dicom-explicit": lambda: _dicom("explicit"),
    "dicom-implicit": lambda: _dicom("implicit"),
    "dicom-rle": lambda: _dicom("rle"),
    "dicom-jpeg-ls": lambda: _dicom("jpeg-ls"),
    "dicom-jpeg-2000": lambda: _dicom("jpeg-2000"),
    "dicom-jpeg": _jpeg,
    "dicom-big-endian": _big_endian,
    "dicom-deflated": _deflated,
    "dicom-enhanced": _enhanced,
    "dicom-mosaic": _mosaic,
    "nifti1": lambda: {"scan.nii": _nifti()},
    "nifti1-gz": lambda: {"scan.nii.gz": gzip.compress(_nifti(), mtime=0)},
    "nifti2": lambda: {"scan.nii": _nifti(2)},
    "nifti-big-endian": lambda: {"scan.nii": _nifti(endianness=">")},
    "nifti-4d-gz": lambda: {"scan.nii.gz": gzip.compress(_nifti(volumes=3), mtime=0)},
    "nrrd": lambda: {"scan.nrrd": _nrrd(compressed=False)},
    "nrrd-gz": lambda: {"scan.nrrd": _nrrd(compressed=True)},
    "mha": lambda: {"scan.mha": _mha()},
    "zip-dicom": lambda: {"scan.zip": zipped(sample("dicom-explicit"))},
    "zip-nifti": lambda: {"scan.zip": zipped(sample("nifti1-gz"))},
}
