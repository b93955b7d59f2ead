"""Every case is a point; what is undefined is counted in the caption."""

import numpy as np
import pandas as pd

from medvision.reporting.contents import read_run
from medvision.reporting.figures.dice import dice_figure


def test_points_are_the_cases(segmentation, segmentation_run):
    scores = pd.read_parquet(segmentation_run / "segmentation.parquet")
    axes = dice_figure(segmentation).figure.axes[0]
    for collection, name in zip(axes.collections, ("anterior", "posterior"), strict=True):
        drawn = np.sort(np.asarray(collection.get_offsets())[:, 1])
        expected = np.sort(scores[scores.structure == name].dice.dropna())
        np.testing.assert_allclose(drawn, expected)
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["anterior\nn = 15", "posterior\nn = 14"]


def test_undefined_cases_are_named(segmentation):
    assert "Undefined and not drawn: 1 for posterior" in dice_figure(segmentation).caption


def test_the_axis_holds_every_point(segmentation):
    low, high = dice_figure(segmentation).figure.axes[0].get_ylim()
    assert low <= 0  # one prediction is empty
    assert high >= 1


def test_no_figure_without_a_defined_value(changed, segmentation_run):
    folder = changed(segmentation_run)
    table = pd.read_parquet(folder / "segmentation.parquet")
    table.assign(dice=np.nan).to_parquet(folder / "segmentation.parquet")
    assert dice_figure(read_run(folder)) is None
