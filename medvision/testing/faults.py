"""Break a written scan in one chosen way, as exports, archives and people break them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import numpy as np

from medvision.errors import MedvisionError
from medvision.testing.burning import burn_text
from medvision.testing.nifti_faults import break_nifti
from medvision.testing.removal import delete
from medvision.testing.series_faults import SERIES_FAULTS, change_pixels, read_series

DicomFault = Literal[
    "missing_slice",
    "duplicated_position",
    "uneven_positions",
    "mixed_series",
    "mixed_spacing",
    "mixed_orientation",
    "mixed_shape",
    "gantry_tilt",
    "missing_position",
    "wrong_patient",
    "truncated_file",
    "not_dicom",
    "stray_file",
    "burned_in_label",
    "constant_image",
    "missing_file",
]
NiftiFault = Literal[
    "nan",
    "constant_image",
    "mask_shape",
    "mask_affine",
    "mask_values",
    "empty_mask",
    "truncated_file",
    "missing_file",
]
Fault = DicomFault | NiftiFault


def apply_fault(
    path: str | Path, fault: Fault, *, seed: int = 0, text: str = "MALIGNANT"
) -> tuple[Path, ...]:
    """Break a DICOM series (a folder) or a NIfTI file in place.

    For a folder:

    - ``missing_slice``: one inner slice is deleted.
    - ``duplicated_position``: one inner slice is there twice, under two SOPInstanceUIDs.
    - ``uneven_positions``: one inner slice is moved by 0.4 of the slice distance.
    - ``mixed_series``: every other slice once more, as a second series of the same study.
    - ``mixed_spacing``: the last third has pixels 1.25 times as large.
    - ``mixed_orientation``: the last third is turned by 90°.
    - ``mixed_shape``: one inner slice has half the rows.
    - ``gantry_tilt``: slices tilted by 15° while the table moved straight on.
    - ``missing_position``: one inner slice has no ImagePositionPatient.
    - ``wrong_patient``: one inner slice names another patient.
    - ``truncated_file``: one file stops after 60 % of its bytes.
    - ``not_dicom``: one file is a web page that says that the log-in has expired.
    - ``stray_file``: a thumbnail database lies beside the slices; harmless.
    - ``burned_in_label``: ``text`` is written into the pixels of every slice.
    - ``constant_image``: all pixels have one value.
    - ``missing_file``: the folder is deleted.

    For a NIfTI file: ``nan`` (a block of not-a-numbers), ``constant_image``, ``mask_shape`` (the last slice
    is cut off), ``mask_affine`` (shifted by 5 mm), ``mask_values`` (half of the mask becomes 7),
    ``empty_mask``, ``truncated_file``, ``missing_file``.

    Args:
        path: The series' folder, or the NIfTI file.
        fault: Which one.
        seed: Chooses the slice.
        text: What ``burned_in_label`` writes; letters A to Z.

    Returns:
        The files that were changed, added or deleted.

    Raises:
        MedvisionError: A path that does not exist, a fault of the other kind of file, or too few slices.

    Example:
        >>> import tempfile
        >>> from medvision.testing import apply_fault, thorax_phantom, write_dicom_series
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = write_dicom_series(thorax_phantom(1, shape=(48, 48, 16), lesions=1), folder)
        ...     (deleted,) = apply_fault(folder, "missing_slice")
        ...     deleted.exists()
        False
    """
    path = Path(path)
    known = get_args(DicomFault if path.is_dir() else NiftiFault)
    if not path.exists():
        raise MedvisionError(f"{path} does not exist: write the series before breaking it")
    if fault not in known:
        kind = "a DICOM series" if path.is_dir() else "a NIfTI file"
        raise MedvisionError(f"{fault!r} is no fault of {kind}; choose one of {', '.join(known)}")
    if fault == "missing_file":
        return delete(path)
    if path.is_file():
        return break_nifti(path, fault)
    if fault == "burned_in_label":
        return change_pixels(path, lambda pixels, high: burn_text(pixels, text, high))
    if fault == "constant_image":
        return change_pixels(path, lambda pixels, high: np.zeros_like(pixels))
    return SERIES_FAULTS[fault](read_series(path), np.random.default_rng(seed))
