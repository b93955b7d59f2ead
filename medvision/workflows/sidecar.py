"""What a DICOM header says of an acquisition, in the words and units of BIDS.

Names and units are those of the Brain Imaging Data Structure (times in seconds, angles in degrees), values
those that dcm2niix writes under the same names. No name, no date, no identifier unless it is asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from medvision.imaging.volume import Volume

if TYPE_CHECKING:
    from pydicom import Dataset

_AS_THEY_ARE = {
    "BodyPart": "BodyPartExamined",
    "PatientPosition": "PatientPosition",
    "ManufacturersModelName": "ManufacturerModelName",
    "SoftwareVersions": "SoftwareVersions",
    "MagneticFieldStrength": "MagneticFieldStrength",
    "ImagingFrequency": "ImagingFrequency",
    "MRAcquisitionType": "MRAcquisitionType",
    "SeriesDescription": "SeriesDescription",
    "ProtocolName": "ProtocolName",
    "ScanningSequence": "ScanningSequence",
    "SequenceVariant": "SequenceVariant",
    "ScanOptions": "ScanOptions",
    "SequenceName": "SequenceName",
    "SeriesNumber": "SeriesNumber",
    "AcquisitionNumber": "AcquisitionNumber",
    "SliceThickness": "SliceThickness",
    "SpacingBetweenSlices": "SpacingBetweenSlices",
    "SAR": "SAR",
    "FlipAngle": "FlipAngle",
    "EchoTrainLength": "EchoTrainLength",
    "PixelBandwidth": "PixelBandwidth",
    "ConvolutionKernel": "ConvolutionKernel",
    "KVP": "KVP",
    "XRayTubeCurrent": "XRayTubeCurrent",
    "ContrastBolusAgent": "ContrastBolusAgent",
}
_MILLISECONDS = {"EchoTime": "EchoTime", "RepetitionTime": "RepetitionTime", "InversionTime": "InversionTime"}
_IDENTIFIERS = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID")
_MAKERS = ("Siemens", "GE", "Philips", "Toshiba", "Canon", "Hitachi", "UIH", "Bruker")


def describe(volume: Volume, *, show_patient: bool = False) -> dict[str, Any]:
    """Describe a scan: its grid, and for DICOM its acquisition.

    Args:
        volume: A scan whose files are still where they were read.
        show_patient: Also give PatientID and the UIDs of study and series.

    Returns:
        Values by name, such as ``{"Modality": "MR", "EchoTime": 0.0095, …}``; EchoTime, RepetitionTime and
        InversionTime in seconds, FlipAngle in degrees, lengths in mm, MagneticFieldStrength in tesla.
    """
    from medvision.workflows.record import versions

    origin = volume.provenance
    described: dict[str, Any] = {
        "Modality": volume.modality,
        "Shape": list(volume.shape),
        "SpacingMillimetres": [round(mm, 6) for mm in volume.spacing_mm],
        "Orientation": volume.geometry.axcodes,
        "SourceFileCount": len(origin.files),
        "ConversionSoftware": "medvision",
        "ConversionSoftwareVersion": versions()["medvision"],
    }
    return described | (_acquisition(origin.files[0], show_patient) if origin.series_uid else {})


def _acquisition(file: Path, show_patient: bool) -> dict[str, Any]:
    from pydicom import dcmread
    from pydicom.config import disable_value_validation

    with disable_value_validation():
        dataset = dcmread(file, stop_before_pixels=True, force=True)
        found: dict[str, Any] = {"Manufacturer": _maker(str(_value(dataset, "Manufacturer") or ""))}
        found |= {name: _value(dataset, keyword) for name, keyword in _AS_THEY_ARE.items()}
        for name, keyword in _MILLISECONDS.items():
            if isinstance(milliseconds := _value(dataset, keyword), int | float):
                found[name] = round(milliseconds / 1000, 9)
        if show_patient:
            found |= {keyword: _value(dataset, keyword) for keyword in _IDENTIFIERS}
    return {name: value for name, value in found.items() if value not in (None, "")}


def _value(dataset: Dataset, keyword: str) -> float | str | None:
    """An element as JSON has it: a number, or text with DICOM's backslash between several values."""
    from pydicom.multival import MultiValue

    value = dataset.get(keyword)
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        if value is None and name in dataset:
            value = _in_groups(dataset[name].value[0], keyword)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return float(value)
    return "\\".join(str(one) for one in value) if isinstance(value, MultiValue) else str(value)


def _in_groups(groups: Dataset, keyword: str) -> Any:  # noqa: ANN401 (any DICOM value)
    """An element of an enhanced multi-frame object: it stands in one of the functional groups."""
    for element in groups:
        if element.VR == "SQ" and element.value and keyword in element.value[0]:
            return element.value[0].get(keyword)
    return None


def _maker(name: str) -> str:
    """The maker's short name, as dcm2niix writes it; others as they stand."""
    short = (maker for maker in _MAKERS if name.upper().startswith(maker.upper()))
    return next(short, name)
