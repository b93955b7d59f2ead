"""Nested cross-validation against the formulas written out, and against what it promises."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation.nested_validation import nested_cross_validation


def _errors(n: int = 40, k: int = 4, repeats: int = 3, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows = []
    for repeat in range(repeats):
        fold = rng.permutation(n) % k
        hard = rng.normal(size=n)
        for out in range(k):
            rows += [(repeat, unit, fold[unit], out, hard[unit] + rng.normal() / 3) for unit in range(n)]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return dict(zip(("repeats", "units", "folds", "left_out", "errors"), columns, strict=True))


def test_written_out_with_loops() -> None:
    """Algorithm 1 of Bates et al. 2024 with the rescaling and the bias correction that they recommend."""
    table, n, k = _errors(), 40, 4
    a, b, inner_all, outer_all = [], [], [], []
    for repeat in range(3):
        for out in range(k):
            inner, outer = [], []
            for r, f, o, e in zip(
                table["repeats"], table["folds"], table["left_out"], table["errors"], strict=True
            ):
                if r == repeat and o == out:
                    (outer if f == out else inner).append(e)
            a.append((np.mean(inner) - np.mean(outer)) ** 2)
            b.append(np.var(outer, ddof=1) / len(outer))
            inner_all += inner
            outer_all += outer
    mse = (k - 1) / k * (np.mean(a) - np.mean(b))
    least = np.std(inner_all, ddof=1) / math.sqrt(n)
    error = max(least, min(math.sqrt(max(0, mse)), math.sqrt(k) * least))
    bias = (1 + (k - 2) / k) * (np.mean(inner_all) - np.mean(outer_all))
    found = nested_cross_validation(**table)
    assert found.standard_error == pytest.approx(error, rel=1e-12)
    assert found.value == pytest.approx(np.mean(inner_all) - bias, rel=1e-10)
    assert found.high - found.value == pytest.approx(1.959964 * error, rel=1e-6)
    assert found.naive.value == pytest.approx(np.mean(outer_all), rel=1e-10)
    assert (found.n_units, found.n_patients, found.repeats) == (40, 40, 3)
    assert 1 <= found.inflation <= 2


def test_the_order_of_rows_does_not_matter() -> None:
    table = _errors()
    order = np.random.default_rng(1).permutation(len(table["errors"]))
    moved = nested_cross_validation(**{name: column[order] for name, column in table.items()})
    found = nested_cross_validation(**table)
    assert (moved.value, moved.low) == pytest.approx((found.value, found.low), rel=1e-12)


def test_units_of_one_patient_count_once() -> None:
    table = _errors()
    twice = {name: np.concatenate([column, column]) for name, column in table.items()}
    twice["units"] = np.concatenate([table["units"], table["units"] + 1000])
    patients = np.concatenate([table["units"], table["units"]])
    found, single = nested_cross_validation(**twice, patients=patients), nested_cross_validation(**table)
    assert (found.low, found.high) == pytest.approx((single.low, single.high), rel=1e-12)
    assert (found.n_units, found.n_patients) == (80, 40)


def test_no_error_at_all_has_no_interval() -> None:
    table = _errors() | {"errors": np.zeros(480)}
    found = nested_cross_validation(**table)
    assert found.status == "degenerate_variance"
    assert math.isnan(found.low)


def test_what_is_not_complete_is_named() -> None:
    table = _errors()
    with pytest.raises(EvaluationError, match="repeat 0, unit 0 is not there once"):
        nested_cross_validation(**{name: column[1:] for name, column in table.items()})
    moved = table["folds"].copy()
    moved[0] = (moved[0] + 1) % 4
    with pytest.raises(EvaluationError, match="unit 0 stands in several folds"):
        nested_cross_validation(**table | {"folds": moved})
    with pytest.raises(EvaluationError, match="three or more"):
        nested_cross_validation([0.1, 0.2], [0, 0], [0, 0], [0, 1])


def test_it_covers_where_the_naive_interval_does_not() -> None:
    """Least squares on 16 variables that mean nothing, 48 cases: the error of the model of all cases."""
    rng = np.random.default_rng(7)
    k, n, p = 6, 48, 16
    fold = np.arange(n) % k
    hits = {"naive": 0, "nested": 0}
    draws = 150
    for _ in range(draws):
        x, y = rng.normal(size=(n, p)), rng.normal(size=n)
        beta = np.linalg.lstsq(x, y, rcond=None)[0]
        truth = 1 + float(beta @ beta)  # expected squared error on new cases
        rows = []
        for out in range(k):
            for other in range(k):
                seen = (fold != out) & (fold != other)
                here = fold == other
                own = np.linalg.lstsq(x[seen], y[seen], rcond=None)[0]
                rows += [(unit, other, out, e) for unit, e in zip(
                    np.flatnonzero(here), (y[here] - x[here] @ own) ** 2, strict=True)]  # fmt: skip
        units, folds, left_out, errors = (np.array(column) for column in zip(*rows, strict=True))
        found = nested_cross_validation(errors, units, folds, left_out)
        hits["nested"] += found.low <= truth <= found.high
        hits["naive"] += found.naive.low <= truth <= found.naive.high
    assert hits["nested"] > hits["naive"]
    assert hits["nested"] / draws > 0.88
