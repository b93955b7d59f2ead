"""Who is in the study: the `cohort:` part of a study file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from medvision.config.base import Column, Section
from medvision.config.paths import malformed_variables


class CohortSection(Section):
    """What every source of cases has."""

    path: Annotated[str, Field(min_length=1)]
    """The table or description; relative to the study file. `${NAME}` and `${NAME:-default}` are
    filled in from the environment."""
    covariates: tuple[Column, ...] = ()
    """Columns that Table 1 shows and that comparators may use."""
    forbidden: tuple[Column, ...] = ()
    """Columns that must never be an input, such as one that encodes the label."""
    sampling: Literal["cohort", "enriched"] = "cohort"
    """`enriched` (case-control) sampling makes PPV and NPV need a stated prevalence."""
    prevalence: Annotated[float, Field(strict=True, gt=0, lt=1)] | None = None
    """The prevalence in the target population, for PPV and NPV of an enriched sample; without it
    they are left out."""

    @field_validator("path")
    @classmethod
    def _readable_variables(cls, value: str) -> str:
        for problem in malformed_variables(value):
            raise ValueError(problem)
        return value


class ManifestCohort(CohortSection):
    """One row a case in a CSV or Parquet table."""

    kind: Literal["manifest"]
    patient: Column = "patient_id"
    """Column with the patient, the unit that never crosses a split."""
    case: Column | None = None
    """Column with a unique name for each case; by default made from patient and row."""
    image: Column = "image"
    """Column with the image: a NIfTI, a DICOM file, or a folder with one DICOM series."""
    mask: Column | None = None
    """Column with the mask: a NIfTI, a DICOM SEG or an RTSTRUCT that lies on the image's voxels.

    A NIfTI holds the values of `task.labels`. In a SEG or an RTSTRUCT the names of `task.labels` are looked
    for among the segments or ROIs, whatever the capitals (and _ for a blank); others are left out.
    """
    region: Column | None = None
    """Column with the mask of a region, such as the lungs or the brain, in the forms of `mask`, for
    `preprocessing`: every voxel that belongs to anything. Never learned from and never scored."""


class MsdCohort(CohortSection):
    """The layout of the Medical Segmentation Decathlon, read from its `dataset.json`."""

    kind: Literal["msd"]


Cohort = Annotated[ManifestCohort | MsdCohort, Field(discriminator="kind")]
