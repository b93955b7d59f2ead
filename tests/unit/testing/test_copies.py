"""The planted copies are what their names say."""

import numpy as np
import pytest

from medvision.errors import CohortError
from medvision.testing.copies import CHANGES, changed_copy


@pytest.fixture
def scan():
    return np.random.default_rng(0).gamma(2, 100, (20, 24, 10))


def test_each_change_does_what_it_says(scan):
    assert (changed_copy(scan, ["repeated"], 1) == scan).all()
    flipped = changed_copy(scan, ["flip"], 1)
    assert (np.sort(flipped, axis=None) == np.sort(scan, axis=None)).all()
    assert not (flipped == scan).all()
    assert all(
        0.7 * n <= m <= n for m, n in zip(changed_copy(scan, ["crop"], 2).shape, scan.shape, strict=True)
    )
    assert all(
        n / 1.5 - 1 <= m <= n / 0.7 + 1
        for m, n in zip(changed_copy(scan, ["resample"], 3).shape, scan.shape, strict=True)
    )
    windowed = changed_copy(scan, ["window"], 4)
    assert np.isin(windowed, scan).mean() > 0.7
    assert np.ptp(windowed) < np.ptp(scan)
    order = np.argsort(scan, axis=None)
    assert (np.diff(changed_copy(scan, ["gamma"], 5).ravel()[order]) >= 0).all()
    assert np.isin(changed_copy(scan, ["eight_bits"], 6), np.arange(256)).all()
    added = changed_copy(scan, ["noise"], 7) - scan
    assert added.std() == pytest.approx(0.03 * np.subtract(*np.percentile(scan, [99, 1])), rel=0.1)


@pytest.mark.parametrize("name", CHANGES)
def test_a_constant_or_flat_image_does_not_break_a_change(name):
    assert np.isfinite(changed_copy(np.full((6, 6, 1), 3.0), [name], 0)).all()


def test_an_unknown_change_is_named():
    with pytest.raises(CohortError, match="did you mean 'crop'"):
        changed_copy(np.zeros((2, 2, 2)), ["crops"], 0)
