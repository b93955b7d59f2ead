"""One patient's voxels in patient space, where they came from, and what a radiologist would call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medvision.errors import GeometryError
from medvision.imaging.geometry import FloatArray, Geometry, times

_PLANES = ("sagittal", "coronal", "axial")
_OBLIQUE_DEGREES = 5.0
RESCALED = "RescaleSlope and RescaleIntercept"
"""What `Provenance.values` says of values on the modality's own scale; Hounsfield units in CT."""


@dataclass(frozen=True)
class Provenance:
    """Which files a volume was read from.

    Attributes:
        files: The files, in slice order for DICOM.
        patient_id: DICOM PatientID, or "" where the format has none.
        series_uid: DICOM SeriesInstanceUID, or "".
        description: DICOM SeriesDescription, or "".
        values: What the values are, such as ``"RescaleSlope and RescaleIntercept"``, with their unit where
            RescaleType states another one than Hounsfield units, or ``"stored values"``;
            "" where the format has one answer only.
        keys: What all slices of a DICOM volume share of the fields that may tell volumes apart, by keyword.
        notes: What was done to the slices because the caller asked for it.
        frame_of_reference_uid: DICOM FrameOfReferenceUID, or "".
        instance_uids: DICOM SOPInstanceUIDs of the files, in their order.
    """

    files: tuple[Path, ...] = ()
    patient_id: str = ""
    series_uid: str = ""
    description: str = ""
    values: str = ""
    keys: Mapping[str, tuple[float | str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    frame_of_reference_uid: str = ""
    instance_uids: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Volume:
    """An immutable array of voxels and where they lie.

    Attributes:
        array: Voxels indexed (i, j, k), read-only. A writable array is copied.
        geometry: Shape and affine, (i, j, k) → RAS+ mm.
        modality: DICOM's letters (``"CT"``, ``"MR"``, …), or "" where the format does not say.
        provenance: The files.

    Raises:
        GeometryError: The array's shape is not the geometry's.

    Example:
        >>> grid = Geometry((4, 4, 2), np.diag([-0.7, -0.7, 1.25, 1.0]))
        >>> Volume(np.arange(32, dtype="i2").reshape(4, 4, 2) - 5, grid, modality="CT")
        CT 4×4×2 · 0.70×0.70×1.25 mm · axial · HU −5…26
    """

    array: npt.NDArray[Any]
    geometry: Geometry
    modality: str = ""
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        array = np.asarray(self.array)
        if array.shape != self.geometry.shape:
            raise GeometryError(f"array of shape {array.shape} on a grid of shape {self.geometry.shape}")
        if array.flags.writeable:
            array = array.copy(order="K")
            array.setflags(write=False)
        object.__setattr__(self, "array", array)

    @property
    def affine(self) -> FloatArray:
        """4×4, (i, j, k) → RAS+ mm."""
        return self.geometry.affine

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along (i, j, k) in mm."""
        return self.geometry.spacing_mm

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along (i, j, k)."""
        return self.geometry.shape

    def with_voxels(self, array: npt.NDArray[Any], geometry: Geometry | None = None) -> Volume:
        """The same scan with other voxels, on another grid where one is given.

        Example:
            >>> scan = Volume(np.ones((2, 2, 2)), Geometry((2, 2, 2), np.eye(4)), modality="MR")
            >>> scan.with_voxels(scan.array * 3)
            MR 2×2×2 · 1.00×1.00×1.00 mm · axial · values 3…3
        """
        return replace(self, array=array, geometry=geometry or self.geometry)

    def __repr__(self) -> str:
        hounsfield = self.modality == "CT" and self.provenance.values in ("", RESCALED)
        unit = "HU" if hounsfield else "values"
        parts = (
            f"{self.modality or 'image'} {times(self.shape)}",
            f"{times(self.spacing_mm)} mm",
            plane(self.geometry),
            f"{unit} {_value_range(self.array)}",
        )
        return " · ".join(parts)


def plane(geometry: Geometry) -> str:
    """Name the plane of the slices: axial, coronal or sagittal; "oblique …" from 5° on.

    Slices usually lie across k. Where two axes have the same spacing and the third is coarser (within
    1%), they lie across the third: sagittal slices stay sagittal when their axes are reordered.

    Example:
        >>> plane(Geometry((9, 9, 9), np.diag([1.0, 3.0, 1.0, 1.0])))
        'coronal'
    """
    fine, middle, coarse = np.argsort(geometry.spacing_mm)
    mm = geometry.spacing_mm
    across = int(coarse) if mm[middle] < 1.01 * mm[fine] and mm[coarse] > 1.01 * mm[middle] else 2
    # The normal of the plane of the other two axes: under a gantry tilt the axis itself leans.
    normal = np.cross(*np.delete(geometry.directions, across, axis=1).T)
    cosines = np.abs(normal) / np.linalg.norm(normal)
    nearest = int(cosines.argmax())
    oblique = cosines[nearest] < np.cos(np.deg2rad(_OBLIQUE_DEGREES))
    return f"oblique {_PLANES[nearest]}" if oblique else _PLANES[nearest]


def _value_range(array: npt.NDArray[Any]) -> str:
    if array.dtype.kind == "f":
        array = array[np.isfinite(array)]
    if array.size == 0:
        return "not finite"
    return "…".join(_number(value) for value in (array.min(), array.max()))


def _number(value: Any) -> str:  # noqa: ANN401 (any NumPy scalar)
    text = f"{float(value):.4g}" if isinstance(value, np.floating) else f"{int(value)}"
    return text.replace("-", "−")
