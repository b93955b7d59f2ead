"""Write contours as an RTSTRUCT that refers to a DICOM series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, ExplicitVRLittleEndian, RTStructureSetStorage
from pydicom.valuerep import format_number_as_ds

from medvision.testing.dicom_header import uid_of


def write_rtstruct(
    path: str | Path,
    images: Sequence[Path],
    structures: Mapping[str, Sequence[npt.ArrayLike]],
    *,
    kind: str = "CLOSED_PLANAR",
) -> Path:
    """Write one structure set; the same arguments give the same bytes.

    Args:
        path: The file.
        images: The files of the series on which the contours are drawn.
        structures: Contours of each structure by name: corners in RAS+ mm, (n, 3) each. The structures
            are numbered from 1.
        kind: ContourGeometricType of all contours.

    Returns:
        The path.

    Example:
        >>> import tempfile
        >>> from medvision.testing import thorax_phantom, write_dicom_series
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     files = write_dicom_series(thorax_phantom(1, shape=(48, 48, 16), lesions=1), folder + "/ct")
        ...     square = [[0, 0, 0], [9, 0, 0], [9, 9, 0], [0, 9, 0]]
        ...     write_rtstruct(folder + "/rs.dcm", files, {"GTV": [square]}).name
        'rs.dcm'
    """
    path = Path(path)
    heads = [dcmread(file, stop_before_pixels=True) for file in images]
    dataset = _header(heads[0], str(sorted(structures)))
    dataset.ReferencedFrameOfReferenceSequence = [_references(heads)]
    dataset.StructureSetROISequence, dataset.ROIContourSequence = [], []
    dataset.RTROIObservationsSequence = []
    for number, (name, contours) in enumerate(structures.items(), start=1):
        dataset.StructureSetROISequence.append(
            _item(
                ROINumber=number,
                ReferencedFrameOfReferenceUID=heads[0].FrameOfReferenceUID,
                ROIName=name,
                ROIGenerationAlgorithm="MANUAL",
            )
        )
        drawn = [_contour(np.asarray(points, dtype=np.float64), kind) for points in contours]
        dataset.ROIContourSequence.append(_item(ReferencedROINumber=number, ContourSequence=drawn))
        dataset.RTROIObservationsSequence.append(
            _item(
                ObservationNumber=number,
                ReferencedROINumber=number,
                RTROIInterpretedType="",
                ROIInterpreter="",
            )
        )
    dataset.save_as(path, enforce_file_format=True)
    return path


def _header(image: Dataset, content: str) -> Dataset:
    dataset = _item(
        SOPClassUID=RTStructureSetStorage,
        SOPInstanceUID=uid_of(image.SeriesInstanceUID, "rtstruct", content),
        SeriesInstanceUID=uid_of(image.SeriesInstanceUID, "rtstruct series"),
        StudyInstanceUID=image.get("StudyInstanceUID", uid_of(image.SeriesInstanceUID, "study")),
        FrameOfReferenceUID=image.FrameOfReferenceUID,
        Modality="RTSTRUCT",
        PatientName=image.get("PatientName", ""),
        PatientID=image.get("PatientID", ""),
        Manufacturer="medvision.testing",
        StructureSetLabel="Phantom",
        StructureSetDate=image.get("StudyDate", ""),
        StructureSetTime=image.get("StudyTime", ""),
    )
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def _references(heads: Sequence[Dataset]) -> Dataset:
    images = [
        _item(ReferencedSOPClassUID=head.SOPClassUID, ReferencedSOPInstanceUID=head.SOPInstanceUID)
        for head in heads
    ]
    series = _item(SeriesInstanceUID=heads[0].SeriesInstanceUID, ContourImageSequence=images)
    study = _item(RTReferencedSeriesSequence=[series])
    return _item(FrameOfReferenceUID=heads[0].FrameOfReferenceUID, RTReferencedStudySequence=[study])


def _contour(points: npt.NDArray[np.float64], kind: str) -> Dataset:
    lps = points * [-1.0, -1.0, 1.0]
    return _item(
        ContourGeometricType=kind,
        NumberOfContourPoints=len(points),
        ContourData=[format_number_as_ds(float(value)) for value in lps.ravel() + 0.0],
    )


def _item(**elements: object) -> Dataset:
    item = Dataset()
    for name, value in elements.items():
        setattr(item, name, value)
    return item
