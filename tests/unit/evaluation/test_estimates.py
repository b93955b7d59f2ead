"""How numbers print, and what becomes of what is undefined."""

from __future__ import annotations

import json
import math

import pytest

from medvision.evaluation import Comparison, Estimate
from medvision.evaluation.estimates import p_text

NAN = float("nan")


def test_the_texts_of_the_specification() -> None:
    estimate = Estimate(0.857, 0.797, 0.899, 0.95, "wilson", 161, 161)
    assert str(estimate) == "0.857 (95% CI 0.797–0.899)"
    assert estimate.percent() == "85.7% (95% CI 79.7–89.9)"


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(NAN, 0, 1, status="undefined_no_units"), "undefined (no units)"),
        (Estimate(NAN, NAN, NAN, status="one_class"), "undefined (one class)"),
        (Estimate(NAN, NAN, NAN), "undefined"),
        (Estimate(0.5, NAN, NAN), "0.500 (95% CI undefined)"),
        (Estimate(-0.065, -0.124, -0.005), "-0.065 (95% CI -0.124 to -0.005)"),
        (Estimate(-0.0001, -0.1, 0.1), "0.000 (95% CI -0.100 to 0.100)"),
        (Estimate(0.5, 0.4, 0.6, level=0.9), "0.500 (90% CI 0.400–0.600)"),
        (Estimate(0.5, 0.4, 0.6, level=0.975), "0.500 (97.5% CI 0.400–0.600)"),
        (Estimate(math.inf, 2.0, math.inf), "inf (95% CI 2.000–inf)"),
    ],
)
def test_awkward_estimates_print_what_they_are(estimate: Estimate, text: str) -> None:
    assert str(estimate) == text


def test_what_is_not_finite_becomes_null_in_json() -> None:
    plain = Estimate(NAN, 0.0, math.inf, status="one_class").to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False))["value"] is None
    assert plain["high"] is None
    assert plain["status"] == "one_class"


def test_a_comparison_prints_and_becomes_json() -> None:
    found = Comparison(Estimate(0.05, 0.01, 0.09), 2.45, 0.0143, "z", None, Estimate(0.9, 0.8, 1.0))
    assert str(found) == "difference 0.050 (95% CI 0.010–0.090), p = 0.014"
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["first"]["value"] == 0.9
    assert plain["second"] is None
    assert found.status == "ok"


@pytest.mark.parametrize(
    ("p", "text"), [(0.0009, "p < 0.001"), (0.049, "p = 0.049"), (0.5, "p = 0.50"), (NAN, "p undefined")]
)
def test_p_values_as_papers_print_them(p: float, text: str) -> None:
    assert p_text(p) == text


def test_results_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Estimate(0.5, 0.4, 0.6).value = 1.0  # type: ignore[misc]
