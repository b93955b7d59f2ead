"""Break a NIfTI file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from medvision.testing.nifti import save_nifti
from medvision.testing.removal import truncate


def break_nifti(path: Path, fault: str) -> tuple[Path, ...]:
    """Break an image or a mask in place; see `apply_fault` for the names of the faults."""
    if fault == "truncated_file":
        return truncate(path)
    image: Any = nib.load(path)
    array, affine = np.asarray(image.dataobj).copy(), image.affine.copy()
    if fault == "nan":
        array = array.astype(np.float32)
        array[tuple(slice(n // 3, n // 2 + 1) for n in array.shape)] = np.nan
    elif fault == "constant_image":
        array[:] = 0
    elif fault == "mask_shape":
        array = array[..., :-1]
    elif fault == "mask_affine":
        affine[:3, 3] += 5.0
    elif fault == "empty_mask":
        array[:] = 0
    elif fault == "mask_values":
        inside = np.argwhere(array)
        array[tuple(inside[: max(1, len(inside) // 2)].T)] = 7
    return (save_nifti(array, affine, path),)
