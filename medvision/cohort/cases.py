"""The cases of a study, one row each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from medvision.errors import CohortError
from medvision.wording import did_you_mean, first_of

STANDARD_COLUMNS = ("case_id", "patient_id", "image", "mask", "label")
"""The columns that the table of every cohort has, in this order, before its covariates."""

REGION_COLUMN = "region_mask"
"""The column that the table of a cohort has besides, where its preprocessing looks at a region."""


@dataclass(frozen=True)
class Case:
    """One case: what is read, what is learned, and whose it is.

    Attributes:
        case_id: Unique in the cohort; also the name of the case's files.
        patient_id: The patient, the unit that never crosses a split.
        image: A NIfTI, a DICOM file, or a folder with one DICOM series; absolute.
        mask: A NIfTI, a DICOM SEG or an RTSTRUCT on the image's voxels, absolute; None without masks.
        label: 1 diseased, 0 not; None for a segmentation.
        covariates: Value by column; None or NaN where it is missing.
        region: Mask of a region for the preprocessing, absolute; None where the cohort has none.
    """

    case_id: str
    patient_id: str
    image: Path
    mask: Path | None = None
    label: int | None = None
    covariates: Mapping[str, object] = field(default_factory=dict)
    region: Path | None = None


@dataclass(frozen=True, eq=False)
class Cohort:
    """Everyone in a study.

    Attributes:
        table: One row a case: `case_id`, `patient_id` (text), `image`, `mask` (absolute paths as text;
            mask None without masks), `label` (0 or 1; None for a segmentation), then covariates.
        source: The file that it was read from, absolute.
        covariates: The columns after the standard ones.
        places: Where each case stands in the source, such as `cohort.csv:17`.

    Example:
        >>> cohort = Cohort(pd.DataFrame({"case_id": ["a"], "patient_id": ["7"], "image": ["/a.nii"],
        ...     "mask": [None], "label": [1]}), source=Path("/cohort.csv"))
        >>> [(case.patient_id, case.label) for case in cohort]
        [('7', 1)]
    """

    table: pd.DataFrame
    source: Path
    covariates: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[Case]:
        columns = [self.table[name].tolist() for name in (*STANDARD_COLUMNS, *self.covariates)]
        regions = self.table.get(REGION_COLUMN, pd.Series([None] * len(self), dtype=object)).tolist()
        for region, case_id, patient_id, image, mask, label, *values in zip(regions, *columns, strict=True):
            yield Case(
                case_id=case_id,
                patient_id=patient_id,
                image=Path(image),
                mask=None if mask is None else Path(mask),
                label=None if label is None else int(label),
                covariates=dict(zip(self.covariates, values, strict=True)),
                region=None if region is None else Path(region),
            )

    def __repr__(self) -> str:
        patients = self.table["patient_id"].nunique()
        return f"Cohort({len(self)} cases of {patients} patients from {self.source.name})"

    def select(self, case_ids: Sequence[str]) -> Cohort:
        """Return some of the cases.

        Args:
            case_ids: Which, in the order wanted.

        Returns:
            A cohort of those cases.

        Raises:
            CohortError: A case is not in the cohort.
        """
        row = {case: place for place, case in enumerate(self.table["case_id"])}
        unknown = [case for case in case_ids if case not in row]
        if unknown:
            raise CohortError(
                f"{self.source.name} has not all cases that are asked for",
                problems=first_of([f"no case {case!r}{did_you_mean(case, row)}" for case in unknown]),
            )
        rows = [row[case] for case in case_ids]
        table = self.table.iloc[rows].reset_index(drop=True)
        places = tuple(self.places[place] for place in rows) if self.places else ()
        return Cohort(table, self.source, self.covariates, places)
