"""The ROC figure says what it shows."""

import pandas as pd

from medvision.reporting.contents import read_run
from medvision.reporting.figures.roc import roc_figure


def test_legend_has_sample_and_area_with_interval(classification):
    axes = roc_figure(classification).figure.axes[0]
    legend = axes.get_legend()
    assert legend.get_title().get_text() == "78 nodules of 40 patients"
    texts = [text.get_text() for text in legend.get_texts()]
    areas = {e.model: e for e in classification.select(metric="auroc", aggregation="fold-averaged")}
    assert texts == [
        f"{m}: AUC {e.value:.3f} (95% CI {e.low:.3f}–{e.high:.3f})" for m, e in areas.items()
    ]  # fmt: skip


def test_the_operating_point_is_the_pooled_one(classification):
    axes = roc_figure(classification).figure.axes[0]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    table = classification.predictions
    expected = []
    for end in ("", "_diameter"):
        calls = table[f"prediction{end}"]
        expected.append((calls[table.label == 0].mean(), calls[table.label == 1].mean()))
    found = [(dot.get_xdata()[0], dot.get_ydata()[0]) for dot in dots]
    assert found == expected


def test_axes_are_named_and_the_caption_says_what_the_band_is(classification):
    figure = roc_figure(classification)
    axes = figure.figure.axes[0]
    assert axes.get_xlabel().startswith("1 − specificity")
    assert axes.get_ylabel().startswith("Sensitivity")
    assert "not what another training would have" in figure.caption
    assert "pointwise 95% band" in figure.caption


def test_no_curve_without_both_classes(changed, classification_run):
    folder = changed(classification_run)
    table = pd.read_parquet(folder / "predictions.parquet")
    table.assign(label=0).to_parquet(folder / "predictions.parquet")
    assert roc_figure(read_run(folder)) is None
