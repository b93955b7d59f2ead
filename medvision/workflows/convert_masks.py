"""Convert masks: DICOM SEG and RTSTRUCT to NIfTI in their scan's grid, and labels to DICOM SEG."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Unpack, cast

from medvision.errors import MedvisionError
from medvision.imaging import Mask, inspect, load_mask, save_nifti, save_seg
from medvision.imaging.archive import opened
from medvision.imaging.dicom_seg import SEG_CLASSES
from medvision.imaging.files import Source
from medvision.imaging.masks import dicom_kind
from medvision.imaging.nifti import is_nifti
from medvision.imaging.options import ReadingOptions
from medvision.imaging.rtstruct import RTSTRUCT_CLASS
from medvision.imaging.seg_writing import Algorithm
from medvision.imaging.segments import Overlap
from medvision.runs import atomic_write
from medvision.workflows.convert import beside, refuse_present, write_errors


def convert_mask(
    source: Source,
    out: str | Path,
    *,
    reference: Source,
    segments: str | None = None,
    threshold: float | None = None,
    overlap: Overlap = "refuse",
    allow_other_series: bool = False,
    algorithm: str | None = None,
    sidecar: bool = False,
    overwrite: bool = False,
    **options: Unpack[ReadingOptions],
) -> Path:
    """Write a mask in the grid of the scan to which it belongs.

    Args:
        source: A DICOM SEG, an RTSTRUCT or a NIfTI; a zip of one will do.
        out: ``.nii`` or ``.nii.gz`` for NIfTI, any other name for a DICOM SEG.
        reference: The scan on which the mask lies, or a zip of it; for a SEG its DICOM series.
        segments: Structures as ``value:name``, such as ``1:liver,2:tumour``; a name of digits is a segment
            or ROI number. By default all; a NIfTI that becomes a SEG needs the names.
        threshold: A voxel of a fractional segmentation belongs from this fraction on.
        overlap: ``"refuse"`` structures that share voxels, or give these to the ``"first"`` named.
        allow_other_series: Accept a mask of another series in the same frame of reference.
        algorithm: How the structures of a SEG were outlined: ``manual``, ``semiautomatic:NAME`` or
            ``automatic:NAME``.
        sidecar: Also write the names and codes of a NIfTI's values as ``.json`` beside it.
        overwrite: Replace files that are there.
        options: What to do where the reference leaves a choice, such as ``series_uid``; see
            :class:`medvision.imaging.Reading`.

    Returns:
        The path.

    Raises:
        MedvisionError: A file is there already, the mask cannot be placed or written (see ``load_mask``
            and ``save_seg``), or a sidecar is asked for beside a SEG.

    Example:
        >>> import tempfile, numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     mask = save_nifti(f"{folder}/a.nii", np.ones((2, 2, 2), "u1"), np.eye(4))
        ...     convert_mask(mask, f"{folder}/b.nii.gz", reference=mask).name
        'b.nii.gz'
    """
    out = Path(out)
    if sidecar and not is_nifti(out):
        raise MedvisionError(f"{out}: a DICOM SEG names its segments itself; --sidecar goes with a NIfTI")
    refuse_present([out, beside(out, "json")] if sidecar else [out], overwrite=overwrite)
    how, name = _algorithm(algorithm)
    with opened(source) as inside, opened(reference) as scan:
        mask = load_mask(
            inside,
            inspect(scan, **options),
            labels=parse_segments(segments) if segments else None,
            fractional_threshold=threshold,
            overlap=overlap,
            allow_other_series=allow_other_series,
        )
        with write_errors(out):
            if not is_nifti(out):
                return save_seg(out, mask, scan, algorithm=how, algorithm_name=name, **options)
            save_nifti(out, mask.array, mask.geometry)
    if sidecar:
        atomic_write(
            beside(out, "json"), json.dumps(describe_mask(mask), indent=2, ensure_ascii=False) + "\n"
        )
    return out


def parse_segments(text: str) -> dict[str | int, int]:
    """Read structures as ``value:name``.

    Raises:
        MedvisionError: Something else is written.

    Example:
        >>> parse_segments("1:liver,2:7")
        {'liver': 1, 7: 2}
    """
    found: dict[str | int, int] = {}
    for part in text.split(","):
        value, _, name = (word.strip() for word in part.partition(":"))
        if not value.isdigit() or int(value) == 0 or not name:
            raise MedvisionError(
                f"--segments {text}: name the structures as value:name, such as 1:liver,2:tumour, or as "
                f"value:number, such as 1:7"
            )
        found[int(name) if name.isdigit() else name] = int(value)
    return found


def describe_mask(mask: Mask) -> dict[str, Any]:
    """What a sidecar says of the values: the name, number and code of each."""
    return {
        "labels": {
            str(value): {
                "name": segment.label,
                "number": segment.number,
                "type": None if segment.type is None else segment.type._asdict(),
            }
            for value, segment in sorted(mask.segments.items())
        }
    }


def refuse_lone_mask(source: Path) -> None:
    """Say what a DICOM mask needs that was given as a scan.

    Raises:
        MedvisionError: It is a DICOM SEG or an RTSTRUCT.
    """
    if source.is_file() and dicom_kind(source) in (*SEG_CLASSES, RTSTRUCT_CLASS):
        raise MedvisionError(
            f"{source}: a mask, which is placed in the grid of its scan; name that scan with --reference"
        )


def _algorithm(text: str | None) -> tuple[Algorithm | None, str]:
    how, _, name = (text or "").partition(":")
    if text and how.upper() not in ("MANUAL", "SEMIAUTOMATIC", "AUTOMATIC"):
        raise MedvisionError(
            f"--algorithm {text}: say how the structures were outlined, as manual, semiautomatic:NAME or "
            f"automatic:NAME"
        )
    return (cast("Algorithm", how.upper()) if text else None), name
