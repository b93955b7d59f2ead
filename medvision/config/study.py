"""The whole study file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from medvision.config.base import Section
from medvision.config.checks import findings
from medvision.config.cohort import Cohort
from medvision.config.evaluation import Comparator, Evaluation
from medvision.config.model import Model
from medvision.config.pixels import Augmentation, Preprocessing
from medvision.config.problem import dotted
from medvision.config.split import KFold, Split
from medvision.config.task import Task
from medvision.config.training import Prediction, Training

Parts = dict[str, object]


class Study(Section):
    """One study: who, what, how, and how it is measured."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    """Name of the run folder: letters, digits, `_`, `-` and `.`, first a letter or digit."""
    title: str = ""
    """Heading of the report."""
    question: str = ""
    """The question that the study answers, printed in the report."""
    caution: str = ""
    """What the numbers may not be used for, printed in the report."""
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**32)] = 2026
    """Where all randomness starts: splits, weights, augmentation, resampling."""
    cohort: Cohort
    """Who is in the study."""
    task: Task
    """What is learned."""
    preprocessing: Preprocessing = Preprocessing()
    """Deterministic steps on each image."""
    augmentation: Augmentation = Augmentation()
    """Random steps in training."""
    split: Split = KFold(kind="kfold")
    """Who is tested on, and who is locked away."""
    model: Model
    """Which network."""
    training: Training = Training()
    """How it learns."""
    prediction: Prediction = Prediction()
    """How it is applied."""
    evaluation: Evaluation = Evaluation()
    """What is measured."""
    comparators: tuple[Comparator, ...] = ()
    """Regressions on covariates that the image model is read against."""

    @field_validator("*", mode="after")
    @classmethod
    def _note_part(cls, value: object, info: ValidationInfo) -> object:
        # A loader passes a dict as context: the parts that are right by themselves are checked
        # against each other although another part is wrong, so that all errors show at once.
        if isinstance(info.context, dict):
            info.context[info.field_name] = value
        return value

    @model_validator(mode="after")
    def _parts_fit(self) -> Study:
        found = findings({name: getattr(self, name) for name in type(self).model_fields})
        if found:
            text = "; ".join(f"{dotted(path)}: {message}" for path, message in found)
            # Doubled braces: pydantic formats the template.
            raise PydanticCustomError("study_parts", "{text}", {"text": text})
        return self
