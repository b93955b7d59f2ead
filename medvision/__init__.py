"""medvision: scans in, cross-validated 3D models, right intervals, the paper's tables out.

Importing the package loads nothing; each name is loaded when it is first used, so that evaluating a
table of predictions never loads a deep-learning library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from medvision.errors import missing_to_train, needs_training_extra

if TYPE_CHECKING:
    from medvision.config import Study, load_study
    from medvision.errors import MedvisionError
    from medvision.evaluation import Estimate
    from medvision.imaging import Geometry, Volume, load_volume, save_nifti
    from medvision.workflows.check import check
    from medvision.workflows.compare import compare
    from medvision.workflows.compare_masks import compare_masks
    from medvision.workflows.convert import convert
    from medvision.workflows.evaluate import evaluate, evaluate_masks
    from medvision.workflows.predict import predict
    from medvision.workflows.report import report
    from medvision.workflows.run import Run, run

__version__ = "0.1.0"

_HOMES = {
    "Estimate": "medvision.evaluation",
    "Geometry": "medvision.imaging",
    "MedvisionError": "medvision.errors",
    "Run": "medvision.workflows.run",
    "Study": "medvision.config",
    "Volume": "medvision.imaging",
    "check": "medvision.workflows.check",
    "compare": "medvision.workflows.compare",
    "compare_masks": "medvision.workflows.compare_masks",
    "convert": "medvision.workflows.convert",
    "evaluate": "medvision.workflows.evaluate",
    "evaluate_masks": "medvision.workflows.evaluate",
    "load_study": "medvision.config",
    "load_volume": "medvision.imaging",
    "predict": "medvision.workflows.predict",
    "report": "medvision.workflows.report",
    "run": "medvision.workflows.run",
    "save_nifti": "medvision.imaging",
}

__all__ = [
    "Estimate",
    "Geometry",
    "MedvisionError",
    "Run",
    "Study",
    "Volume",
    "check",
    "compare",
    "compare_masks",
    "convert",
    "evaluate",
    "evaluate_masks",
    "load_study",
    "load_volume",
    "predict",
    "report",
    "run",
    "save_nifti",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'medvision' has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        if not missing_to_train(error.name):
            raise
        told = f"medvision.{name} {needs_training_extra(error.name)}"
        raise ModuleNotFoundError(told, name=error.name) from None


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
