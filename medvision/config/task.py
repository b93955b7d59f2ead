"""What is learned: the `task:` part of a study file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from medvision.config.base import Column, Section

Text = Annotated[str, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Truth = Annotated[bool, Field(strict=True)]


class ClassificationTask(Section):
    """One binary label a case."""

    kind: Literal["classification"]
    label: Column
    """Column with the label."""
    positive: Text | Whole | Truth = 1
    """The value of the label column that means diseased; every other value is the negative class."""
    negative: Text | Whole | Truth | None = None
    """The value that means not diseased; needed where the column has more than two values."""
    unit: str = "case"
    """What one case is in the tables: `nodule`, `scan`, `breast`."""

    @model_validator(mode="after")
    def _two_values(self) -> ClassificationTask:
        if self.negative is not None and self.negative == self.positive:
            raise ValueError(f"positive and negative are both {self.positive!r}")
        return self


class SegmentationTask(Section):
    """One or more structures outlined in a mask."""

    kind: Literal["segmentation"]
    labels: dict[Column, Annotated[int, Field(strict=True, ge=1, le=255)]]
    """Structure names and their value in the mask; 0 is background."""
    unit: str = "case"
    """What one case is in the tables."""

    @field_validator("labels")
    @classmethod
    def _distinct(cls, labels: dict[str, int]) -> dict[str, int]:
        if not labels:
            raise ValueError("name at least one structure, such as {tumour: 1}")
        for value in labels.values():
            names = [name for name, other in labels.items() if other == value]
            if len(names) > 1:
                raise ValueError(f"{' and '.join(names)} share the mask value {value}")
        return labels


Task = Annotated[ClassificationTask | SegmentationTask, Field(discriminator="kind")]
