"""A number with its interval, and a difference with its test: what every function here returns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

OK = "ok"
UNDEFINED_NO_UNITS = "undefined_no_units"
ONE_CLASS = "one_class"
DEGENERATE_VARIANCE = "degenerate_variance"
FEW_UNITS = "fewer_than_10_units"


@dataclass(frozen=True)
class Estimate:
    """A value, its confidence interval, and what both rest on.

    Attributes:
        value: The estimate; NaN where it is undefined, never 0 in its place.
        low: Lower confidence limit.
        high: Upper confidence limit.
        level: Confidence level, 0.95 for 95%.
        method: How the interval was made.
        n_units: Units (lesions, scans, cases) that the value rests on.
        n_patients: Patients that they belong to.
        status: ``ok``, or why the number needs care: ``undefined_no_units``, ``one_class``,
            ``degenerate_variance``, ``fewer_than_10_units`` …
        standard_error: Where the method has one.
        seed: Of the resampling, where there was one.

    Example:
        >>> print(Estimate(0.857, 0.797, 0.899, 0.95, "wilson", 161, 161))
        0.857 (95% CI 0.797–0.899)
    """

    value: float
    low: float
    high: float
    level: float = 0.95
    method: str = ""
    n_units: int = 0
    n_patients: int = 0
    status: str = OK
    standard_error: float | None = None
    seed: int | None = None

    def __str__(self) -> str:
        return self.text()

    def text(self, digits: int = 3) -> str:
        """The estimate with this many decimals.

        Example:
            >>> Estimate(-2.12, -22.1, 17.8, method="t").text(1)
            '-2.1 (95% CI -22.1 to 17.8)'
        """
        return self._written(lambda number: _fixed(number, digits), "")

    def percent(self, digits: int = 1) -> str:
        """The estimate in percent.

        Example:
            >>> Estimate(0.857, 0.797, 0.899, 0.95, "wilson", 161, 161).percent()
            '85.7% (95% CI 79.7–89.9)'
        """
        return self._written(lambda number: _fixed(100 * number, digits), "%")

    def _written(self, number: Callable[[float], str], unit: str) -> str:
        if math.isnan(self.value):
            reason = self.status.removeprefix("undefined_").replace("_", " ")
            return f"undefined ({reason})" if reason not in ("", OK, "undefined") else "undefined"
        level = f"{100 * self.level:g}% CI"
        if math.isnan(self.low) or math.isnan(self.high):
            return f"{number(self.value)}{unit} ({level} undefined)"
        # An en dash between negative numbers reads as another minus.
        dash = " to " if self.low < 0 else "–"
        return f"{number(self.value)}{unit} ({level} {number(self.low)}{dash}{number(self.high)})"

    def to_dict(self) -> dict[str, float | int | str | None]:
        """Plain values that JSON can hold: what is not finite becomes None, and the status says why.

        Example:
            >>> Estimate(float("nan"), 0, 1, status="undefined_no_units").to_dict()["value"] is None
            True
        """
        return {field.name: _plain(getattr(self, field.name)) for field in fields(Estimate)}

    def with_status(self, status: str) -> Estimate:
        """The same estimate with another status.

        Example:
            >>> Estimate(0.5, 0.4, 0.6).with_status("one_class").status
            'one_class'
        """
        return replace(self, status=status)


@dataclass(frozen=True)
class Comparison:
    """The difference of two measurements, first minus second, with its interval and its test.

    Attributes:
        difference: First minus second.
        statistic: Of the test; what it is stands in ``method``.
        p: Two-sided p-value; NaN where the test is undefined.
        method: The test.
        df: Degrees of freedom, where the test has them.
        first: The first measurement, where there is one.
        second: The second.

    Example:
        >>> print(Comparison(Estimate(0.05, 0.01, 0.09), 2.45, 0.0143, "paired DeLong"))
        difference 0.050 (95% CI 0.010–0.090), p = 0.014
    """

    difference: Estimate
    statistic: float
    p: float
    method: str
    df: float | None = None
    first: Estimate | None = None
    second: Estimate | None = None

    def __str__(self) -> str:
        return f"difference {self.difference}, {p_text(self.p)}"

    @property
    def status(self) -> str:
        """That of the difference."""
        return self.difference.status

    def to_dict(self) -> dict[str, object]:
        """Plain values that JSON can hold.

        Example:
            >>> Comparison(Estimate(0.05, 0.01, 0.09), 2.4, 0.01, "z").to_dict()["p"]
            0.01
        """
        return {
            "difference": self.difference.to_dict(),
            "statistic": _plain(self.statistic),
            "p": _plain(self.p),
            "method": self.method,
            "df": _plain(self.df),
            "first": None if self.first is None else self.first.to_dict(),
            "second": None if self.second is None else self.second.to_dict(),
        }


def undefined(status: str, *, level: float, method: str, n_units: int, n_patients: int) -> Estimate:
    """An estimate that cannot be made, and why.

    Example:
        >>> print(undefined("one_class", level=0.95, method="delong", n_units=5, n_patients=5))
        undefined (one class)
    """
    return Estimate(math.nan, math.nan, math.nan, level, method, n_units, n_patients, status)


def p_text(p: float) -> str:
    """A p-value as papers print it.

    Example:
        >>> p_text(0.00004), p_text(0.0312), p_text(0.24)
        ('p < 0.001', 'p = 0.031', 'p = 0.24')
    """
    if math.isnan(p):
        return "p undefined"
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def _fixed(number: float, digits: int) -> str:
    text = f"{number:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def _plain(value: float | int | str | None) -> float | int | str | None:
    if value is None or isinstance(value, str | int):
        return value
    return float(value) if math.isfinite(value) else None
