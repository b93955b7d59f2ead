"""Bias and limits of agreement against the formulas of Bland and Altman (1986)."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from medvision.reporting.contents import read_run
from medvision.reporting.figures.agreement import agreement_figure, paired_volumes


def test_lines_are_bias_and_limits(segmentation, segmentation_run):
    scores = pd.read_parquet(segmentation_run / "segmentation.parquet")
    rows = scores[scores.structure == "anterior"]
    gap = rows.volume_prediction_ml - rows.volume_reference_ml
    axes = agreement_figure(segmentation).figure.axes[0]
    lines = sorted(line.get_ydata()[0] for line in axes.lines if line.get_ydata()[0] != 0)
    width = 1.96 * gap.std(ddof=1)
    assert lines == pytest.approx([gap.mean() - width, gap.mean(), gap.mean() + width], abs=1e-12)


def test_bands_are_their_intervals(segmentation, segmentation_run):
    scores = pd.read_parquet(segmentation_run / "segmentation.parquet")
    gap = scores.volume_error_ml[scores.structure == "anterior"]
    n = len(gap)
    half = t.ppf(0.975, n - 1) * gap.std(ddof=1) / np.sqrt(n)
    axes = agreement_figure(segmentation).figure.axes[0]
    spans = [(patch.get_y(), patch.get_y() + patch.get_height()) for patch in axes.patches]
    assert spans[0] == pytest.approx((gap.mean() - half, gap.mean() + half), abs=1e-9)


def test_two_empty_masks_do_not_count_as_agreement(segmentation):
    pairs = paired_volumes(segmentation.segmentation, "posterior")
    assert len(pairs) == 14
    assert agreement_figure(segmentation).figure.axes[1].get_title() == "posterior (n = 14)"


def test_the_caption_has_numbers_units_and_sample(segmentation):
    caption = agreement_figure(segmentation).caption
    assert "anterior: bias " in caption
    assert " ml (" in caption
    assert "15 scans of 15 patients" in caption


def test_too_few_cases_have_points_but_no_limits(make_segmentation_run, tmp_path):
    contents = read_run(make_segmentation_run(tmp_path / "few", patients=3))
    few = contents.segmentation[contents.segmentation.case_id != "hippo_000"]
    few.to_parquet(contents.folder / "segmentation.parquet")
    figure = agreement_figure(read_run(contents.folder))
    assert "too few cases for limits of agreement (2 scans)" in figure.caption
    assert len(figure.figure.axes[0].collections) == 1


def test_no_volumes_no_figure(changed, segmentation_run):
    folder = changed(segmentation_run)
    table = pd.read_parquet(folder / "segmentation.parquet")
    table.drop(columns="volume_prediction_ml").to_parquet(folder / "segmentation.parquet")
    assert agreement_figure(read_run(folder)) is None
