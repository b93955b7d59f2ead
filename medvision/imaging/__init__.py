"""One patient's voxels in patient space: DICOM and NIfTI in, NIfTI and masks out, geometry in between.

Everything is loaded on first use: checking the headers of a cohort needs no SciPy.

Example:
    >>> from medvision.imaging import Geometry
    >>> Geometry((2, 2, 2), [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1]]).spacing_mm
    (1.0, 1.0, 3.0)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medvision.imaging.content import content_hash as content_hash
    from medvision.imaging.geometry import Geometry as Geometry
    from medvision.imaging.label_volume import Mask as Mask
    from medvision.imaging.load import ImageHeader as ImageHeader
    from medvision.imaging.load import inspect as inspect
    from medvision.imaging.load import load_volume as load_volume
    from medvision.imaging.load import load_volumes as load_volumes
    from medvision.imaging.masks import check_mask as check_mask
    from medvision.imaging.masks import load_mask as load_mask
    from medvision.imaging.masks import load_mask_stack as load_mask_stack
    from medvision.imaging.nifti_writing import save_nifti as save_nifti
    from medvision.imaging.options import Reading as Reading
    from medvision.imaging.options import ReadingOptions as ReadingOptions
    from medvision.imaging.resampling import reorient as reorient
    from medvision.imaging.resampling import resample as resample
    from medvision.imaging.resampling import resample_array as resample_array
    from medvision.imaging.resampling import resample_to as resample_to
    from medvision.imaging.same_grid import check_same_grid as check_same_grid
    from medvision.imaging.seg_writing import save_seg as save_seg
    from medvision.imaging.segments import Code as Code
    from medvision.imaging.segments import Segment as Segment
    from medvision.imaging.volume import Provenance as Provenance
    from medvision.imaging.volume import Volume as Volume

_HOME = {
    "Code": "segments",
    "Geometry": "geometry",
    "ImageHeader": "load",
    "Mask": "label_volume",
    "Provenance": "volume",
    "Reading": "options",
    "ReadingOptions": "options",
    "Segment": "segments",
    "Volume": "volume",
    "check_mask": "masks",
    "check_same_grid": "same_grid",
    "content_hash": "content",
    "inspect": "load",
    "load_mask": "masks",
    "load_mask_stack": "masks",
    "load_volume": "load",
    "load_volumes": "load",
    "reorient": "resampling",
    "resample": "resampling",
    "resample_array": "resampling",
    "resample_to": "resampling",
    "save_nifti": "nifti_writing",
    "save_seg": "seg_writing",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
