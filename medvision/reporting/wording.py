"""Numbers, counts and reasons in words, the same way everywhere in the report."""

from __future__ import annotations

import math
import re

from medvision.reporting.estimates import ReportedEstimate
from medvision.reporting.measures import measure, unit_of

_REASONS = {
    "undefined_no_units": "no units in the denominator",
    "no_units": "no units in the denominator",
    "one_class": "only one class present",
    "degenerate_variance": "no variance that an interval could rest on",
    "few_units": "fewer than 10 units",
    "enriched_no_prevalence": "enriched sample without a stated prevalence",
}


def print_number(value: float, decimals: int) -> str:
    """Print with a true minus sign, and never as minus zero.

    Example:
        >>> print_number(-0.04, 1), print_number(-1.25, 2), print_number(float("inf"), 1)
        ('0.0', '−1.25', '∞')
    """
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{decimals}f}"
    if not text.strip("-0."):
        text = text.lstrip("-")
    return text.replace("-", "−")


def print_range(low: float, high: float, decimals: int) -> str:
    """Print two limits: with an en dash, or with `to` where a minus sign would be misread.

    Example:
        >>> print_range(0.797, 0.899, 3), print_range(-0.02, 0.05, 2)
        ('0.797–0.899', '−0.02 to 0.05')
    """
    left, right = print_number(low, decimals), print_number(high, decimals)
    return f"{left} to {right}" if re.search("−|undefined", left + right) else f"{left}–{right}"


def print_p(p: float) -> str:
    """Print a p-value as journals want it.

    Example:
        >>> print_p(0.0000123), print_p(0.0421), print_p(0.99996), print_p(float("nan"))
        ('<0.001', '0.042', '>0.999', 'undefined')
    """
    if math.isnan(p):
        return "undefined"
    if p < 0.001:
        return "<0.001"
    return ">0.999" if p > 0.999 else f"{p:.3f}"


def print_estimate(estimate: ReportedEstimate, *, interval_name: bool = True) -> str:
    """Print value, unit and interval, or `undefined` with the reason; never 0 for what is undefined.

    Args:
        estimate: One number of the study.
        interval_name: Write `95% CI` before the limits.

    Example:
        >>> auc = ReportedEstimate(0.857, 0.797, 0.899, 0.95, "logit", 113, 100, metric="auroc")
        >>> print_estimate(auc)
        '0.857 (95% CI 0.797–0.899)'
        >>> rate = ReportedEstimate(0.857, 0.797, 0.899, 0.95, "wilson", 113, 100, metric="sensitivity")
        >>> print_estimate(rate, interval_name=False)
        '85.7% (79.7–89.9)'
    """
    if not estimate.defined:
        return "undefined" if estimate.status == "undefined" else f"undefined ({reason(estimate.status)})"
    shown = measure(estimate.metric)
    factor = 100.0 if shown.percent else 1.0
    decimals = decimals_of(estimate)
    unit = "%" if shown.percent else _spaced(estimate.unit or unit_of(estimate.metric))
    value = print_number(factor * estimate.value, decimals) + unit
    name = f"{100 * estimate.level:g}% CI " if interval_name else ""
    if not estimate.has_interval:
        return f"{value} (no {name or 'interval '}".rstrip() + ")"
    return f"{value} ({name}{print_range(factor * estimate.low, factor * estimate.high, decimals)})"


def decimals_of(estimate: ReportedEstimate) -> int:
    """Return the digits after the point: the metric's own, and for volumes by the width of the interval.

    Example:
        >>> decimals_of(ReportedEstimate(0.031, 0.012, 0.049, 0.95, "", 9, 9, metric="volume_error_ml"))
        3
    """
    usual = measure(estimate.metric).decimals
    if (estimate.unit or unit_of(estimate.metric)) != "ml":
        return usual
    # Volumes reach from a nodule's 0.05 ml to a liver's 1,500 ml: fixed digits would print 0.00–0.00.
    width = estimate.high - estimate.low
    return digits_for(width if width == width else abs(estimate.value), usual)


def digits_for(width: float, usual: int = 2) -> int:
    """Return how many digits after the point show an interval of this width with two figures.

    Example:
        >>> digits_for(0.043), digits_for(160.0), digits_for(0.0)
        (3, 0, 2)
    """
    if not (math.isfinite(width) and width > 0):
        return usual
    return min(max(1 - math.floor(math.log10(width)), 0), 4)


def print_difference(estimate: ReportedEstimate, metric: str) -> str:
    """Print a difference with its sign; of proportions in percentage points.

    Example:
        >>> d = ReportedEstimate(0.021, -0.004, 0.046, 0.95, "DeLong", 725, 393)
        >>> print_difference(d, "auroc")
        '+0.021 (95% CI −0.004 to 0.046)'
    """
    if not estimate.defined:
        return "undefined" if estimate.status == "undefined" else f"undefined ({reason(estimate.status)})"
    shown = measure(metric)
    factor = 100.0 if shown.percent else 1.0
    unit = " percentage points" if shown.percent else _spaced(estimate.unit or unit_of(metric))
    value = print_number(factor * estimate.value, shown.decimals)
    sign = "+" if float(value.replace("−", "-").replace("∞", "inf")) > 0 else ""
    if not estimate.has_interval:
        return f"{sign}{value}{unit} (no {100 * estimate.level:g}% CI)"
    limits = print_range(factor * estimate.low, factor * estimate.high, shown.decimals)
    return f"{sign}{value}{unit} ({100 * estimate.level:g}% CI {limits})"


def reason(status: str) -> str:
    """Say in words why a number is undefined or to be read with care.

    Example:
        >>> reason("one_class"), reason("undefined_all_masks_empty")
        ('only one class present', 'all masks empty')
    """
    if status in _REASONS:
        return _REASONS[status]
    if status == "ok":
        return "reason not recorded"
    return status.removeprefix("undefined_").replace("_", " ")


def print_rule(rule: str) -> str:
    """Say a threshold rule of the study file in words.

    Example:
        >>> print_rule("youden"), print_rule("sensitivity>=0.95"), print_rule("cost:5")
        ('largest Youden index', 'sensitivity ≥ 0.95', 'a missed case costs 5 false alarms')
    """
    kind, _, value = rule.partition(":")
    if rule == "youden":
        return "largest Youden index"
    if kind == "fixed" and value:
        return f"fixed at {value}"
    if kind == "cost" and value:
        return f"a missed case costs {value} false alarms"
    return rule.replace(" ", "").replace(">=", " ≥ ") if ">=" in rule else rule


def plural(noun: str, n: int) -> str:
    """Return the noun for `n` of them.

    Example:
        >>> plural("nodule", 1), plural("biopsy", 3), plural("mass", 2)
        ('nodule', 'biopsies', 'masses')
    """
    if n == 1:
        return noun
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return noun + ("es" if re.search(r"(s|x|z|ch|sh)$", noun) else "s")


def count(n: int, noun: str) -> str:
    """Return the number with its noun.

    Example:
        >>> count(1500, "nodule")
        '1,500 nodules'
    """
    return f"{n:,} {plural(noun, n)}"


def print_sample(n_units: int | None, n_patients: int | None, unit: str) -> str:
    """Say how many units of how many patients; one number where a unit is a patient.

    Example:
        >>> print_sample(725, 393, "nodule"), print_sample(40, 40, "patient"), print_sample(None, 40, "scan")
        ('725 nodules of 393 patients', '40 patients', '40 patients')
    """
    if unit == "patient" and n_units == n_patients and n_units is not None:
        return count(n_units, "patient")
    parts = [count(n, noun) for n, noun in ((n_units, unit), (n_patients, "patient")) if n is not None]
    return " of ".join(parts) or "n not recorded"


def _spaced(unit: str) -> str:
    return unit if unit in ("", "%") else f" {unit}"
