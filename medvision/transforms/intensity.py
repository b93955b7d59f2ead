"""Intensities on one scale: windows, z-scores and percentiles, also of a foreground; bias fields."""

from __future__ import annotations

import importlib
from collections.abc import Hashable, Mapping
from types import ModuleType
from typing import assert_never

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import (
    MapTransform,
    NormalizeIntensityd,
    ScaleIntensityRanged,
    ScaleIntensityRangePercentilesd,
    Transform,
)

from medvision.config.intensity import (
    BiasField,
    Intensity,
    N4BiasField,
    NoBiasField,
    NyulIntensity,
    PercentileIntensity,
    RawIntensity,
    WholeImage,
    WindowIntensity,
    ZscoreIntensity,
)
from medvision.errors import CohortError, ConfigError
from medvision.transforms.crops import as_meta_tensor
from medvision.transforms.regions import IMAGE, foreground_voxels


def intensity_steps(settings: Intensity) -> list[Transform]:
    """Build the steps that scale an image by itself; none for Nyúl's standard, which a fold has to learn.

    Args:
        settings: The `preprocessing.intensity` part of a study.
    """
    match settings:
        case WindowIntensity():
            low, high = settings.window_hu
            return [ScaleIntensityRanged(IMAGE, low, high, -1.0, 1.0, clip=True)]
        case ZscoreIntensity() | PercentileIntensity() if not isinstance(settings.foreground, WholeImage):
            return [ScaleByForegroundd(settings)]
        case ZscoreIntensity():
            return [NormalizeIntensityd(IMAGE, nonzero=settings.nonzero)]
        case PercentileIntensity():
            lower, upper = settings.percentiles
            return [ScaleIntensityRangePercentilesd(IMAGE, lower, upper, -1.0, 1.0, clip=True)]
        case NyulIntensity() | RawIntensity():
            return []
        case _:
            assert_never(settings)


class ScaleByForegroundd(MapTransform):
    """Scale a whole image by figures of its foreground.

    Args:
        settings: A z-score or percentiles, and the foreground they are taken from.
    """

    def __init__(self, settings: ZscoreIntensity | PercentileIntensity) -> None:
        super().__init__((IMAGE,))
        self.settings = settings

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict[Hashable, MetaTensor]:
        """Return the scaled image, everything else as it was.

        Raises:
            CohortError: There is no foreground, or it is constant.
        """
        scaled = dict(data)
        image = data[IMAGE]
        values = np.asarray(image)[0][foreground_voxels(data, self.settings.foreground)].astype(np.float64)
        match self.settings:
            case ZscoreIntensity():
                low, span = float(values.mean()), float(values.std())
                scaled[IMAGE] = as_meta_tensor((image - low) / _positive(span))
            case PercentileIntensity():
                low, high = np.percentile(values, self.settings.percentiles).tolist()
                onto = (image - low) * (2 / _positive(high - low)) - 1
                scaled[IMAGE] = as_meta_tensor(onto.clamp(-1, 1))
            case _:
                assert_never(self.settings)
        return scaled


def _positive(span: float) -> float:
    if span > 0:
        return span
    raise CohortError("its foreground is constant; choose another preprocessing.intensity.foreground")


def bias_steps(settings: BiasField) -> list[Transform]:
    """Build the step that takes out a bias field, where the study asks for one.

    Args:
        settings: The `preprocessing.bias_field` part of a study.
    """
    match settings:
        case NoBiasField():
            return []
        case N4BiasField():
            return [CorrectBiasFieldd(settings)]
        case _:
            assert_never(settings)


class CorrectBiasFieldd(MapTransform):
    """Divide an image by its bias field, which N4 finds in the foreground.

    N4 works on logarithms: an image with negative values is lifted until its lowest is 0, and set back after.

    Args:
        settings: Shrinking, steps and foreground.
    """

    def __init__(self, settings: N4BiasField) -> None:
        super().__init__((IMAGE,))
        self.settings = settings
        self.sitk = simpleitk()

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict[Hashable, MetaTensor]:
        """Return the corrected image, everything else as it was."""
        corrected = dict(data)
        image = data[IMAGE]
        lift = min(float(image.min()), 0.0)
        inside = foreground_voxels(data, self.settings.foreground)
        field = self._field(np.asarray(image)[0].astype(np.float32) - lift, inside, image.pixdim.tolist())
        corrected[IMAGE] = as_meta_tensor((image - lift) / torch.from_numpy(field)[None] + lift)
        return corrected

    def _field(
        self, values: np.ndarray[tuple[int, ...], np.dtype[np.float32]], inside: object, spacing: list[float]
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """The field on every voxel, found on fewer; SimpleITK's axes run the other way round."""
        sitk = self.sitk
        whole = sitk.GetImageFromArray(values.T)
        mask = sitk.GetImageFromArray(np.asarray(inside, dtype=np.uint8).T)
        for each in (whole, mask):
            each.SetSpacing(spacing)
        shrink = [min(self.settings.shrink_factor, max(1, side // 4)) for side in values.shape]
        n4 = sitk.N4BiasFieldCorrectionImageFilter()
        n4.SetMaximumNumberOfIterations(list(self.settings.iterations))
        # Sums in one order, so that the same scan gives the same voxels on every machine.
        n4.SetNumberOfThreads(1)
        n4.Execute(sitk.Shrink(whole, shrink), sitk.Shrink(mask, shrink))
        log_field = sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(whole)).T
        return np.exp(np.ascontiguousarray(log_field, dtype=np.float32))


def simpleitk() -> ModuleType:
    """Return SimpleITK, or say how to get it.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        return importlib.import_module("SimpleITK")
    except ImportError:
        raise ConfigError(
            "preprocessing.bias_field of kind n4 needs SimpleITK; install it with "
            "pip install 'medvision[simpleitk]', or leave bias_field out"
        ) from None
