"""Who is in the study: the `cohort:` part of a study file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from medvision.config.base import Section


class CohortSection(Section):
    """What every source of cases has."""

    path: str
    """The table or description; relative to the study file."""
    covariates: tuple[str, ...] = ()
    """Columns that Table 1 shows and that comparators may use."""
    forbidden: tuple[str, ...] = ()
    """Columns that must never be an input, such as one that encodes the label."""
    sampling: Literal["cohort", "enriched"] = "cohort"
    """`enriched` (case-control) sampling makes PPV and NPV need a stated prevalence."""
    prevalence: Annotated[float, Field(gt=0, lt=1)] | None = None
    """The prevalence in the target population, for PPV and NPV of an enriched sample."""


class ManifestCohort(CohortSection):
    """One row a case in a CSV or Parquet table."""

    kind: Literal["manifest"]
    patient: str = "patient_id"
    """Column with the patient, the unit that never crosses a split."""
    case: str | None = None
    """Column with a unique name for each case; by default made from patient and row."""
    image: str = "image"
    """Column with the image: a NIfTI, a DICOM file, or a folder with one DICOM series."""
    mask: str | None = None
    """Column with the mask (NIfTI), in the image's own geometry."""


class MsdCohort(CohortSection):
    """The layout of the Medical Segmentation Decathlon, read from its `dataset.json`."""

    kind: Literal["msd"]


Cohort = Annotated[ManifestCohort | MsdCohort, Field(discriminator="kind")]
