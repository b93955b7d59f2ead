"""Figures of an evaluation: the calibration curve, net benefit, and predictive values over prevalences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from medvision.reporting.figures.style import COLOURS, GREY, PaperFigure, new_figure, paper_style

_DASHED = (0, (4, 3))


def probability_figures(curves: Mapping[str, pd.DataFrame], level: float) -> list[PaperFigure]:
    """Return a figure of each curve that an evaluation has.

    Args:
        curves: Tables by name: `calibration_curve` with `probabilities`, `net_benefit`, `predictive_values`.
        level: Of the bands.

    Example:
        >>> probability_figures({}, 0.95)
        []
    """
    figures = []
    if "calibration_curve" in curves:
        figures.append(_calibration(curves["calibration_curve"], curves["probabilities"], level))
    if "net_benefit" in curves:
        figures.append(_net_benefit(curves["net_benefit"], level))
    if "predictive_values" in curves:
        figures.append(_predictive_values(curves["predictive_values"], level))
    return figures


def _calibration(curve: pd.DataFrame, counts: pd.DataFrame, level: float) -> PaperFigure:
    with paper_style():
        figure = new_figure(4.6, 5.9)
        upper, lower = figure.subplots(2, 1, height_ratios=[4, 1])
        upper.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=_DASHED, label="right probabilities")
        _band(upper, curve["probability"], curve, COLOURS[0], "lowess")
        upper.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), ylabel="Observed share")
        upper.legend(loc="upper left")
        width = counts["high"] - counts["low"]
        lower.bar(counts["low"], counts["positive"], width, align="edge", color=COLOURS[1], label="positive")
        lower.bar(counts["low"], -counts["negative"], width, align="edge", color=COLOURS[0], label="negative")
        lower.axhline(0, color="black", linewidth=0.6)
        lower.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
        lower.set(xlim=(-0.01, 1.01), xlabel="Predicted probability", ylabel="Rows")
        lower.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0)
    n = int(counts["positive"].sum() + counts["negative"].sum())
    caption = (
        f"Observed share of positive rows as a smooth function of the predicted probability ({n} rows), with "
        f"its pointwise {100 * level:g}% band from a bootstrap over patients. On the dashed line "
        "probabilities mean what they say. Below: how often each probability was given, by outcome."
    )
    return PaperFigure("calibration", "Calibration", caption, figure)


def _net_benefit(table: pd.DataFrame, level: float) -> PaperFigure:
    with paper_style():
        figure = new_figure(5.4, 4.2)
        axes = figure.add_subplot()
        axes.axhline(0, color="black", linewidth=0.8, label="treat none")
        axes.plot(table["threshold"], table["treat_all"], color=GREY, linestyle=_DASHED, label="treat all")
        _band(
            axes, table["threshold"], table.rename(columns={"net_benefit": "observed"}), COLOURS[0], "model"
        )
        top = float(table[["net_benefit", "high", "treat_all"]].max().max())
        # Treating all falls without bound: what matters lies near and above 0.
        axes.set(ylim=(-max(top, 0.05) / 3, max(top, 0.05) * 1.05))
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.set(xlabel="Threshold probability", ylabel="Net benefit")
        axes.legend(loc="upper right")
    caption = (
        "Net benefit of acting where the predicted probability reaches the threshold, of treating all and of "
        f"treating none, with the pointwise {100 * level:g}% band from a bootstrap over patients."
    )
    return PaperFigure("decision_curve", "Decision curve", caption, figure)


def _predictive_values(table: pd.DataFrame, level: float) -> PaperFigure:
    with paper_style():
        figure = new_figure(5.0, 4.2)
        axes = figure.add_subplot()
        for colour, name in zip(COLOURS, ("ppv", "npv"), strict=False):
            columns = {name: "observed", f"{name}_low": "low", f"{name}_high": "high"}
            own = table[list(columns)].rename(columns=columns)
            _band(axes, table["prevalence"], own, colour, name.upper())
        axes.set_xscale("log")
        stated = table.loc[table["stated"], "prevalence"].to_numpy(dtype=np.float64)
        axes.set_xticks(stated, [f"{100 * value:g}%" for value in stated])
        axes.set_xticks([], minor=True)
        axes.vlines(stated, 0, 1, color=GREY, linewidth=0.6, linestyle=_DASHED, zorder=0)
        axes.set(ylim=(-0.01, 1.01), xlabel="Prevalence", ylabel="Predictive value")
        axes.legend(loc="center right")
    caption = (
        "Positive and negative predictive value where the prevalence differs from that of the sample, if "
        f"sensitivity and specificity stay the same, with {100 * level:g}% limits (Mercaldo)."
    )
    return PaperFigure("predictive_values", "Predictive values and prevalence", caption, figure)


def _band(axes: Axes, x: pd.Series, curve: pd.DataFrame, colour: str, label: str) -> None:
    where = x.to_numpy(dtype=np.float64)
    low, high = (curve[name].to_numpy(dtype=np.float64) for name in ("low", "high"))
    axes.fill_between(where, low, high, color=colour, alpha=0.16, linewidth=0)
    marker = "o" if len(where) == 1 else ""
    axes.plot(where, curve["observed"].to_numpy(dtype=np.float64), color=colour, label=label, marker=marker)
