"""Means and medians over cases."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import mean_over_structures, summarise_segmentation
from medvision.evaluation.segmentation_summary import quartiles


@pytest.fixture
def cases() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "case_id": range(40),
            "patient_id": np.repeat(np.arange(20), 2),
            "structure": "liver",
            "dice": np.repeat(rng.beta(9, 1, 20), 2),
            "hd95_mm": [*rng.exponential(3, 38), np.nan, np.nan],
        }
    )


def _named(rows) -> dict[tuple[str, str], object]:
    return {(row.metric, row.summary): row.estimate for row in rows}


def test_mean_and_median_and_who_counts(cases) -> None:
    found = _named(summarise_segmentation(cases, resamples=300))
    assert found["dice", "mean"].value == pytest.approx(cases["dice"].mean())
    assert found["dice", "median"].value == pytest.approx(cases["dice"].median())
    assert (found["dice", "mean"].n_units, found["dice", "mean"].n_patients) == (40, 20)


def test_what_is_undefined_is_left_out_and_counted(cases) -> None:
    found = _named(summarise_segmentation(cases, resamples=100))["hd95_mm", "mean"]
    assert found.value == pytest.approx(cases["hd95_mm"].dropna().mean())
    assert (found.n_units, found.n_patients) == (38, 19)


def test_copies_of_a_case_do_not_narrow_the_interval(cases) -> None:
    clustered = _named(summarise_segmentation(cases))["dice", "mean"]
    naive = _named(summarise_segmentation(cases.drop(columns="patient_id")))["dice", "mean"]
    ratio = (clustered.high - clustered.low) / (naive.high - naive.low)
    assert ratio == pytest.approx(np.sqrt(2), rel=0.1)


def test_a_measure_that_is_never_defined(cases) -> None:
    found = _named(summarise_segmentation(cases.assign(dice=np.nan), resamples=20))["dice", "median"]
    assert np.isnan(found.value)
    assert found.status == "undefined_no_units"


def test_a_table_of_something_else_is_refused() -> None:
    with pytest.raises(EvaluationError, match="structure"):
        summarise_segmentation(pd.DataFrame({"dice": [0.5]}))


def test_structures_are_averaged_within_a_patient_first() -> None:
    cases = pd.DataFrame(
        {
            "case_id": ["A1", "A1", "A2", "A2", "B1", "B1", "C1", "C1"],
            "patient_id": ["A"] * 4 + ["B"] * 2 + ["C"] * 2,
            "structure": ["liver", "tumour"] * 4,
            "dice": [0.9, 0.5, 0.7, np.nan, 0.8, np.nan, np.nan, np.nan],
        }
    )
    found = {row.summary: row for row in mean_over_structures(cases, resamples=100)}
    # A: liver (0.9 + 0.7) / 2, tumour 0.5; B: liver alone; C has neither.
    assert found["mean"].structure == "mean of structures"
    assert found["mean"].estimate.value == pytest.approx(((0.8 + 0.5) / 2 + 0.8) / 2)
    assert (found["mean"].estimate.n_units, found["mean"].estimate.n_patients) == (2, 2)
    assert found["median"].estimate.value == pytest.approx(0.725)


def test_the_mean_of_structures_needs_patients(cases) -> None:
    with pytest.raises(EvaluationError, match="patient_id or case_id"):
        mean_over_structures(cases.drop(columns=["patient_id", "case_id"]))
    with pytest.raises(EvaluationError, match="have no patient"):
        mean_over_structures(cases.assign(patient_id=[None, *["P"] * 39]))


def test_quartiles_of_each_structure(cases) -> None:
    found = quartiles(cases.assign(patient_id=cases["patient_id"].astype(str)))
    assert found["liver", "dice"] == pytest.approx(tuple(np.quantile(cases["dice"], [0.25, 0.75])))
    assert found["liver", "hd95_mm"] == pytest.approx(
        tuple(np.quantile(cases["hd95_mm"].dropna(), [0.25, 0.75]))
    )


@pytest.mark.parametrize(
    ("patients", "status"), [(9, "fewer_than_10_patients"), (29, "fewer_than_30_patients"), (30, "ok")]
)
def test_few_patients_say_so(patients: int, status: str) -> None:
    cases = pd.DataFrame(
        {
            "structure": "liver",
            "dice": np.linspace(0.5, 0.9, 2 * patients),
            "patient_id": np.arange(2 * patients) // 2,
        }
    )
    assert {row.estimate.status for row in summarise_segmentation(cases, resamples=100)} == {status}
