"""The flow diagram that STARD and CONSORT ask for: what remains, and beside it what was left out."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from medvision.cohort.selection import TAKEN, FlowStep, Selected
from medvision.reporting.figures.style import PaperFigure, paper_style

_LINE, _PAD, _GAP = 0.17, 0.16, 0.2  # inches
_LEFT, _RIGHT, _BETWEEN = 2.6, 3.5, 0.45
_MOST_REASONS = 6


@dataclass(frozen=True)
class _Box:
    lines: tuple[str, ...]

    @property
    def height(self) -> float:
        return len(self.lines) * _LINE + _PAD


def flow_figure(selected: Selected, name: str) -> PaperFigure:
    """Draw the steps of a selection from the export to the study.

    Steps that left nothing out are not drawn, but for the one in which series are taken; the table `flow`
    has them all.

    Args:
        selected: The outcome of a rule file.
        name: Of the rule file.
    """
    first, *later = selected.flow
    rows: list[tuple[_Box, _Box | None]] = [(_kept(first), None)]
    for step in later:
        if step.excluded or step.name == TAKEN:
            rows.append((_kept(step), _left_out(step, selected.unit) if step.excluded else None))
    heights = [rows[0][0].height, *(_row_height(kept, out) for kept, out in rows[1:])]
    with paper_style():
        height = sum(heights) + 0.1
        figure = Figure(figsize=(_LEFT + _BETWEEN + _RIGHT + 0.1, height))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-0.05, _LEFT + _BETWEEN + _RIGHT + 0.05), ylim=(-height, 0))
        axes.set_axis_off()
        _draw(axes, rows, heights)
    title = f"Flow of series into the study {name}"
    return PaperFigure("flow", title, _caption(selected), figure)


def _draw(axes: Axes, rows: Sequence[tuple[_Box, _Box | None]], heights: Sequence[float]) -> None:
    """Boxes from above to below; each exclusion stands beside the arrow that it interrupts."""
    top, bottom_before = -0.05, 0.0
    middle = _LEFT / 2
    for number, ((kept, out), height) in enumerate(zip(rows, heights, strict=True)):
        below = top - height + kept.height
        if number:
            axes.annotate("", (middle, below), (middle, bottom_before), arrowprops=_ARROW)
        if out is not None:
            centre = top - (height - kept.height) / 2
            axes.annotate("", (_LEFT + _BETWEEN, centre), (middle, centre), arrowprops=_ARROW)
            _box(axes, out, _LEFT + _BETWEEN, centre + out.height / 2, _RIGHT, centred=False)
        _box(axes, kept, 0, below, _LEFT, centred=True)
        bottom_before = below - kept.height
        top = bottom_before


_ARROW = {"arrowstyle": "-|>", "color": "black", "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}


def _box(axes: Axes, box: _Box, left: float, top: float, width: float, *, centred: bool) -> None:
    axes.add_patch(
        Rectangle(
            (left, top - box.height), width, box.height, facecolor="white", edgecolor="black", linewidth=0.9
        )
    )
    for number, line in enumerate(box.lines):
        axes.text(
            left + width / 2 if centred else left + 0.1,
            top - _PAD / 2 - (number + 0.5) * _LINE,
            line,
            ha="center" if centred else "left",
            va="center",
            fontsize=8,
            fontweight="bold" if number == 0 else "normal",
        )


def _row_height(kept: _Box, out: _Box | None) -> float:
    return kept.height + _GAP + max(_GAP, 0 if out is None else out.height)


def _kept(step: FlowStep) -> _Box:
    name, left = step.name, step.left
    studies, patients = _number(left.studies, "study"), _number(left.patients, "patient")
    return _Box(
        (*textwrap.wrap(name[:1].upper() + name[1:], 38), f"{left.series} series, {studies}, {patients}")
    )


def _left_out(step: FlowStep, unit: str) -> _Box:
    total = sum(step.excluded.values())
    lines = [f"Left out: {total} series"]
    shown = list(step.excluded.items())
    for why, count in shown[:_MOST_REASONS]:
        first, *more = textwrap.wrap(f"{why} (n = {count})", 50)
        lines += [first, *(f"   {line}" for line in more)]
    if len(shown) > _MOST_REASONS:
        rest = sum(count for _, count in shown[_MOST_REASONS:])
        lines.append(f"{len(shown) - _MOST_REASONS} other reasons (n = {rest})")
    if step.lost:
        lines.append(f"{_number(step.lost, unit)} without a series from here on")
    return _Box(tuple(lines))


def _number(count: int, unit: str) -> str:
    plural = "studies" if unit == "study" else "patients"
    return f"{count} {unit if count == 1 else plural}"


def _caption(selected: Selected) -> str:
    return (
        f"A series is counted at the first step that it does not meet. One series was taken for each "
        f"{selected.unit}; where the preferences leave a tie, none."
    )
