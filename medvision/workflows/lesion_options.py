"""How masks are scored lesion by lesion, as `evaluate` and `compare` are told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from medvision.errors import MedvisionError


@dataclass(frozen=True)
class LesionOptions:
    """Whether masks are scored lesion by lesion, and how.

    Attributes:
        lesions: Also score masks lesion by lesion, a lesion being a connected component.
        lesion_rule: What finds a lesion: any (a component touches it, the default), or iou>=0.3.
        connectivity: Neighbours of a voxel of a lesion: 6, 18 or 26, the default.
        merge_within_mm: Radius by which the reference is dilated to join lesions; 0 by default.
        min_volume_mm3: Smaller lesions of the reference are left out.
        min_predicted_mm3: Smaller predicted components count as not predicted.

    Example:
        >>> LesionOptions(lesions=True, lesion_rule="iou>=0.3").settings()
        {'rule': 'iou>=0.3'}
    """

    lesions: bool = False
    lesion_rule: str | None = None
    connectivity: int | None = None
    merge_within_mm: float | None = None
    min_volume_mm3: float | None = None
    min_predicted_mm3: float | None = None

    def settings(self) -> dict[str, Any] | None:
        """What `lesionwise_scores` is called with; None where lesions are not asked for.

        Raises:
            MedvisionError: A setting of lesions is given without them.

        Example:
            >>> LesionOptions().settings() is None
            True
        """
        given = {
            name: value for name, value in asdict(self).items() if value is not None and value is not False
        }
        if not given.pop("lesions", False):
            if given:
                names = " and ".join(f"--{name.replace('_', '-')}" for name in given)
                raise MedvisionError(f"{names} is said of lesions; add --lesions")
            return None
        return {name.removeprefix("lesion_"): value for name, value in given.items()}
