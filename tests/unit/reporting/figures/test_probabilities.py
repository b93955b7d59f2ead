"""Figures of an evaluation: what is drawn is what was measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medvision.evaluation import decision_curve
from medvision.reporting.figures.probabilities import probability_figures
from medvision.workflows.evaluate import evaluate
from medvision.workflows.evaluation_tables import save_curves


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    p = rng.random(120).round(3)
    table = pd.DataFrame({"label": (rng.random(120) < p).astype(int), "score": p})
    return evaluate(
        table, label="label", score="score", threshold=0.5, calibration=True,
        decision_curve="0.1:0.5:0.1", prevalence=[0.01, 0.1],
    ), table  # fmt: skip


def _figures(found):
    return {figure.name: figure for figure in probability_figures(found.curves, 0.95)}


def _line(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


def test_the_calibration_curve_and_the_counts_below(found) -> None:
    evaluation, table = found
    upper, lower = _figures(evaluation)["calibration"].figure.axes
    curve = evaluation.curves["calibration_curve"]
    np.testing.assert_array_equal(_line(upper, "lowess").get_ydata(), curve["observed"])
    heights = [patch.get_height() for patch in lower.patches]
    assert sum(h for h in heights if h > 0) == table["label"].sum()
    assert -sum(h for h in heights if h < 0) == (1 - table["label"]).sum()


def test_the_decision_curve(found) -> None:
    evaluation, table = found
    (axes,) = _figures(evaluation)["decision_curve"].figure.axes
    expected = decision_curve(table["label"], table["score"], [0.1, 0.2, 0.3, 0.4, 0.5])
    np.testing.assert_allclose(_line(axes, "model").get_ydata(), expected["net_benefit"])
    np.testing.assert_allclose(_line(axes, "treat all").get_ydata(), expected["treat_all"])


def test_predictive_values_pass_through_those_of_the_table(found) -> None:
    evaluation, _ = found
    (axes,) = _figures(evaluation)["predictive_values"].figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1%", "10%"]
    record = next(r for r in evaluation.estimates if (r["metric"], r["group"]) == ("ppv", "prevalence 0.1"))
    line = _line(axes, "PPV")
    assert line.get_ydata()[list(line.get_xdata()).index(0.1)] == record["value"]


def test_files_and_captions_are_written(found, tmp_path) -> None:
    save_curves(found[0], tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"calibration.svg", "decision_curve.pdf", "predictive_values.png", "net_benefit_data.csv"} <= names
    assert "(120 rows)" in (tmp_path / "captions.md").read_text(encoding="utf-8")


def test_without_curves_nothing_is_written(found, tmp_path) -> None:
    plain = evaluate(found[1], label="label", score="score")
    assert probability_figures(plain.curves, 0.95) == []
    save_curves(plain, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_single_threshold_is_a_point(found) -> None:
    one = evaluate(found[1], label="label", score="score", decision_curve=[0.3])
    (axes,) = _figures(one)["decision_curve"].figure.axes
    assert _line(axes, "model").get_marker() == "o"
