"""The whole study file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from medvision.config.base import Section
from medvision.config.cohort import Cohort
from medvision.config.evaluation import Comparator, Evaluation
from medvision.config.model import Model
from medvision.config.pixels import Augmentation, Preprocessing
from medvision.config.task import Task
from medvision.config.training import Prediction, Split, Training


class Study(Section):
    """One study: who, what, how, and how it is measured."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    """Name of the run folder."""
    title: str = ""
    """Heading of the report."""
    question: str = ""
    """The question that the study answers, printed in the report."""
    caution: str = ""
    """What the numbers may not be used for, printed in the report."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 2026
    cohort: Cohort
    task: Task
    preprocessing: Preprocessing = Preprocessing()
    augmentation: Augmentation = Augmentation()
    split: Split = Split()
    model: Model
    training: Training = Training()
    prediction: Prediction = Prediction()
    evaluation: Evaluation = Evaluation()
    comparators: tuple[Comparator, ...] = ()
