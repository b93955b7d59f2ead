from __future__ import annotations

import pandas as pd
import pytest

from medvision.cohort.selection import Selected, Step, select_series
from medvision.reporting.figures.flow import flow_figure
from medvision.reporting.tables.flow import flow_table, open_units_table


@pytest.fixture
def selected() -> Selected:
    table = pd.DataFrame({
        "series": [f"s{n}" for n in range(12)], "study": [f"e{n // 2}" for n in range(12)],
        "patient": [f"p{n // 4}" for n in range(12)], "slices": [1, 2] * 6,
    })  # fmt: skip
    reasons = pd.Series([f"reason {n}" for n in range(12)], index=table.index)
    steps = [
        Step("nothing left out", table["slices"] > 0),
        Step(
            "a step with a long name that has to be broken into two lines",
            table.index.to_series() > 7,
            reasons,
        ),
    ]
    return select_series(table, steps, one_per="study")


def texts(selected: Selected) -> list[str]:
    return [text.get_text() for text in flow_figure(selected, "x").figure.axes[0].texts if text.get_text()]


def test_boxes_carry_the_counts_of_the_steps(selected: Selected) -> None:
    shown = texts(selected)
    assert shown[0] == "Series in the export"
    assert [text for text in shown if " studies, " in text] == [
        "12 series, 6 studies, 3 patients",
        "4 series, 2 studies, 1 patient",
        "2 series, 2 studies, 1 patient",
    ]
    assert "Left out: 8 series" in shown
    assert "2 other reasons (n = 2)" in shown
    assert "4 studies without a series from here on" in shown
    assert not any("othing left out" in text for text in shown)


def test_no_two_boxes_overlap_and_all_lie_on_the_page(selected: Selected) -> None:
    axes = flow_figure(selected, "x").figure.axes[0]
    boxes = [patch.get_bbox() for patch in axes.patches if hasattr(patch, "get_bbox")]
    low, high = axes.get_ylim()
    assert all(low <= box.y0 and box.y1 <= high for box in boxes)
    for n, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[n + 1 :])


def test_files_are_the_same_every_time(selected: Selected) -> None:
    assert flow_figure(selected, "x").render("svg") == flow_figure(selected, "x").render("svg")


def test_the_table_has_every_step(selected: Selected) -> None:
    table = flow_table(selected)
    assert [row[0] for row in table.rows if not row[0].startswith(" ")] == [
        "Series in the export", "Nothing left out",
        "A step with a long name that has to be broken into two lines", "Series taken",
    ]  # fmt: skip
    assert table.rows[3][4] == "4 studies"
    assert len(open_units_table(selected).rows) == 4
