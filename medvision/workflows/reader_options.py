"""What a table of readings calls its columns, and variances of a reader study. It loads nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReadingColumns:
    """Columns of a table with one row a reading.

    Attributes:
        reader: Column of the reader.
        modality: Column of what they read with, such as CT and MRI, or with and without AI.
        case: Column of the case.
        label: Column of the reference standard.
        score: Column of the rating; higher means more disease.
        patient: Column of the patient, where a patient has several cases.
        positive: The label that means disease.

    Example:
        >>> ReadingColumns(label="truth").named()["label"]
        'truth'
    """

    reader: str = "reader"
    modality: str | None = "modality"
    case: str = "case"
    label: str = "label"
    score: str = "score"
    patient: str | None = None
    positive: str = "1"

    def named(self) -> dict[str, str]:
        """The columns by their role, without those that are not there."""
        roles = ("reader", "modality", "case", "label", "score", "patient")
        return {role: name for role in roles if (name := getattr(self, role)) is not None}


@dataclass(frozen=True)
class ReaderVariances:
    """Variances of the figures of merit of a reader study, where there is no pilot table.

    Attributes:
        variance: Of one reader's figure over cases.
        cov1: Covariance of one reader under two modalities.
        cov2: Covariance of two readers under one modality.
        cov3: Covariance of two readers under two modalities.
        interaction: Variance of readers by modality beyond that over cases.
        pilot_cases: Cases that these numbers are for.

    Example:
        >>> ReaderVariances(variance=0.0008).given()
        True
    """

    variance: float | None = None
    cov1: float | None = None
    cov2: float | None = None
    cov3: float | None = None
    interaction: float = 0.0
    pilot_cases: int | None = None

    def given(self) -> bool:
        """Whether anything was said."""
        return self != ReaderVariances()

    def lacking(self) -> list[str]:
        """What is not said and must be."""
        return [
            name
            for name in ("variance", "cov1", "cov2", "cov3", "pilot_cases")
            if getattr(self, name) is None
        ]
