"""What is learned: the `task:` part of a study file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from medvision.config.base import Section


class ClassificationTask(Section):
    """One binary label a case."""

    kind: Literal["classification"]
    label: str
    """Column with the label."""
    positive: str | int | bool = 1
    """The value of the label column that means diseased; every other value is the negative class."""
    negative: str | int | bool | None = None
    """The value that means not diseased; needed where the column has more than two values."""
    unit: str = "case"
    """What one case is in the tables: `nodule`, `scan`, `breast`."""


class SegmentationTask(Section):
    """One or more structures outlined in a mask."""

    kind: Literal["segmentation"]
    labels: dict[str, Annotated[int, Field(ge=1, le=255)]]
    """Structure names and their value in the mask; 0 is background."""
    unit: str = "case"
    """What one case is in the tables."""

    @field_validator("labels")
    @classmethod
    def _distinct(cls, labels: dict[str, int]) -> dict[str, int]:
        if not labels:
            raise ValueError("name at least one structure, such as {tumour: 1}")
        if len(set(labels.values())) < len(labels):
            raise ValueError("two structures share one mask value")
        return labels


Task = Annotated[ClassificationTask | SegmentationTask, Field(discriminator="kind")]
