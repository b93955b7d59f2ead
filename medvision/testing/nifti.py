"""Write a phantom's image or mask as NIfTI, in the geometry of its own DICOM series."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import nibabel as nib
import numpy as np
import numpy.typing as npt

from medvision.testing.phantom import Phantom


def write_nifti(
    phantom: Phantom,
    path: str | Path,
    *,
    what: Literal["image", "mask"] = "image",
    structure: int | None = None,
) -> Path:
    """Write an image (int16) or a mask (uint8); the same phantom gives the same bytes.

    Args:
        phantom: What to write.
        path: Ends in ``.nii`` or ``.nii.gz``; folders are made.
        what: The intensities, or the mask.
        structure: Of a mask, only this value, written as 1; by default all values as they are.

    Example:
        >>> import tempfile
        >>> from medvision.testing import thorax_phantom, write_nifti
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_nifti(thorax_phantom(1, shape=(48, 48, 16), lesions=1), f"{folder}/ct.nii.gz").name
        'ct.nii.gz'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    array: npt.NDArray[np.generic] = phantom.array if what == "image" else phantom.mask
    if what == "mask" and structure is not None:
        array = (phantom.mask == structure).astype(np.uint8)
    return save_nifti(array, phantom.affine, path)


def save_nifti(array: npt.NDArray[np.generic], affine: npt.NDArray[np.float64], path: Path) -> Path:
    """Write an array (i, j, k) with its affine (index to RAS+ mm) as both sform and qform."""
    nifti1: Any = nib.nifti1  # nibabel has no annotations
    image = nifti1.Nifti1Image(array, affine)
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner")
    image.header.set_xyzt_units("mm", "sec")
    nifti1.save(image, path)
    return path
