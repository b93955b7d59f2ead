"""The two-by-two table of every model, as a figure."""

from __future__ import annotations

from matplotlib.axes import Axes

from medvision.reporting.consistency import column, confusion_counts
from medvision.reporting.contents import RunContents
from medvision.reporting.figures.style import COLOURS, PaperFigure, new_figure, paper_style
from medvision.reporting.wording import print_sample


def confusion_figure(contents: RunContents) -> PaperFigure | None:
    """Draw counts and row percentages of each model; None where nothing was called positive or negative."""
    tables = _tables(contents)
    if not tables:
        return None
    across = min(len(tables), 3)
    down = -(-len(tables) // across)
    with paper_style():
        figure = new_figure(2.9 * across + 0.3, 2.9 * down)
        panels = figure.subplots(down, across, squeeze=False).ravel()
        for axes in panels[len(tables) :]:
            axes.set_axis_off()
        for axes, (model, counts) in zip(panels, tables.items(), strict=False):
            _draw(axes, counts, contents.class_names)
            axes.set_title(model, pad=26)
    rows = contents.predictions.dropna(subset=["label"])
    sample = print_sample(rows["case_id"].nunique(), rows["patient_id"].nunique(), contents.unit)
    repeated = (
        f" Each {contents.unit} was predicted {contents.repeats} times and is counted each time."
        if contents.repeats > 1
        else ""
    )
    caption = (
        f"Counts pooled over the test parts of all folds ({sample}), each at the threshold of its own fold; "
        f"percentages are of the row: lower right is the sensitivity, upper left the specificity.{repeated}"
    )
    return PaperFigure("confusion", "Confusion matrices", caption, figure)


def _tables(contents: RunContents) -> dict[str, dict[str, int]]:
    stored = contents.results.get("confusion") or {}
    tables = {}
    # A JSON object has no order of its own: the models come in the order of the study.
    for model in [*contents.models, *(name for name in stored if name not in contents.models)]:
        if model in stored:
            tables[model] = {key: int(stored[model].get(key) or 0) for key in ("tp", "fp", "fn", "tn")}
        elif column(model, "prediction") in contents.predictions:
            tables[model] = confusion_counts(contents.predictions, model)
    return tables


def _draw(axes: Axes, counts: dict[str, int], names: tuple[str, str]) -> None:
    cells = [[counts["tn"], counts["fp"]], [counts["fn"], counts["tp"]]]
    for row, pair in enumerate(cells):
        total = sum(pair)
        for place, n in enumerate(pair):
            part = n / total if total else 0.0
            right = row == place
            axes.fill(
                [place, place + 1, place + 1, place],
                [row, row, row + 1, row + 1],
                color=COLOURS[0] if right else COLOURS[1],
                alpha=0.08 + 0.5 * part,
                linewidth=0,
            )
            text = f"{100 * part:.1f}%" if total else "no cases"
            axes.text(place + 0.5, row + 0.42, f"{n:,}", ha="center", va="center", fontsize=14)
            axes.text(place + 0.5, row + 0.68, text, ha="center", va="center", fontsize=8)
    axes.set(xlim=(0, 2), ylim=(2, 0), aspect="equal")
    axes.set_xticks([0.5, 1.5], [_wrapped(name) for name in names])
    axes.set_yticks([0.5, 1.5], [_wrapped(name) for name in names], rotation=90, va="center")
    axes.xaxis.set_ticks_position("top")
    axes.xaxis.set_label_position("top")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="Called by the model", ylabel="Reference standard")


def _wrapped(name: str) -> str:
    return name if len(name) <= 16 else name.replace(" ", "\n", 1)
