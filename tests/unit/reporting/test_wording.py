"""Numbers in words: what a reader may take a number for must be what it is."""

import math

import pytest

from medvision.reporting.estimates import ReportedEstimate
from medvision.reporting.wording import (
    count,
    digits_for,
    plural,
    print_difference,
    print_estimate,
    print_number,
    print_p,
    print_range,
    print_rule,
    print_sample,
    reason,
)

NAN = math.nan


def estimate(value, low, high, metric="auroc", **more):
    return ReportedEstimate(
        value, low, high, more.pop("level", 0.95), "method", 100, 80, metric=metric, **more
    )


@pytest.mark.parametrize(
    ("found", "printed"),
    [
        (estimate(0.857, 0.797, 0.899), "0.857 (95% CI 0.797–0.899)"),
        (estimate(0.857, 0.797, 0.899, level=0.9), "0.857 (90% CI 0.797–0.899)"),
        (estimate(0.857, 0.797, 0.899, "sensitivity"), "85.7% (95% CI 79.7–89.9)"),
        (estimate(1.0, 0.832, 1.0, "specificity"), "100.0% (95% CI 83.2–100.0)"),
        (estimate(2.345, 1.5, 3.0, "hd95_mm", unit="mm"), "2.35 mm (95% CI 1.50–3.00)"),
        (estimate(-0.02, -0.11, 0.03, "mcc"), "−0.020 (95% CI −0.110 to 0.030)"),
        (estimate(-1.2, -3.4, 1.0, "volume_error_percent", unit="%"), "−1.2% (95% CI −3.4 to 1.0)"),
        (estimate(0.91, NAN, NAN), "0.910 (no 95% CI)"),
        (estimate(4.2, 1.9, NAN, "lr_positive"), "4.20 (95% CI 1.90 to undefined)"),
        (estimate(NAN, 0.0, 1.0, status="one_class"), "undefined (only one class present)"),
        (estimate(NAN, NAN, NAN, status="undefined_no_units"), "undefined (no units in the denominator)"),
        (estimate(NAN, NAN, NAN), "undefined (reason not recorded)"),
    ],
)
def test_an_estimate_carries_unit_level_and_interval_or_the_reason(found, printed):
    assert print_estimate(found) == printed


def test_undefined_is_never_printed_as_a_number():
    printed = print_estimate(estimate(NAN, 0.0, 1.0, "sensitivity", status="undefined_no_units"))
    assert not any(character.isdigit() for character in printed)


def test_small_volumes_keep_enough_digits_to_be_told_from_zero():
    assert print_estimate(estimate(0.031, 0.012, 0.049, "volume_error_ml", unit="ml")).startswith("0.031 ml")
    assert print_estimate(estimate(1512.3, 1400.0, 1600.0, "volume_error_ml", unit="ml")).startswith(
        "1512 ml"
    )


@pytest.mark.parametrize(
    ("p", "printed"),
    [
        (0.0, "<0.001"),
        (0.00099, "<0.001"),
        (0.001, "0.001"),
        (0.0499, "0.050"),
        (0.9995, ">0.999"),
        (1.0, ">0.999"),
    ],
)
def test_p_values_as_journals_want_them(p, printed):
    assert print_p(p) == printed


def test_a_difference_of_proportions_is_in_percentage_points():
    printed = print_difference(estimate(-0.05, -0.11, 0.01), "sensitivity")
    assert printed == "−5.0 percentage points (95% CI −11.0 to 1.0)"


def test_a_difference_of_areas_carries_its_sign():
    assert print_difference(estimate(0.021, 0.004, 0.038), "auroc") == "+0.021 (95% CI 0.004–0.038)"
    assert print_difference(estimate(NAN, NAN, NAN, status="one_class"), "auroc").startswith("undefined")


def test_minus_zero_is_zero():
    assert print_number(-0.0004, 2) == "0.00"
    assert print_range(-0.0004, 0.5, 2) == "0.00–0.50"


def test_reasons_read_as_words():
    assert reason("degenerate_variance") == "no variance that an interval could rest on"
    assert reason("fewer_than_10_units") == "fewer than 10 units"


def test_counts_take_their_nouns_along():
    assert [count(n, "nodule") for n in (0, 1, 2)] == ["0 nodules", "1 nodule", "2 nodules"]
    assert [plural(noun, 2) for noun in ("biopsy", "mass", "day", "scan")] == [
        "biopsies",
        "masses",
        "days",
        "scans",
    ]
    assert print_sample(725, 393, "nodule") == "725 nodules of 393 patients"
    assert print_sample(None, None, "scan") == "n not recorded"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("specificity>=0.9", "specificity ≥ 0.9"),
        ("fixed:0.5", "fixed at 0.5"),
        ("my own rule", "my own rule"),
    ],
)
def test_rules_in_words(rule, words):
    assert print_rule(rule) == words


def test_digits_follow_the_width():
    assert [digits_for(width) for width in (300.0, 3.0, 0.3, 0.03, math.inf)] == [0, 1, 2, 3, 2]


def test_an_undefined_number_without_a_reason_says_so_once():
    nothing = ReportedEstimate(math.nan, math.nan, math.nan, 0.95, "", 0, 0, metric="mcc", status="undefined")
    assert print_estimate(nothing) == "undefined"
