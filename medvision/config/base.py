"""The base of every part of a study file: frozen, strict, nothing unknown."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Discriminator, Field

# Strict scalars: `epochs: true` is no 1 and `epochs: "5"` is no 5. Lists still serve as tuples.
Number = Annotated[float, Field(strict=True)]
Positive = Annotated[float, Field(strict=True, gt=0)]
NonNegative = Annotated[float, Field(strict=True, ge=0)]
Fraction = Annotated[float, Field(strict=True, ge=0, lt=1)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Count = Annotated[int, Field(strict=True, ge=0)]
PositiveInt = Annotated[int, Field(strict=True, ge=1)]
Switch = Annotated[bool, Field(strict=True)]
Column = Annotated[str, Field(min_length=1)]
SpacingMm = tuple[Positive, Positive, Positive]
SizeVoxels = tuple[PositiveInt, PositiveInt, PositiveInt]
Axis = Annotated[int, Field(strict=True, ge=0, le=2, description="0, 1 or 2: the array axes i, j, k")]

# Where a value or a word may stand, errors speak of what was written; these tags never reach the user.
VALUE, WORD = "<value>", "<word>"
VALUE_OR_WORD = Discriminator(lambda written: WORD if isinstance(written, str) else VALUE)


class Section(BaseModel):
    """One part of a study file: immutable, and an unknown key is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        validate_default=False,
    )
