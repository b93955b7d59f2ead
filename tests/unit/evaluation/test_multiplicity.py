"""Adjusted p-values, against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from medvision.errors import EvaluationError
from medvision.evaluation import adjust


@pytest.mark.parametrize(
    ("ours", "theirs"), [("holm", "holm"), ("bh", "fdr_bh"), ("by", "fdr_by"), ("bonferroni", "bonferroni")]
)
def test_as_statsmodels(ours: str, theirs: str) -> None:
    p = np.random.default_rng(0).random(12) ** 3
    np.testing.assert_allclose(adjust(p, method=ours), multipletests(p, method=theirs)[1], atol=1e-14)


@pytest.mark.parametrize("method", ["holm", "bh", "by", "bonferroni"])
def test_nan_stays_and_is_not_counted(method: str) -> None:
    found = adjust([0.01, np.nan, 0.04], method=method)
    assert np.isnan(found[1])
    assert found[[0, 2]].tolist() == adjust([0.01, 0.04], method=method).tolist()


def test_nothing_to_adjust() -> None:
    assert adjust([]).tolist() == []
    assert np.isnan(adjust([np.nan])).all()


@pytest.mark.parametrize("p", [[-0.1], [1.1]])
def test_what_is_no_p_value_is_refused(p) -> None:
    with pytest.raises(EvaluationError):
        adjust(p)


def test_a_method_that_is_not_known_is_refused() -> None:
    with pytest.raises(EvaluationError, match="holm"):
        adjust([0.1], method="hom")
