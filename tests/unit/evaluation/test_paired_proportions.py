"""Two proportions: paired, clustered, independent."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import compare_proportions


def test_swapping_turns_the_sign() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 2, (2, 60))
    for method in ("tango", "newcombe"):
        one, other = (compare_proportions(x, y, method=method) for x, y in ((a, b), (b, a)))
        assert one.difference.low == pytest.approx(-other.difference.high, abs=1e-9)
        assert one.p == other.p


def test_clustered_pairs_with_one_unit_a_patient_are_the_wald_test() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 2, (2, 200))
    found = compare_proportions(np.repeat(a, 2), np.repeat(b, 2), patients=np.repeat(np.arange(200), 2))
    gap = a - b
    assert found.statistic == pytest.approx(gap.mean() / (gap.std(ddof=1) / math.sqrt(200)), rel=1e-9)
    assert found.difference.n_patients == 200


def test_clustered_pairs_that_never_differ() -> None:
    found = compare_proportions([1, 1, 0, 0], [1, 1, 0, 0], patients=["A", "A", "B", "B"])
    assert found.p == 1.0
    assert found.difference.low < 0 < found.difference.high


@pytest.mark.parametrize("paired", [True, False])
def test_without_units_there_is_no_difference(paired: bool) -> None:
    found = compare_proportions([], [], paired=paired)
    assert math.isnan(found.difference.value)
    assert math.isnan(found.p)


@pytest.mark.parametrize(
    "arguments",
    [
        {"paired": True, "method": "miettinen_nurminen"},
        {"paired": False, "method": "tango"},
        {"paired": False, "patients": [1, 2]},
    ],
)
def test_methods_that_do_not_fit_are_refused(arguments) -> None:
    with pytest.raises(EvaluationError):
        compare_proportions([0, 1], [1, 1], **arguments)


def test_paired_lengths_must_agree() -> None:
    with pytest.raises(EvaluationError, match="differ in length"):
        compare_proportions([0, 1], [1])


@pytest.mark.parametrize(("patients", "status"), [(39, "fewer_than_40_patients"), (40, "ok")])
def test_few_patients_of_several_units_say_so(patients: int, status: str) -> None:
    owners = np.repeat(np.arange(patients), 2)
    first, second = np.arange(2 * patients) % 3 > 0, np.arange(2 * patients) % 5 > 1
    found = compare_proportions(first.astype(int), second.astype(int), patients=owners)
    assert found.status == status
