"""What is refused, and whether the sentence names the row and the patient."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import (
    auroc,
    average_precision,
    calibration,
    choose_threshold,
    clustered_proportion,
    compare_auroc,
    cross_validated_auroc,
    diagnostic_accuracy,
    partial_auroc,
    proportion,
)
from medvision.evaluation.inputs import (
    binary_labels,
    checked_draws,
    checked_level,
    finite_scores,
    one_of,
    patient_codes,
    scores_with_gaps,
)

LABELS, PATIENTS = [0, 1, 0, 1], ["P1", "P2", "P3", "P4"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, None])
@pytest.mark.parametrize(
    "call",
    [
        lambda s: auroc(LABELS, s, patients=PATIENTS),
        lambda s: partial_auroc(LABELS, s, patients=PATIENTS),
        lambda s: average_precision(LABELS, s, patients=PATIENTS),
        lambda s: compare_auroc(LABELS, [1, 2, 3, 4], s, patients=PATIENTS),
        lambda s: cross_validated_auroc(LABELS, s, [0, 0, 1, 1], patients=PATIENTS),
    ],
)
def test_a_score_that_is_not_finite_is_named_with_its_patient(call, bad) -> None:
    with pytest.raises(EvaluationError, match="1 of 4 scores") as error:
        call([0.1, 0.2, bad, 0.4])
    assert any("row 2 (patient P3)" in line for line in error.value.problems)


@pytest.mark.parametrize("bad", [np.nan, None, pd.NA])
def test_a_missing_label_is_named(bad) -> None:
    with pytest.raises(EvaluationError, match="labels are missing") as error:
        auroc(np.array([0, 1, bad, 1], dtype=object), [1, 2, 3, 4], patients=PATIENTS)
    assert "P3" in error.value.problems[0]


@pytest.mark.parametrize("labels", [[0, 1, 2], [-1, 1, 1], ["0", "1", "1"], [0.5, 1, 0]])
def test_labels_other_than_0_and_1_need_to_be_told_which_is_positive(labels) -> None:
    with pytest.raises(EvaluationError, match="positive="):
        binary_labels(labels)


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        (["no", "yes"], "yes"),
        ([2, 3], 3),
        (pd.Series(["a", "b"], dtype="string"), "b"),
        (pd.Series([False, True], index=[7, 9]), None),
        (pd.Series([0, 1], dtype="Int64"), None),
        (np.array([0.0, 1.0]), None),
    ],
)
def test_labels_of_many_kinds_are_read(labels, positive) -> None:
    assert binary_labels(labels, positive=positive).tolist() == [False, True]


def test_a_unit_without_a_patient_is_refused() -> None:
    with pytest.raises(EvaluationError, match="unit of independence") as error:
        clustered_proportion([1, 0], ["A", None])
    assert "row 1" in error.value.problems[0]


def test_identifiers_of_any_kind_become_codes_in_their_order() -> None:
    assert patient_codes([10, 9, 10], 3).tolist() == [1, 0, 1]
    assert patient_codes(pd.Series(["b", "a", "b"]), 3).tolist() == [1, 0, 1]
    assert patient_codes(None, 3).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "call",
    [
        lambda: auroc([0, 1], [0.1, 0.2, 0.3]),
        lambda: auroc([0, 1], [0.1, 0.2], patients=["A"]),
        lambda: diagnostic_accuracy([0, 1], [1]),
        lambda: calibration([0, 1], [0.2]),
        lambda: cross_validated_auroc([0, 1], [1, 2], [0]),
    ],
)
def test_columns_of_different_lengths_are_refused(call) -> None:
    with pytest.raises(EvaluationError, match="differ in length"):
        call()


def test_two_dimensional_scores_are_refused() -> None:
    with pytest.raises(EvaluationError, match="one column"):
        finite_scores(np.zeros((2, 2)))


def test_text_that_is_no_number_is_refused() -> None:
    with pytest.raises(EvaluationError, match="not numbers"):
        finite_scores(["high", "low"])


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, float("nan")])
def test_a_level_outside_0_to_1_is_refused(level) -> None:
    with pytest.raises(EvaluationError, match=r"0\.95"):
        proportion(5, 10, level=level)


def test_a_misspelt_method_is_answered_with_the_nearest() -> None:
    with pytest.raises(EvaluationError, match=r"did you mean .wilson."):
        proportion(5, 10, method="wilsson")
    with pytest.raises(EvaluationError, match="Known: a, b"):
        one_of("zzz", ["a", "b"], "method")


def test_at_most_ten_rows_are_listed() -> None:
    with pytest.raises(EvaluationError) as error:
        finite_scores([np.nan] * 30)
    assert len(error.value.problems) == 11
    assert error.value.problems[-1] == "and 20 more"


def test_choosing_a_threshold_refuses_what_the_area_refuses() -> None:
    with pytest.raises(EvaluationError, match="missing or infinite"):
        choose_threshold([0, 1], [0.1, np.nan])


def test_probabilities_outside_0_to_1_are_refused() -> None:
    with pytest.raises(EvaluationError, match="outside 0 to 1"):
        calibration([0, 1], [0.2, 1.2])


def test_the_same_patients_are_in_the_same_order_as_numbers_and_as_objects() -> None:
    numbers = np.array([10, 2, 33, 2, 10, 1])
    expected = patient_codes(numbers, 6).tolist()
    assert expected == [2, 1, 3, 1, 2, 0]
    for other in (numbers.astype(object), pd.Series(numbers, dtype="Int64"), numbers.astype(float)):
        assert patient_codes(other, 6).tolist() == expected
    # One patient, whether its number was read as whole or not; text among numbers is sorted as text.
    assert patient_codes(np.array([1, 1.0, 2], dtype=object), 3).tolist() == [0, 0, 1]
    assert patient_codes(np.array([10, "A", 9], dtype=object), 3).tolist() == [0, 2, 1]


@pytest.mark.parametrize("level", [0, 1, 95, -0.1, float("nan"), "0.95", None])
def test_a_level_that_is_none_is_refused(level) -> None:
    with pytest.raises(EvaluationError, match=r"write 0.95 for 95%"):
        checked_level(level)
    assert checked_level(np.float32(0.5)) == 0.5


@pytest.mark.parametrize("resamples", [0, -1, 1.5, "10", None])
def test_resamples_that_cannot_be_drawn_are_refused(resamples) -> None:
    with pytest.raises(EvaluationError, match="resamples="):
        checked_draws(resamples, 0)


@pytest.mark.parametrize("seed", [-1, 0.5, "a", None])
def test_seeds_that_cannot_be_used_are_refused(seed) -> None:
    with pytest.raises(EvaluationError, match="seed="):
        checked_draws(100, seed)


def test_text_among_scores_with_gaps_is_refused_as_no_number() -> None:
    with pytest.raises(EvaluationError, match="scores are not numbers"):
        scores_with_gaps(["a", "b"])
