"""Predicted against reference volumes: bias and limits of agreement (Bland & Altman)."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from medvision.evaluation import BlandAltman, Estimate, bland_altman
from medvision.reporting.contents import RunContents
from medvision.reporting.figures.style import COLOURS, GREY, PaperFigure, new_figure, paper_style
from medvision.reporting.tables.segmentation import case_values
from medvision.reporting.wording import count, digits_for, print_number, print_range, print_sample

_DASHED = (0, (5, 3))
# From fewer cases no spread can be judged.
_FEWEST = 3


def agreement_figure(contents: RunContents) -> PaperFigure | None:
    """Draw a Bland–Altman plot of the volumes of each structure; None where volumes were not measured.

    Bias and limits, each with its interval, are those of `medvision.evaluation.bland_altman`; with
    several cases a patient their intervals count patients.
    """
    scores = contents.segmentation
    if scores is None or not {"volume_reference_ml", "volume_prediction_ml"} <= set(scores.columns):
        return None
    pairs = {name: paired_volumes(scores, name) for name in contents.structures}
    pairs = {name: table for name, table in pairs.items() if len(table)}
    if not pairs:
        return None
    across = min(len(pairs), 3)
    down = -(-len(pairs) // across)
    sentences = []
    with paper_style():
        figure = new_figure(3.5 * across, 3.4 * down)
        panels = figure.subplots(down, across, squeeze=False).ravel()
        for axes in panels[len(pairs) :]:
            axes.set_axis_off()
        for place, (axes, (name, table)) in enumerate(zip(panels, pairs.items(), strict=False)):
            found = _agreement(table, contents.level)
            _draw(axes, name, table, found, COLOURS[place % len(COLOURS)])
            sentences.append(_sentence(name, table, found, contents))
    return PaperFigure(
        "agreement", "Agreement of volumes (Bland–Altman)", _caption(contents, sentences), figure
    )


def paired_volumes(scores: pd.DataFrame, structure: str) -> pd.DataFrame:
    """Return reference, prediction (ml) and patient of each case that has the structure in either mask.

    Two empty masks agree by definition; counting them would flatter the limits.

    Example:
        >>> scores = pd.DataFrame({"case_id": ["a", "b"], "patient_id": ["A", "B"], "structure": "liver",
        ...                        "volume_reference_ml": [0.0, 2.0], "volume_prediction_ml": [0.0, 1.5]})
        >>> paired_volumes(scores, "liver").values.tolist()
        [[2.0, 1.5, 'B']]
    """
    table = pd.DataFrame(
        {
            "reference": case_values(scores, structure, "volume_reference_ml"),
            "prediction": case_values(scores, structure, "volume_prediction_ml"),
        }
    ).dropna()
    table = table[(table["reference"] > 0) | (table["prediction"] > 0)]
    patients = scores.drop_duplicates("case_id").set_index("case_id")["patient_id"]
    return table.assign(patient=patients.loc[table.index])


def _agreement(table: pd.DataFrame, level: float) -> BlandAltman | None:
    if table["patient"].nunique() < _FEWEST:
        return None
    return bland_altman(table["prediction"], table["reference"], patients=table["patient"], level=level)


def _draw(axes: Axes, name: str, table: pd.DataFrame, found: BlandAltman | None, colour: str) -> None:
    means = table[["reference", "prediction"]].mean(axis=1)
    axes.scatter(
        means, table["prediction"] - table["reference"], s=13, color=colour, alpha=0.6, linewidths=0, zorder=3
    )
    axes.axhline(0, color=GREY, linewidth=0.7)
    if found:
        axes.axhline(found.bias.value, color=colour, linewidth=1.2)
        for limit in found.limits_of_agreement:
            axes.axhline(limit.value, color=colour, linewidth=1.2, linestyle=_DASHED)
        for line in (found.bias, *found.limits_of_agreement):
            axes.axhspan(line.low, line.high, color=colour, alpha=0.10, linewidth=0)
            axes.annotate(
                print_number(line.value, _digits(found)), (1.0, line.value), fontsize=7.5,
                xycoords=("axes fraction", "data"), ha="left", va="center", xytext=(3, 0),
                textcoords="offset points",
            )  # fmt: skip
    axes.set_title(f"{name} (n = {len(table)})")
    axes.set(xlabel="Mean of both volumes (ml)", ylabel="Prediction − reference (ml)")
    axes.margins(x=0.06, y=0.12)


def _digits(found: BlandAltman) -> int:
    return min(digits_for(found.upper_limit.value - found.lower_limit.value) + 1, 4)


def _sentence(name: str, table: pd.DataFrame, found: BlandAltman | None, contents: RunContents) -> str:
    if found is None:
        return f"{name}: too few cases for limits of agreement ({count(len(table), contents.unit)})."

    def text(estimate: Estimate) -> str:
        limits = print_range(estimate.low, estimate.high, _digits(found))
        return f"{print_number(estimate.value, _digits(found))} ml ({limits})"

    return (
        f"{name}: bias {text(found.bias)}, limits {text(found.lower_limit)} and {text(found.upper_limit)}; "
        f"{print_sample(len(table), table['patient'].nunique(), contents.unit)}, interval by "
        f"{found.lower_limit.method}."
    )


def _caption(contents: RunContents, sentences: list[str]) -> str:
    repeats = contents.repeats
    averaged = f" Volumes are averaged over {repeats} predictions first." if repeats > 1 else ""
    return (
        "Solid line: bias (mean of prediction − reference); dashed: 95% limits of agreement (bias ± 1.96 "
        f"standard deviations); shaded: their {100 * contents.level:g}% confidence intervals. "
        f"{' '.join(sentences)} Cases in which both masks are empty are left out.{averaged}"
    )
