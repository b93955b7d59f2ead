from __future__ import annotations

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import find as find_smallest

from medvision.testing import strategies


def find(strategy, condition):
    """The first example that will do; the smallest would take long to find."""
    return find_smallest(strategy, condition, settings=settings(phases=[Phase.generate], max_examples=500))


@given(strategies.geometries())
def test_geometries_are_orthogonal_right_handed_and_near(geometry):
    axes = geometry.affine[:3, :3]
    gram = axes.T @ axes
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-9)
    assert np.linalg.det(axes) > 0
    middle = (geometry.affine @ [*((np.array(geometry.shape) - 1) / 2), 1])[:3]
    assert np.abs(middle).max() <= 500.001


def test_left_handed_geometries_occur_when_asked_for():
    left = find(
        strategies.geometries(right_handed=False), lambda g: bool(np.linalg.det(g.affine[:3, :3]) < 0)
    )
    assert len(left.shape) == 3


@given(strategies.volumes())
def test_volumes_fit_their_geometry(drawn):
    array, geometry = drawn
    assert array.shape == geometry.shape
    assert array.dtype == np.int16
    assert -1024 <= array.min() <= array.max() <= 3071


@given(strategies.masks(labels=2))
def test_masks_hold_their_labels_only(mask):
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) <= {0, 1, 2}


def test_empty_and_full_masks_occur():
    assert not find(strategies.masks(), lambda mask: not mask.any()).any()
    assert find(strategies.masks(), lambda mask: bool(mask.all())).all()


@given(strategies.labelled_scores(low=2))
def test_both_labels_occur_and_scores_lie_between_0_and_1(drawn):
    assert set(drawn.labels) == {0, 1}
    assert len(drawn.labels) == len(drawn.scores) == len(set(drawn.patient_ids)) >= 2
    assert 0 <= drawn.scores.min() <= drawn.scores.max() <= 1


@given(strategies.labelled_scores(ties=False))
def test_scores_without_ties_all_differ(drawn):
    assert len(np.unique(drawn.scores)) == len(drawn.scores)


def test_patients_with_several_cases_occur():
    drawn = find(
        strategies.labelled_scores(clustered=True), lambda d: len(set(d.patient_ids)) < len(d.labels)
    )
    assert set(drawn.labels) == {0, 1}
