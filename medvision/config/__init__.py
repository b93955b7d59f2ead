"""What a study says: YAML in, checked and frozen models out, errors as `file:line:column`.

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medvision.config.cohort import Cohort, ManifestCohort, MsdCohort
    from medvision.config.crop import BodyCrop, CenterCrop, Crop, ForegroundCrop, NoCrop, RegionCrop
    from medvision.config.dump import dump_study, study_hash
    from medvision.config.evaluation import Comparator, Evaluation
    from medvision.config.intensity import (
        AboveThreshold,
        BiasField,
        Body,
        Foreground,
        GivenRegion,
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
    from medvision.config.load import StudyFile, load_study, load_study_file
    from medvision.config.model import (
        CustomModel,
        DenseNetModel,
        DynUNetModel,
        InstalledModel,
        Model,
        ResNetModel,
        UNetModel,
    )
    from medvision.config.paths import expand_path
    from medvision.config.pixels import Augmentation, Preprocessing
    from medvision.config.schema import json_schema
    from medvision.config.split import (
        AnySplit,
        ColumnSplit,
        ColumnTest,
        FractionTest,
        HashFold,
        HashTest,
        KFold,
        SiteSplit,
        Split,
        Test,
        TimeSplit,
        TimeTest,
    )
    from medvision.config.study import Study
    from medvision.config.task import ClassificationTask, SegmentationTask, Task
    from medvision.config.training import (
        AdamW,
        CrossFit,
        EarlyStopping,
        Holdout,
        Inner,
        Optimizer,
        Prediction,
        Schedule,
        Sgd,
        Training,
    )

_MODULES = {
    "cohort": ("Cohort", "ManifestCohort", "MsdCohort"),
    "crop": ("BodyCrop", "CenterCrop", "Crop", "ForegroundCrop", "NoCrop", "RegionCrop"),
    "dump": ("dump_study", "study_hash"),
    "evaluation": ("Comparator", "Evaluation"),
    "intensity": (
        "AboveThreshold",
        "BiasField",
        "Body",
        "Foreground",
        "GivenRegion",
        "Intensity",
        "N4BiasField",
        "NoBiasField",
        "NyulIntensity",
        "PercentileIntensity",
        "RawIntensity",
        "WholeImage",
        "WindowIntensity",
        "ZscoreIntensity",
    ),
    "load": ("StudyFile", "load_study", "load_study_file"),
    "model": (
        "CustomModel",
        "DenseNetModel",
        "DynUNetModel",
        "InstalledModel",
        "Model",
        "ResNetModel",
        "UNetModel",
    ),
    "paths": ("expand_path",),
    "pixels": ("Augmentation", "Preprocessing"),
    "schema": ("json_schema",),
    "split": (
        "AnySplit",
        "ColumnSplit",
        "ColumnTest",
        "FractionTest",
        "HashFold",
        "HashTest",
        "KFold",
        "SiteSplit",
        "Split",
        "Test",
        "TimeSplit",
        "TimeTest",
    ),
    "study": ("Study",),
    "task": ("ClassificationTask", "SegmentationTask", "Task"),
    "training": (
        "AdamW",
        "CrossFit",
        "EarlyStopping",
        "Holdout",
        "Inner",
        "Optimizer",
        "Prediction",
        "Schedule",
        "Sgd",
        "Training",
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "AboveThreshold",
    "AdamW",
    "AnySplit",
    "Augmentation",
    "BiasField",
    "Body",
    "BodyCrop",
    "CenterCrop",
    "ClassificationTask",
    "Cohort",
    "ColumnSplit",
    "ColumnTest",
    "Comparator",
    "Crop",
    "CrossFit",
    "CustomModel",
    "DenseNetModel",
    "DynUNetModel",
    "EarlyStopping",
    "Evaluation",
    "Foreground",
    "ForegroundCrop",
    "FractionTest",
    "GivenRegion",
    "HashFold",
    "HashTest",
    "Holdout",
    "Inner",
    "InstalledModel",
    "Intensity",
    "KFold",
    "ManifestCohort",
    "Model",
    "MsdCohort",
    "N4BiasField",
    "NoBiasField",
    "NoCrop",
    "NyulIntensity",
    "Optimizer",
    "PercentileIntensity",
    "Prediction",
    "Preprocessing",
    "RawIntensity",
    "RegionCrop",
    "ResNetModel",
    "Schedule",
    "SegmentationTask",
    "Sgd",
    "SiteSplit",
    "Split",
    "Study",
    "StudyFile",
    "Task",
    "Test",
    "TimeSplit",
    "TimeTest",
    "Training",
    "UNetModel",
    "WholeImage",
    "WindowIntensity",
    "ZscoreIntensity",
    "dump_study",
    "expand_path",
    "json_schema",
    "load_study",
    "load_study_file",
    "study_hash",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
