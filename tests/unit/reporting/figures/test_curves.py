"""ROC curves against scikit-learn, and the band against its meaning."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import auc, roc_auc_score, roc_curve

from medvision.reporting.figures.curves import GRID, mean_roc, roc_points


def cases(seed=0, n=60, patients=None, ties=False):
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 3 == 0
    score = label + rng.normal(0, 1, n)
    return pd.DataFrame(
        {
            "case_id": [f"c{i}" for i in range(n)],
            "patient_id": [f"p{i if patients is None else i % patients}" for i in range(n)],
            "repeat": 0,
            "fold": np.arange(n) % 4,
            "label": label.astype(int),
            "score": score.round(0 if ties else 6),
        }
    )


@pytest.mark.parametrize("ties", [False, True])
def test_points_are_those_of_scikit_learn(ties):
    table = cases(ties=ties)
    false, true = roc_points(table.label.to_numpy(), table.score.to_numpy())
    expected_false, expected_true, _ = roc_curve(table.label, table.score, drop_intermediate=False)
    np.testing.assert_allclose(false, expected_false, atol=1e-12)
    np.testing.assert_allclose(true, expected_true, atol=1e-12)
    assert auc(false, true) == pytest.approx(roc_auc_score(table.label, table.score), abs=1e-12)


def test_the_mean_curve_is_the_mean_of_the_folds():
    table = cases()
    found = mean_roc(table, "image", level=0.95, resamples=0, seed=0)
    heights = []
    for _, fold in table.groupby("fold"):
        false, true, _ = roc_curve(fold.label, fold.score, drop_intermediate=False)
        # By hand: the highest point of the curve at or left of each grid value, joined by straight lines.
        heights.append([max(np.interp(x, false, true), true[false <= x].max()) for x in GRID])
    np.testing.assert_allclose(found.mean, np.mean(heights, axis=0), atol=1e-12)
    assert (found.folds, found.skipped) == (4, 0)
    assert np.isnan(found.low).all()


def test_the_band_holds_the_mean_and_does_not_depend_on_the_order_of_rows():
    table = cases(n=120)
    found = mean_roc(table, "image", level=0.95, resamples=300, seed=7)
    again = mean_roc(table.sample(frac=1, random_state=1), "image", level=0.95, resamples=300, seed=7)
    np.testing.assert_allclose(found.low, again.low, atol=1e-12)
    inside = (found.low <= found.mean + 1e-9) & (found.mean <= found.high + 1e-9)
    assert inside[1:-1].mean() > 0.9
    assert (found.high - found.low)[10:90].max() > 0.05


def test_the_band_widens_when_the_units_are_of_few_patients():
    rng = np.random.default_rng(3)
    # Every unit stands three times, first as its own patient, then as three units of one patient.
    single = cases(n=60, seed=3)
    tripled = pd.concat([single] * 3, ignore_index=True)
    independent = tripled.assign(patient_id=rng.permutation([f"q{n}" for n in range(len(tripled))]))
    wide = mean_roc(tripled, "image", level=0.95, resamples=400, seed=1)
    narrow = mean_roc(independent, "image", level=0.95, resamples=400, seed=1)
    ratio = (wide.high - wide.low)[5:60].mean() / (narrow.high - narrow.low)[5:60].mean()
    assert 1.3 < ratio < 2.3  # about √3


def test_a_wider_level_gives_a_wider_band():
    table = cases(n=100)
    bands = [mean_roc(table, "image", level=level, resamples=300, seed=1) for level in (0.8, 0.95)]
    assert (bands[1].low <= bands[0].low).all()
    assert (bands[1].high >= bands[0].high).all()


def test_a_fold_with_one_class_is_counted_and_left_out():
    table = cases()
    table = table[(table.fold != 2) | (table.label == 0)]
    found = mean_roc(table, "image", level=0.95, resamples=50, seed=0)
    assert (found.folds, found.skipped) == (3, 1)
    assert not np.isnan(found.low).any()


def test_without_both_classes_there_is_no_curve():
    assert mean_roc(cases().assign(label=1), "image", level=0.95, resamples=10, seed=0) is None
