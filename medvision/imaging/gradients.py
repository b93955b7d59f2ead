"""b-values and gradient directions of the volumes of a diffusion series, as tractography tools want them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medvision.imaging.geometry import FloatArray
from medvision.imaging.volume import Volume

_LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])


def b_values(volumes: Sequence[Volume]) -> FloatArray | None:
    """The b-value of each volume in s/mm², (n,); None where one has none.

    Args:
        volumes: From :func:`medvision.imaging.load_volumes`.
    """
    stated = [volume.provenance.keys.get("DiffusionBValue") for volume in volumes]
    if not stated or any(value is None or isinstance(value[0], str) for value in stated):
        return None
    return np.array([float(value[0]) for value in stated if value])


def b_vectors(volumes: Sequence[Volume]) -> FloatArray | None:
    """The gradient direction of each volume, unit vectors in RAS+, (n, 3); zeros without diffusion weighting.

    Args:
        volumes: From :func:`medvision.imaging.load_volumes`.

    Returns:
        The directions; None where a volume with a b-value above 0 has none.
    """
    weights = b_values(volumes)
    if weights is None:
        return None
    vectors = np.zeros((len(volumes), 3))
    for row, volume, weight in zip(vectors, volumes, weights, strict=True):
        stated = volume.provenance.keys.get("DiffusionGradientOrientation", ())
        direction = np.array([x for x in stated if not isinstance(x, str)]) * (_LPS_TO_RAS if stated else 1)
        length = float(np.linalg.norm(direction)) if direction.shape == (3,) else 0.0
        if length > 0 and weight > 0:
            row[:] = direction / length
        elif weight > 0:
            return None
    return vectors


def fsl_vectors(vectors: FloatArray, affine: FloatArray) -> FloatArray:
    """Turn directions in RAS+ into FSL's: along the voxel axes, the first one mirrored in a left-handed way.

    FSL takes directions as if the image were stored with x growing to the left (a negative determinant of the
    affine); where it is not, the sign of the first component changes.

    Args:
        vectors: (n, 3), RAS+.
        affine: 4×4, of the image as it is stored.

    Returns:
        (n, 3), as the columns of a `.bvec` file.

    Example:
        >>> fsl_vectors(np.array([[1.0, 0.0, 0.0]]), np.diag([-2.0, 2.0, 2.0, 1.0])).tolist()
        [[-1.0, 0.0, 0.0]]
    """
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    along: FloatArray = vectors @ axes
    if np.linalg.det(axes) > 0:
        along = along * np.array([-1.0, 1.0, 1.0])
    return along + 0.0
