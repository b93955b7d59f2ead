"""Convert a scan of any format that is read to NIfTI, or refuse it with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Unpack

from medvision.errors import MedvisionError
from medvision.imaging.archive import opened
from medvision.imaging.files import Source
from medvision.imaging.load import load_volume
from medvision.imaging.nifti_writing import save_nifti
from medvision.imaging.options import ReadingOptions
from medvision.runs import atomic_write
from medvision.workflows.sidecar import describe


def convert(
    series: Source,
    out: str | Path,
    *,
    sidecar: bool = False,
    overwrite: bool = False,
    show_patient: bool = False,
    **options: Unpack[ReadingOptions],
) -> Path:
    """Write a scan as NIfTI: rescaled values, sform and qform in RAS+ mm, equal bytes on every day.

    Args:
        series: A folder with one series, a file (DICOM, NIfTI, NRRD, MetaImage), a zip of these, or the
            files of a series; see ``load_volume``.
        out: The ``.nii`` or ``.nii.gz`` to write.
        sidecar: Also write ``.json`` beside it, with BIDS' names and units: grid and acquisition; no name,
            no date, no identifier.
        overwrite: Replace files that are there.
        show_patient: Let the sidecar also hold PatientID and the UIDs of study and series.
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
    with opened(series) as inside:
        volume = load_volume(inside, **options)
        described = describe(volume, show_patient=show_patient) if sidecar else {}
    save_nifti(out, volume.array, volume.geometry)
    if sidecar:
        atomic_write(beside, json.dumps(described, indent=2, ensure_ascii=False) + "\n")
    return out


def _sidecar_path(out: Path) -> Path:
    name = out.name.removesuffix(".gz").removesuffix(".nii")
    return out.with_name(f"{name}.json")
