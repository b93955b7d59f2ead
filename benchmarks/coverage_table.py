"""What a simulated setting is, how it is run, and the Markdown that comes out of it."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medvision.errors import EvaluationError
from medvision.evaluation import Comparison, Estimate

LOW, HIGH = 0.935, 0.965
Method = Callable[[Any], Any]


@dataclass(frozen=True)
class Setting:
    """A way to draw samples, what is true of them, and the methods that are tried on each.

    ``truth`` is None where the methods are tests of a true null hypothesis and return p.
    """

    section: str
    name: str
    draw: Callable[[np.random.Generator], Any]
    truth: float | None
    ours: dict[str, Method]
    others: dict[str, Method] = field(default_factory=dict)
    draws: int = 10_000


def simulated(
    settings: Iterable[Setting], draws: int, seed: int, tick: Callable[[str, int], None]
) -> Iterator[dict]:
    """A row for each method of each setting; ``draws`` caps the draws of every setting."""
    for setting in settings:
        rng = np.random.default_rng([seed, zlib.crc32(f"{setting.section} {setting.name}".encode())])
        methods = setting.ours | setting.others
        found: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in methods}
        n = min(draws, setting.draws)
        for _ in range(n):
            sample = setting.draw(rng)
            for name, method in methods.items():
                found[name].append(_outcome(method, sample, setting.truth))
            tick(setting.name, 1)
        for name, rows in found.items():
            yield _row(setting, name, np.array(rows, dtype=float))


def _outcome(method: Method, sample: Any, truth: float | None) -> tuple[float, float, bool]:
    """Covered (or rejected), width, and whether the status was not ok; NaN where there was no answer."""
    try:
        result = method(sample)
    except EvaluationError:
        return math.nan, math.nan, True
    if truth is None:
        p, status = (result.p, result.status) if isinstance(result, Comparison) else (result, "ok")
        return (math.nan if math.isnan(p) else float(p < 0.05)), math.nan, status != "ok"
    if isinstance(result, Comparison):
        result = result.difference
    low, high, status = (
        (result.low, result.high, result.status) if isinstance(result, Estimate) else (*result, "ok")
    )
    if math.isnan(low) or math.isnan(high):
        return math.nan, math.nan, True
    slack = 1e-9  # a limit that is the true value up to rounding covers it
    return float(low - slack <= truth <= high + slack), high - low, status != "ok"


def _row(setting: Setting, name: str, rows: np.ndarray) -> dict:
    answered, flagged = ~np.isnan(rows[:, 0]), rows[:, 2] > 0
    share = float(rows[answered, 0].mean()) if answered.any() else math.nan
    return {
        "section": setting.section,
        "setting": setting.name,
        "method": name if name in setting.ours else f"*{name}*",
        "draws": len(rows),
        "share": share,
        "error": math.sqrt(share * (1 - share) / max(answered.sum(), 1)),
        "width": float(np.median(rows[answered, 1])) if setting.truth is not None else math.nan,
        "mean_width": _finite_mean(rows[answered, 1]),
        "flagged": float(flagged.mean()),
        "none": float(1 - answered.mean()),
        "test": setting.truth is None,
    }


def _finite_mean(widths: np.ndarray) -> float:
    return float(widths.mean()) if len(widths) and np.isfinite(widths).all() else math.inf


def verdict(row: dict) -> str:
    """Held, conservative, short or too often, and whether the status says so."""
    share, slack = row["share"], 2 * row["error"]
    if math.isnan(share):
        return "no answer"
    low, high = (0.0, 0.06) if row["test"] else (LOW, HIGH)
    bad, kind = (share > high, "too often") if row["test"] else (share < low, "short")
    if bad:
        near = share - slack <= high if row["test"] else share + slack >= low
        told = " (within error)" if near else ""
        return f"{kind}{told}, flagged" if row["flagged"] > 0.5 else f"{kind}{told}"
    if (row["test"] and share < 0.04) or (not row["test"] and share > high):
        return "conservative"
    return "held"


def table(rows: list[dict]) -> str:
    """The rows of one section."""
    test = rows[0]["test"]
    head = ["setting", "test" if test else "interval", "draws", "p < 0.05" if test else "coverage", "± MC"]
    head += ([] if test else ["mean width"]) + ["flagged", "verdict"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        share = f"{row['share']:.3f}"
        cells = [row["setting"], row["method"], f"{row['draws']:,}", share, f"{row['error']:.3f}"]
        if not test:
            width = row["mean_width"]
            cells.append(f"{width:.3f}" if width < 1e6 else f"{row['width']:.3g} (median)")
        cells += [f"{100 * row['flagged']:.0f}%" if row["flagged"] else "", verdict(row)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
