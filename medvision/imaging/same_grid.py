"""Whether an image and its mask lie on one grid."""

from __future__ import annotations

from typing import Protocol

from medvision.errors import GeometryError
from medvision.imaging.geometry import Geometry, times


class HasGeometry(Protocol):
    """Anything with a geometry, such as a Volume or an ImageHeader."""

    @property
    def geometry(self) -> Geometry:
        """Shape and affine, → RAS+ mm."""
        ...


def check_same_grid(
    image: HasGeometry | Geometry,
    mask: HasGeometry | Geometry,
    *,
    tolerance_mm: float = 0.01,
    image_name: str = "image",
    mask_name: str = "mask",
) -> None:
    """Refuse two volumes whose voxels do not lie in the same places.

    Args:
        image: A :class:`~medvision.imaging.volume.Volume` or a :class:`Geometry`.
        mask: The other one, such as the image's segmentation.
        tolerance_mm: How far apart the same voxel may lie in the two.
        image_name: What an error calls the image, such as its file.
        mask_name: What an error calls the mask.

    Raises:
        GeometryError: The shapes or affines differ; says which, by how many mm, and what to do.

    Example:
        >>> import numpy as np
        >>> check_same_grid(Geometry((9, 9, 9), np.eye(4)), Geometry((9, 9, 8), np.eye(4)))
        Traceback (most recent call last):
        medvision.errors.GeometryError: image and mask differ: shape 9×9×9 against 9×9×8; ...
    """
    first, second = as_geometry(image), as_geometry(mask)
    if first.shape == second.shape and first.distance_mm(second) <= tolerance_mm:
        return
    turned = second.reoriented(first.axcodes)
    if turned.shape == first.shape and first.distance_mm(turned) <= tolerance_mm:
        raise GeometryError(
            f"{image_name} and {mask_name} lie in the same place but are stored in different order, "
            f"{first.axcodes} against {second.axcodes}; use reorient(mask, {first.axcodes!r})"
        )
    if first.shape != second.shape:
        found = f"shape {times(first.shape)} against {times(second.shape)}"
    else:
        found = f"the same voxel lies up to {first.distance_mm(second):.3g} mm apart"
    raise GeometryError(
        f"{image_name} and {mask_name} differ: {found}; use the mask that was drawn on this image, "
        f"or resample_to(mask, image.geometry, order='nearest') if both are right"
    )


def as_geometry(volume: HasGeometry | Geometry) -> Geometry:
    """The geometry of a volume, or the geometry itself."""
    return volume if isinstance(volume, Geometry) else volume.geometry
