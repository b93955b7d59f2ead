"""The receiver operating characteristic: folds, mean, band and operating point."""

from __future__ import annotations

from matplotlib.axes import Axes

from medvision.reporting.consistency import column, confusion_counts
from medvision.reporting.contents import RunContents
from medvision.reporting.figures.curves import GRID, RocBand, mean_roc, roc_points
from medvision.reporting.figures.style import COLOURS, GREY, PaperFigure, new_figure, paper_style, unit_square
from medvision.reporting.wording import print_estimate, print_sample


def roc_figure(contents: RunContents) -> PaperFigure | None:
    """Draw the ROC curves of all models; None where no fold has both classes."""
    models = [m for m in contents.models if column(m, "score") in contents.predictions]
    bands = {model: _band(contents, model, first=model == models[0]) for model in models}
    known = {model: band for model, band in bands.items() if band is not None}
    if not known:
        return None
    with paper_style():
        figure = new_figure(5.2, 5.4)
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        first = next(iter(known))
        _draw_folds(axes, contents, first)
        for colour, (model, band) in zip(COLOURS, known.items(), strict=False):
            _draw_model(axes, contents, model, band, colour, with_band=model == first)
        unit_square(axes)
        axes.set(xlabel="1 − specificity (false positive rate)", ylabel="Sensitivity (true positive rate)")
        axes.legend(loc="lower right", title=_sample(contents), title_fontsize=8, alignment="left")
    return PaperFigure("roc", "Receiver operating characteristic", _caption(contents, known), figure)


def _band(contents: RunContents, model: str, *, first: bool) -> RocBand | None:
    resamples = int((contents.study.get("evaluation") or {}).get("bootstrap_resamples", 2000))
    return mean_roc(
        contents.predictions,
        model,
        level=contents.level,
        resamples=resamples if first else 0,
        seed=int(contents.study.get("seed", 0)),
    )


def _draw_folds(axes: Axes, contents: RunContents, model: str) -> None:
    rows = contents.predictions.dropna(subset=["label", column(model, "score")])
    for _, group in rows.groupby(["repeat", "fold"]):
        if group["label"].nunique() == 2:
            false, true = roc_points(group["label"].to_numpy(), group[column(model, "score")].to_numpy())
            axes.plot(false, true, color=COLOURS[0], linewidth=0.7, alpha=0.35)


def _draw_model(
    axes: Axes, contents: RunContents, model: str, band: RocBand, colour: str, *, with_band: bool
) -> None:
    if with_band:
        axes.fill_between(GRID, band.low, band.high, color=colour, alpha=0.16, linewidth=0)
    # The average starts at its own height on the left axis; a vertical stroke joins it to the origin.
    axes.plot([0, *GRID], [0, *band.mean], color=colour, label=_legend(contents, model))
    counts = confusion_counts(contents.predictions, model) if _has_calls(contents, model) else None
    if counts and counts["tp"] + counts["fn"] and counts["tn"] + counts["fp"]:
        sensitivity = counts["tp"] / (counts["tp"] + counts["fn"])
        false_positive = counts["fp"] / (counts["tn"] + counts["fp"])
        axes.plot(
            false_positive,
            sensitivity,
            marker="o",
            markersize=7,
            color=colour,
            markeredgecolor="white",
            zorder=5,
        )


def _has_calls(contents: RunContents, model: str) -> bool:
    return column(model, "prediction") in contents.predictions


def _legend(contents: RunContents, model: str) -> str:
    found = contents.select(model=model, metric="auroc", aggregation=contents.averaged)
    overall = [estimate for estimate in found if estimate.fold is None]
    return f"{model}: AUC {print_estimate(overall[0])}" if overall else model


def _sample(contents: RunContents) -> str:
    cases = contents.predictions.dropna(subset=["label"])
    return print_sample(cases["case_id"].nunique(), cases["patient_id"].nunique(), contents.unit)


def _caption(contents: RunContents, bands: dict[str, RocBand]) -> str:
    first, band = next(iter(bands.items()))
    level = f"{100 * contents.level:g}%"
    methods = {
        e.method
        for e in contents.select(metric="auroc", aggregation=contents.averaged)
        if e.fold is None and e.method
    }
    skipped = f" {band.skipped} of the folds have one class only and no curve." if band.skipped else ""
    how = f" ({'; '.join(sorted(methods))})" if methods else ""
    if len(contents.parts) == 1:
        return (
            f"Curves of the test part ({contents.split_parts[0].title}), which is not cross-validated. "
            f"Shaded: pointwise {level} band of “{first}”, from a bootstrap of patients with the fitted "
            "model held fixed. Dots: sensitivity and specificity at the threshold that was chosen on the "
            f"training part. AUC with its {level} interval{how}."
        )
    return (
        f"Thick lines: vertical average of the curves of {band.folds} test parts; thin lines: the single "
        f"test parts of “{first}”.{skipped} Shaded: pointwise {level} band of the average of “{first}”, "
        "from a bootstrap of patients with the fitted models held fixed: it shows what other test patients "
        "would have given, not what another training would have. Dots: sensitivity and specificity pooled "
        "over the test parts, each case at the threshold of its own fold; they need not lie on the average "
        f"curve. AUC is {contents.averaged} with its {level} interval{how}."
    )
