"""The base of every part of a study file: frozen, strict, nothing unknown."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
PositiveInt = Annotated[int, Field(ge=1)]
SpacingMm = tuple[Positive, Positive, Positive]
SizeVoxels = tuple[PositiveInt, PositiveInt, PositiveInt]
Axis = Annotated[int, Field(ge=0, le=2, description="0, 1 or 2: the array axes i, j, k")]


class Section(BaseModel):
    """One part of a study file: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)
