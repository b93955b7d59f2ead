"""Pictures of cases: the worst, median and best outlined, the most confident right and wrong calls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from medvision.errors import MedvisionError
from medvision.reporting.contents import RunContents
from medvision.reporting.figures.slices import Look, draw_slice, read_slice
from medvision.reporting.figures.style import PREDICTION, REFERENCE, PaperFigure, paper_style
from medvision.reporting.tables.segmentation import case_values
from medvision.reporting.wording import print_number

_COLOURS = {"reference": REFERENCE, "prediction": PREDICTION}


@dataclass(frozen=True)
class Panel:
    """One case of a montage: what is shown, and what is written above it."""

    case_id: str
    image: Path | None
    masks: dict[str, Path]
    text: str


def montage_figure(contents: RunContents) -> PaperFigure | None:
    """Draw the montage of the task; None where no image of any chosen case can be found."""
    groups = segmentation_panels(contents) if contents.is_segmentation else classification_panels(contents)
    groups = {heading: panels for heading, panels in groups.items() if panels}
    if not any(panel.image for panels in groups.values() for panel in panels):
        return None
    with paper_style():
        figure = _draw(groups, Look(_window(contents), _COLOURS), contents.is_segmentation)
    title = (
        "Worst, median and best cases"
        if contents.is_segmentation
        else "Most confident calls, wrong and right"
    )
    return PaperFigure("montage", title, _caption(contents), figure, inline="png")


def segmentation_panels(contents: RunContents) -> dict[str, list[Panel]]:
    """Choose cases by their Dice coefficient, averaged over structures and repeats.

    Returns:
        Panels under the headings `Worst`, `Median` and `Best`; no case stands twice.
    """
    scores = contents.segmentation
    if scores is None:
        return {}
    by_structure = {name: case_values(scores, name, "dice") for name in contents.structures}
    overall = pd.DataFrame(by_structure).mean(axis=1).dropna()
    ranked = list(overall.sort_index().sort_values(kind="stable").index)
    n = min(_wanted(contents), max(1, len(ranked) // 3))
    first = max(n, (len(ranked) - n) // 2)
    chosen = {"Worst": ranked[:n], "Median": ranked[first : max(first, min(first + n, len(ranked) - n))]}
    chosen["Best"] = ranked[max(n, len(ranked) - n) :][::-1]
    masks = _first_repeat(contents).set_index("case_id")
    return {
        heading: [_segmentation_panel(contents, case, by_structure, overall, masks) for case in cases]
        for heading, cases in chosen.items()
    }


def classification_panels(contents: RunContents) -> dict[str, list[Panel]]:
    """Choose the wrong and the right calls that lie furthest from the threshold of their fold.

    Returns:
        Panels under headings such as `False negatives (n = 12)`.
    """
    rows = _first_repeat(contents).dropna(subset=["label", "score"])
    rows = rows.assign(distance=(rows["score"] - rows["threshold"]).abs())
    rows = rows.sort_values(["distance", "case_id"], ascending=[False, True])
    label, call = rows["label"] == 1, rows["prediction"] == 1
    negative, positive = contents.class_names
    kinds = {
        f"Missed: {positive},\ncalled {negative}": label & ~call,
        f"False alarm: {negative},\ncalled {positive}": ~label & call,
        f"Right: {positive}": label & call,
        f"Right: {negative}": ~label & ~call,
    }
    return {
        f"{heading}\n(n = {int(which.sum())})": [
            _classification_panel(contents, row)
            for row in rows[which].head(_wanted(contents)).to_dict("records")
        ]
        for heading, which in kinds.items()
    }


def _segmentation_panel(
    contents: RunContents,
    case: str,
    by_structure: dict[str, pd.Series],
    overall: pd.Series,
    masks: pd.DataFrame,
) -> Panel:
    image, reference = _files(contents, case)
    found = {"reference": reference} if reference else {}
    if case in masks.index and "mask" in masks:
        predicted = contents.folder / str(masks.loc[case, "mask"])
        if predicted.exists():
            found["prediction"] = predicted
    each = {name: float(values.get(case, float("nan"))) for name, values in by_structure.items()}
    if len(each) <= 2:
        text = "Dice " + ", ".join(f"{name} {_dice(value)}" for name, value in each.items())
    else:
        text = f"mean Dice {overall[case]:.2f}"
    return Panel(case, image, found, text)


def _classification_panel(contents: RunContents, row: dict[object, object]) -> Panel:
    case, score, threshold = str(row["case_id"]), float(str(row["score"])), float(str(row["threshold"]))
    image, mask = _files(contents, case)
    sign = "≥" if row["prediction"] == 1 else "<"
    return Panel(
        case, image, {"reference": mask} if mask else {}, f"score {score:.2f} {sign} {threshold:.2f}"
    )


def _draw(groups: dict[str, list[Panel]], look: Look, with_prediction: bool) -> Figure:
    across = max(len(panels) for panels in groups.values())
    figure = Figure(figsize=(1.95 * across + 0.75, 2.25 * len(groups) + 0.4), layout="constrained")
    # The first column is for the headings: beside a picture they would move with its width.
    grid = figure.subplots(
        len(groups), across + 1, squeeze=False, gridspec_kw={"width_ratios": [0.22, *[1.0] * across]}
    )
    for (head, *row), (heading, panels) in zip(grid, groups.items(), strict=True):
        head.set_axis_off()
        head.text(0.5, 0.5, heading, fontsize=8.5, rotation=90, ha="center", va="center")
        for place, axes in enumerate(row):
            if place < len(panels):
                _draw_panel(axes, panels[place], look)
            else:
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
    lines = [Line2D([], [], color=colour, linewidth=2, label=name) for name, colour in _COLOURS.items()]
    if with_prediction:
        figure.legend(handles=lines, loc="outside lower center", ncols=2)
    return figure


def _draw_panel(axes: Axes, panel: Panel, look: Look) -> None:
    axes.set_title(f"{_shortened(panel.case_id)}\n{panel.text}", fontsize=7)
    problem = "image not found"
    if panel.image:
        try:
            picture = read_slice(panel.image, panel.masks, prefer=("reference", "prediction"))
            draw_slice(axes, picture, look)
            axes.set_xlabel(f"{picture.plane}, {picture.position}", fontsize=5.5)
        except MedvisionError as error:
            problem = f"cannot be shown:\n{_shortened(str(error), 60)}"
        else:
            return
    axes.set(xticks=[], yticks=[])
    axes.text(0.5, 0.5, problem, ha="center", va="center", fontsize=6, wrap=True, transform=axes.transAxes)


def _files(contents: RunContents, case: str) -> tuple[Path | None, Path | None]:
    """Return where the image and the mask of a case lie; None for what is not there."""
    rows = contents.cohort[contents.cohort["case_id"] == case]
    if rows.empty:
        return None, None
    row = rows.iloc[0]
    return _located(contents, row.get("image")), _located(contents, row.get("mask"))


def _located(contents: RunContents, written: object) -> Path | None:
    if not isinstance(written, str) or not written:
        return None
    source = (contents.study.get("cohort") or {}).get("path")
    bases = [contents.folder, Path(), *([Path(str(source)).parent, Path(str(source))] if source else [])]
    # An absolute path swallows the base before it.
    return next((base / written for base in bases if (base / written).exists()), None)


def _first_repeat(contents: RunContents) -> pd.DataFrame:
    rows: pd.DataFrame = contents.predictions[
        contents.predictions["repeat"] == contents.split_parts[0].repeat
    ]
    return rows


def _wanted(contents: RunContents) -> int:
    return int((contents.study.get("evaluation") or {}).get("montage_cases", 3))


def _window(contents: RunContents) -> tuple[float, float] | None:
    intensity = (contents.study.get("preprocessing") or {}).get("intensity") or {}
    if intensity.get("kind") != "window":
        return None
    low, high = intensity["window_hu"]
    return float(low), float(high)


def _caption(contents: RunContents) -> str:
    window = _window(contents)
    shown = (
        f"{print_number(window[0], 0)} to {print_number(window[1], 0)} HU"
        if window
        else "0.5th to 99.5th percentile of each slice"
    )
    if contents.is_segmentation:
        what = (
            "Cases ranked by their Dice coefficient, averaged over the structures. Shown is the slice in "
            "which the reference is largest; contours: reference and prediction, each structure on its own."
        )
    else:
        what = (
            "The calls furthest from the threshold of their fold, wrong ones first. Shown is the slice in "
            "which the given mask is largest (outlined), or the middle slice where there is none. Scores of "
            "different fold models are not on one scale."
        )
    first = " Of several repeats the first is shown." if contents.repeats > 1 else ""
    return (
        f"{what} Radiological convention: the patient's right is on the left of axial and coronal pictures, "
        "the front on the left of sagittal ones. Proportions are physical; bars give the scale. Grey values: "
        f"{shown}.{first}"
    )


def _dice(value: float) -> str:
    return "undefined" if value != value else f"{value:.2f}"


def _shortened(text: str, n: int = 26) -> str:
    return text if len(text) <= n else f"{text[: n // 2 - 1]}…{text[-(n // 2) :]}"
