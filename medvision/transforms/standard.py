"""Nyúl's standard histogram: one scale for images whose units mean nothing, such as MR.

Nyúl, Udupa and Zhang, IEEE Trans Med Imaging 2000;19:143-150. Each image's landmarks are percentiles of its
foreground. Learning: the first and the last landmark of each training image are brought to −1 and 1, the
others with them by that one line, and the landmarks are averaged over images. Applying: between two landmarks
an image is mapped linearly, outside the outermost ones the outermost line goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medvision.errors import CohortError

Landmarks = tuple[float, ...]


@dataclass(frozen=True)
class HistogramStandard:
    """A standard histogram that was learned from images.

    Args:
        landmarks: Where the percentiles of every image go to; −1 first, 1 last.

    Example:
        >>> standard = HistogramStandard.learn([(0.0, 5.0, 10.0), (100.0, 300.0, 500.0)])
        >>> standard.landmarks
        (-1.0, 0.0, 1.0)
        >>> standard.apply(np.array([0.0, 4.0, 10.0, 12.0], np.float32), (0.0, 4.0, 10.0)).tolist()
        [-1.0, 0.0, 1.0, 1.3333333730697632]
    """

    landmarks: Landmarks

    @classmethod
    def learn(cls, images: Sequence[Landmarks]) -> HistogramStandard:
        """Average the landmarks of images, each brought to −1…1 first.

        Args:
            images: The landmarks of each image; see `landmarks_of`.
        """
        found = np.asarray(images, dtype=np.float64)
        low, high = found[:, :1], found[:, -1:]
        mean = (2 * (found - low) / (high - low) - 1).mean(axis=0)
        return cls(tuple(mean.tolist()))

    def apply(self, image: NDArray[np.float32], landmarks: Landmarks) -> NDArray[np.float32]:
        """Map an image, or a part of it, to the standard scale.

        Args:
            image: Any shape, in the image's own units.
            landmarks: Those of the whole image.

        Returns:
            The same shape; float32.
        """
        # Landmarks that coincide (many voxels of one value) leave one line fewer.
        source, first = np.unique(np.asarray(landmarks), return_index=True)
        target = np.asarray(self.landmarks)[first]
        target[-1] = self.landmarks[-1]
        mapped = np.interp(image, source, target)
        slopes = np.diff(target) / np.diff(source)
        mapped += np.minimum(image - source[0], 0) * slopes[0]
        mapped += np.maximum(image - source[-1], 0) * slopes[-1]
        return np.asarray(mapped, dtype=np.float32)


def landmarks_of(values: NDArray[np.float32], percentiles: Sequence[float]) -> Landmarks:
    """Return the percentiles of an image's foreground.

    Args:
        values: The voxels of the foreground, (n,).
        percentiles: Which, 0 to 100, rising.

    Raises:
        CohortError: The first and the last percentile coincide.
    """
    found = np.percentile(values, percentiles)
    if not found[0] < found[-1]:
        raise CohortError(
            f"its percentiles {percentiles[0]:g} and {percentiles[-1]:g} are both {found[0]:g}, so its "
            "histogram cannot be standardised; choose another preprocessing.intensity.foreground"
        )
    return tuple(float(value) for value in found)
