"""Networks: MONAI's, built from the `model:` part of a study file."""

from medvision.models.build import build_model, total_stride

__all__ = ["build_model", "total_stride"]
