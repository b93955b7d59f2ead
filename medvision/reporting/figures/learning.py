"""How the training went, fold by fold."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from medvision.reporting.contents import RunContents
from medvision.reporting.figures.style import COLOURS, PaperFigure, new_figure, paper_style
from medvision.reporting.wording import count


def learning_figure(contents: RunContents) -> PaperFigure | None:
    """Draw the losses and the validation figure by epoch; None where no fold kept a log."""
    logs = contents.logs
    if logs.empty or "epoch" not in logs:
        return None
    figure_name = "Validation mean Dice" if contents.is_segmentation else "Validation AUC"
    with paper_style():
        figure = new_figure(7.2, 3.1)
        losses, validation = figure.subplots(1, 2)
        for place, (_, fold) in enumerate(logs.groupby(["repeat", "fold"], sort=True)):
            colour = COLOURS[place % len(COLOURS)] if len(contents.parts) <= len(COLOURS) else COLOURS[0]
            for _, member in fold.groupby(fold.get("member", pd.Series(0, index=fold.index)), dropna=False):
                _line(losses, member, "train_loss", colour, "-")
                _line(losses, member, "validation_loss", colour, (0, (3, 2)))
                _line(validation, member, "validation_figure", colour, "-")
        losses.set(xlabel="Epoch", ylabel="Loss")
        validation.set(xlabel="Epoch", ylabel=figure_name)
        losses.legend(handles=_line_kinds(logs), loc="upper right")
        if len(contents.parts) <= len(COLOURS):
            validation.legend(handles=_fold_lines(contents), loc="lower right", ncols=2)
        if not validation.lines:
            validation.text(
                0.5, 0.5, "not measured", ha="center", va="center", transform=validation.transAxes
            )
    drawn = logs.groupby(["repeat", "fold"]).size()
    members = int(logs["member"].nunique()) if "member" in logs else 1
    several = f", one line for each of the {members} members of an ensemble" if members > 1 else ""
    measured = figure_name.removeprefix("Validation ")
    caption = (
        f"Training (solid) and validation (dashed) loss, and {measured} of the validation part, by epoch of "
        f"{count(len(drawn), 'fold')}{several}. The validation part is taken from each fold's training part."
    )
    return PaperFigure("learning", "Learning curves", caption, figure)


def _line(
    axes: Axes, log: pd.DataFrame, name: str, colour: str, style: str | tuple[int, tuple[int, int]]
) -> None:
    if name in log and log[name].notna().any():
        points = log.dropna(subset=[name]).sort_values("epoch")
        axes.plot(points["epoch"], points[name], color=colour, linestyle=style, linewidth=1.0, alpha=0.8)


def _line_kinds(logs: pd.DataFrame) -> list[Line2D]:
    kinds = [Line2D([], [], color="black", linewidth=1.0, label="training")]
    if "validation_loss" in logs and logs["validation_loss"].notna().any():
        kinds.append(Line2D([], [], color="black", linewidth=1.0, linestyle=(0, (3, 2)), label="validation"))
    return kinds


def _fold_lines(contents: RunContents) -> list[Line2D]:
    several = contents.repeats > 1
    return [
        Line2D(
            [], [], color=COLOURS[place], linewidth=1.0, label=f"{f'{repeat}-' if several else ''}fold {fold}"
        )
        for place, (repeat, fold) in enumerate(contents.parts)
    ]
