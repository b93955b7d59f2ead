"""Predicted against reference volumes: bias and limits of agreement (Bland & Altman)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.stats import t as student

from medvision.evaluation.resampling import patient_draws
from medvision.reporting.contents import RunContents
from medvision.reporting.figures.style import COLOURS, GREY, PaperFigure, new_figure, paper_style
from medvision.reporting.tables.segmentation import case_values
from medvision.reporting.wording import count, print_number, print_range, print_sample

Floats = NDArray[np.float64]
_WIDTH = 1.96


@dataclass(frozen=True)
class Limits:
    """Bias and 95% limits of agreement, each as (value, low, high).

    Args:
        bias: Mean difference, prediction minus reference.
        lower: Bias − 1.96 standard deviations.
        upper: Bias + 1.96 standard deviations.
        method: How the intervals were made.
    """

    bias: tuple[float, float, float]
    lower: tuple[float, float, float]
    upper: tuple[float, float, float]
    method: str


def limits_of_agreement(
    differences: Floats, patients: NDArray[np.str_], *, level: float, seed: int
) -> Limits | None:
    """Estimate bias and limits with intervals that know how many patients there are.

    With one case a patient the intervals are those of Bland & Altman (t distribution); with several
    they come from a bootstrap of patients, because cases of one patient are not independent.

    Args:
        differences: Prediction minus reference, one a case, in ml.
        patients: The patient of each case.
        level: Confidence level.
        seed: Of the bootstrap.

    Returns:
        None for fewer than three cases, from which no spread can be judged.

    References:
        Bland JM, Altman DG. Measuring agreement in method comparison studies. Stat Methods Med Res
        1999;8:135–160.

    Example:
        >>> differences, patients = np.array([-1.0, 0.0, 1.0]), np.array(["a", "b", "c"])
        >>> found = limits_of_agreement(differences, patients, level=0.95, seed=0)
        >>> [round(value, 2) for value in found.upper]
        [1.96, -2.93, 6.85]
    """
    n = len(differences)
    if n < 3:
        return None
    bias, spread = float(differences.mean()), float(differences.std(ddof=1))
    values = (bias, bias - _WIDTH * spread, bias + _WIDTH * spread)
    if len(np.unique(patients)) == n:
        quantile = float(student.ppf((1 + level) / 2, n - 1))
        own = quantile * spread / math.sqrt(n)
        others = quantile * spread * math.sqrt(1 / n + _WIDTH**2 / (2 * (n - 1)))
        widths = (own, others, others)
        around = [(value, value - width, value + width) for value, width in zip(values, widths, strict=True)]
        return Limits(around[0], around[1], around[2], "t distribution")
    replicates = _resampled(differences, patients, seed)
    tail = 100 * (1 - level) / 2
    bounds = np.percentile(replicates, [tail, 100 - tail], axis=0)
    around = [(value, float(bounds[0, c]), float(bounds[1, c])) for c, value in enumerate(values)]
    return Limits(around[0], around[1], around[2], "bootstrap of patients, percentile")


def agreement_figure(contents: RunContents) -> PaperFigure | None:
    """Draw a Bland–Altman plot of the volumes of each structure; None where volumes were not measured."""
    scores = contents.segmentation
    if scores is None or not {"volume_reference_ml", "volume_prediction_ml"} <= set(scores.columns):
        return None
    pairs = {name: _volumes(scores, name) for name in contents.structures}
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
            found = _draw(axes, contents, name, table, COLOURS[place % len(COLOURS)])
            sentences.append(_sentence(name, table, found, contents))
    return PaperFigure(
        "agreement", "Agreement of volumes (Bland–Altman)", _caption(contents, sentences), figure
    )


def _volumes(scores: pd.DataFrame, structure: str) -> pd.DataFrame:
    """Return reference, prediction and patient of each case that has the structure in either."""
    table = pd.DataFrame(
        {
            "reference": case_values(scores, structure, "volume_reference_ml"),
            "prediction": case_values(scores, structure, "volume_prediction_ml"),
        }
    ).dropna()
    # Two empty masks agree by definition; counting them would flatter the limits.
    table = table[(table["reference"] > 0) | (table["prediction"] > 0)]
    patients = scores.drop_duplicates("case_id").set_index("case_id")["patient_id"]
    return table.assign(patient=patients.loc[table.index])


def _draw(axes: Axes, contents: RunContents, name: str, table: pd.DataFrame, colour: str) -> Limits | None:
    means = table[["reference", "prediction"]].mean(axis=1)
    differences = table["prediction"] - table["reference"]
    axes.scatter(means, differences, s=13, color=colour, alpha=0.6, linewidths=0, zorder=3)
    axes.axhline(0, color=GREY, linewidth=0.7)
    found = limits_of_agreement(
        differences.to_numpy(dtype=float),
        table["patient"].to_numpy(dtype=np.str_),
        level=contents.level,
        seed=int(contents.study.get("seed", 0)),
    )
    if found:
        width = found.upper[0] - found.lower[0]
        decimals = 2 if width <= 0 else min(max(1 - math.floor(math.log10(width)), 0), 4)
        for line, style in ((found.bias, "-"), (found.lower, (0, (5, 3))), (found.upper, (0, (5, 3)))):
            axes.axhspan(line[1], line[2], color=colour, alpha=0.10, linewidth=0)
            axes.axhline(line[0], color=colour, linewidth=1.2, linestyle=style)
            axes.annotate(
                print_number(line[0], decimals), (1.0, line[0]), xycoords=("axes fraction", "data"),
                fontsize=7.5, ha="left", va="center", xytext=(3, 0), textcoords="offset points",
            )  # fmt: skip
    axes.set_title(f"{name} (n = {len(table)})")
    axes.set(xlabel="Mean of both volumes (ml)", ylabel="Prediction − reference (ml)")
    axes.margins(x=0.06, y=0.12)
    return found


def _sentence(name: str, table: pd.DataFrame, found: Limits | None, contents: RunContents) -> str:
    if found is None:
        return f"{name}: too few cases for limits of agreement ({count(len(table), contents.unit)})."
    bias, lower, upper = (
        f"{print_number(value, 3)} ml ({print_range(low, high, 3)})"
        for value, low, high in (found.bias, found.lower, found.upper)
    )
    patients = table["patient"].nunique()
    sample = print_sample(len(table), patients, contents.unit)
    return f"{name}: bias {bias}, limits {lower} and {upper}; {sample}, intervals by {found.method}."


def _caption(contents: RunContents, sentences: list[str]) -> str:
    repeats = contents.repeats
    averaged = f" Volumes are averaged over {repeats} predictions first." if repeats > 1 else ""
    return (
        "Solid line: bias (mean of prediction − reference); dashed: 95% limits of agreement (bias ± 1.96 "
        f"standard deviations); shaded: their {100 * contents.level:g}% confidence intervals. "
        f"{' '.join(sentences)} Cases in which both masks are empty are left out.{averaged}"
    )


def _resampled(differences: Floats, patients: NDArray[np.str_], seed: int, resamples: int = 2000) -> Floats:
    """Return bias, lower and upper limit of each resample, shape (resamples, 3)."""
    _, codes = np.unique(patients, return_inverse=True)
    blocks = []
    for counts in patient_draws(np.zeros(codes.max() + 1, dtype=np.int64), resamples, seed):
        weights = counts[:, codes]
        total = weights.sum(axis=1)
        bias = weights @ differences / total
        squares = weights @ differences**2 / total - bias**2
        spread = np.sqrt(np.maximum(squares, 0) * total / (total - 1))
        blocks.append(np.stack([bias, bias - _WIDTH * spread, bias + _WIDTH * spread], axis=1))
    return np.concatenate(blocks)
