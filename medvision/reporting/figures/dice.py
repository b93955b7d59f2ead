"""The Dice coefficient of every case, structure by structure."""

from __future__ import annotations

import numpy as np

from medvision.reporting.contents import RunContents
from medvision.reporting.figures.style import COLOURS, PaperFigure, new_figure, paper_style
from medvision.reporting.tables.segmentation import case_values


def dice_figure(contents: RunContents) -> PaperFigure | None:
    """Draw a box and all cases for each structure; None where no Dice coefficient is defined."""
    scores = contents.segmentation
    if scores is None:
        return None
    values = {name: case_values(scores, name, "dice") for name in contents.structures}
    shown = {name: series.dropna().to_numpy(dtype=float) for name, series in values.items()}
    if not any(len(points) for points in shown.values()):
        return None
    with paper_style():
        figure = new_figure(max(3.2, 1.3 * len(shown) + 1.4), 3.8)
        axes = figure.add_subplot()
        # Fixed seed: the sideways scatter means nothing, and the file stays the same.
        spread = np.random.default_rng(0)
        for place, (colour, points) in enumerate(zip(_cycled(len(shown)), shown.values(), strict=True)):
            axes.boxplot(
                points, positions=[place], widths=0.5, showfliers=False,
                medianprops={"color": "black", "linewidth": 1.6}, boxprops={"color": colour},
                whiskerprops={"color": colour}, capprops={"color": colour},
            )  # fmt: skip
            sideways = place + spread.uniform(-0.17, 0.17, len(points))
            axes.scatter(sideways, points, s=9, color=colour, alpha=0.45, linewidths=0, zorder=3)
        labels = [f"{name}\nn = {len(points)}" for name, points in shown.items()]
        axes.set_xticks(range(len(shown)), labels)
        lowest = min(float(points.min()) for points in shown.values() if len(points))
        axes.set(ylabel="Dice coefficient", ylim=(max(0.0, np.floor(10 * lowest - 0.5) / 10) - 0.005, 1.005))
        axes.set_xlim(-0.6, len(shown) - 0.4)
    undefined = {name: int(series.isna().sum()) for name, series in values.items()}
    return PaperFigure("dice", "Dice coefficient by structure", _caption(contents, undefined), figure)


def _caption(contents: RunContents, undefined: dict[str, int]) -> str:
    averaged = f", averaged over its {contents.repeats} predictions" if contents.repeats > 1 else ""
    missing = [f"{n} for {name}" for name, n in undefined.items() if n]
    left_out = f" Undefined and not drawn: {', '.join(missing)}." if missing else " No case is undefined."
    return (
        f"Each point is one {contents.unit}{averaged}; box: quartiles and median; whiskers: furthest point "
        f"within 1.5 interquartile ranges of the box. The axis need not start at 0.{left_out}"
    )


def _cycled(n: int) -> list[str]:
    return [COLOURS[place % len(COLOURS)] for place in range(n)]
