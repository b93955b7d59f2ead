"""Convert a DICOM series to NIfTI, or refuse it with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Unpack

from medvision.errors import MedvisionError
from medvision.imaging.files import Source
from medvision.imaging.load import load_volume
from medvision.imaging.nifti_writing import save_nifti
from medvision.imaging.options import ReadingOptions
from medvision.imaging.volume import Volume
from medvision.runs import atomic_path

_ACQUISITION = {
    "manufacturer": "Manufacturer",
    "model": "ManufacturerModelName",
    "body_part": "BodyPartExamined",
    "protocol": "ProtocolName",
    "slice_thickness_mm": "SliceThickness",
    "tube_voltage_kv": "KVP",
    "tube_current_ma": "XRayTubeCurrent",
    "convolution_kernel": "ConvolutionKernel",
    "contrast_agent": "ContrastBolusAgent",
    "magnetic_field_t": "MagneticFieldStrength",
    "repetition_time_ms": "RepetitionTime",
    "echo_time_ms": "EchoTime",
    "inversion_time_ms": "InversionTime",
    "flip_angle_deg": "FlipAngle",
}


def convert(
    series: Source,
    out: str | Path,
    *,
    sidecar: bool = False,
    overwrite: bool = False,
    **options: Unpack[ReadingOptions],
) -> Path:
    """Write a scan as NIfTI: rescaled values, sform and qform in RAS+ mm, equal bytes on every day.

    Args:
        series: A folder with one series, a file, or the files of a series; see ``load_volume``.
        out: The ``.nii`` or ``.nii.gz`` to write.
        sidecar: Also write ``.json`` beside it: geometry, acquisition, PatientID and SeriesInstanceUID;
            no name and no date.
        overwrite: Replace files that are there.
        options: What to do where the files leave a choice, such as ``on_gap="fill"``; see
            :class:`medvision.imaging.Reading`.

    Returns:
        The NIfTI's path.

    Raises:
        MedvisionError: A file is there already, or ``out`` is not named as NIfTI.
        SeriesError: The files are not one complete scan.

    Example:
        >>> import tempfile, numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     scan = save_nifti(f"{folder}/a.nii", np.zeros((2, 2, 2), "i2"), np.eye(4))
        ...     convert(scan, f"{folder}/b.nii.gz").name
        'b.nii.gz'
    """
    out = Path(out)
    beside = _sidecar_path(out)
    present = [str(p) for p in (out, beside)[: 2 if sidecar else 1] if p.exists()]
    if present and not overwrite:
        raise MedvisionError(f"{' and '.join(present)} is there already; pass overwrite to replace it")
    volume = load_volume(series, **options)
    save_nifti(out, volume.array, volume.geometry)
    if sidecar:
        with atomic_path(beside) as temporary:
            text = json.dumps(describe(volume), indent=2, ensure_ascii=False)
            temporary.write_text(text + "\n", encoding="utf-8")
    return out


def describe(volume: Volume) -> dict[str, Any]:
    """What a sidecar says of a scan: geometry, acquisition, where it came from; no name and no date."""
    origin = volume.provenance
    described: dict[str, Any] = {
        "modality": volume.modality,
        "shape": list(volume.shape),
        "spacing_mm": [round(mm, 6) for mm in volume.spacing_mm],
        "orientation": volume.geometry.axcodes,
        "patient_id": origin.patient_id,
        "series_uid": origin.series_uid,
        "series_description": origin.description,
        "files": len(origin.files),
    }
    return described | (_acquisition(origin.files[0]) if origin.series_uid else {})


def _acquisition(file: Path) -> dict[str, Any]:
    from pydicom import dcmread
    from pydicom.config import disable_value_validation

    with disable_value_validation():
        dataset = dcmread(file, stop_before_pixels=True, force=True)
        found = {name: dataset.get(keyword) for name, keyword in _ACQUISITION.items()}
        return {
            name: float(value) if isinstance(value, int | float) else str(value)
            for name, value in found.items()
            if value not in (None, "")
        }


def _sidecar_path(out: Path) -> Path:
    name = out.name.removesuffix(".gz").removesuffix(".nii")
    return out.with_name(f"{name}.json")
