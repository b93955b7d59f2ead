"""Where other libraries go wrong: each test shows what they return, what is right, and why."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from monai.metrics import DiceMetric, compute_dice
from scipy.optimize import minimize_scalar
from scipy.stats import binom
from scipy.stats import bootstrap as scipy_bootstrap
from sklearn.metrics import (
    cohen_kappa_score,
    f1_score,
    matthews_corrcoef,
    recall_score,
    roc_auc_score,
)
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from torchmetrics.classification import BinaryAUROC, BinaryMatthewsCorrCoef, BinaryRecall

from medvision.evaluation import (
    auroc,
    bootstrap,
    compare_auroc,
    compare_proportions,
    cross_validated_auroc,
    diagnostic_accuracy,
    kappa,
    mcnemar,
    proportion,
    segmentation_scores,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # they warn, and return the number all the same
]


def _rows(successes: int, n: int) -> np.ndarray:
    return np.repeat([1, 0], [successes, n - successes])


@pytest.mark.parametrize(("b", "c"), [(6, 16), (1, 7), (12, 12)])
def test_mcnemar_agrees_where_pairs_differ(b: int, c: int) -> None:
    """statsmodels is right here: the exact and the corrected test are the same as ours."""
    table = [[50, b], [c, 40]]
    assert mcnemar(b, c, method="exact").p == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)
    theirs = statsmodels_mcnemar(table, exact=False, correction=False)
    assert mcnemar(b, c, method="asymptotic").p == pytest.approx(theirs.pvalue)


def test_mcnemar_without_discordant_pairs() -> None:
    """statsmodels says p = 0 for two readers who never differ: its correction squares (0 - 1) over 0.

    Nothing speaks against the null hypothesis, so p is 1, as statsmodels' own exact test says.
    """
    table = [[10, 0], [0, 10]]
    assert statsmodels_mcnemar(table, exact=False).pvalue == 0.0
    assert statsmodels_mcnemar(table, exact=True).pvalue == 1.0
    for method in ("midp", "exact", "asymptotic", "corrected"):
        assert mcnemar(0, 0, method=method).p == 1.0


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("wilson", "wilson"), ("exact", "beta"), ("jeffreys", "jeffreys"), ("agresti_coull", "agresti_coull")],
)
def test_proportions_agree_inside(ours: str, theirs: str) -> None:
    """statsmodels is right where some succeeded and some failed."""
    found = proportion(15, 148, method=ours)
    assert (found.low, found.high) == pytest.approx(proportion_confint(15, 148, method=theirs), rel=1e-9)


def test_a_proportion_of_nothing() -> None:
    """statsmodels gives 0 of 0 three different intervals by method, one of them narrower than [0, 1].

    No units say nothing: the proportion is undefined and every value is possible.
    """
    assert np.isnan(proportion_confint(0, 0, method="wilson")).all()
    assert proportion_confint(0, 0, method="jeffreys")[0] > 0
    assert proportion_confint(0, 0, method="jeffreys")[1] < 1
    assert proportion_confint(0, 0, method="binom_test") == (0, 1)
    for method in ("wilson", "wilson_cc", "exact", "midp", "agresti_coull", "jeffreys"):
        found = proportion(0, 0, method=method)
        assert math.isnan(found.value)
        assert (found.low, found.high, found.status) == (0.0, 1.0, "undefined_no_units")


def test_the_default_interval_of_no_success() -> None:
    """statsmodels' default (Wald) is sure that 0 of 20 means never; rates up to 0.14 give 0 of 20 in 5%."""
    assert proportion_confint(0, 20) == (0.0, 0.0)
    assert proportion(0, 20).high == pytest.approx(0.1611, abs=5e-5)
    assert binom.pmf(0, 20, 0.139) == pytest.approx(0.05, abs=5e-4)


def test_jeffreys_without_success() -> None:
    """statsmodels' Jeffreys interval of 0 of 20 excludes 0, the very value that was seen.

    Brown, Cai and DasGupta (Stat Sci 2001;16:101) set the limit to 0 there, so that it does not fail near 0.
    """
    assert proportion_confint(0, 20, method="jeffreys")[0] > 0
    found = proportion(0, 20, method="jeffreys")
    assert found.low == 0.0
    assert found.high == pytest.approx(proportion_confint(0, 20, method="jeffreys")[1])


def _score_distance(x1: int, n1: int, x2: int, n2: int, d: float) -> float:
    """|z| of Miettinen and Nurminen at p1 - p2 = d, the constrained fit found by search, not by formula."""

    def unlikely(p2: float) -> float:
        return -(binom.logpmf(x1, n1, p2 + d) + binom.logpmf(x2, n2, p2))

    low, high = max(0.0, -d) + 1e-12, min(1.0, 1.0 - d) - 1e-12
    p2 = minimize_scalar(unlikely, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    p1, n = p2 + d, n1 + n2
    variance = (p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2) * n / (n - 1)
    return abs(x1 / n1 - x2 / n2 - d) / math.sqrt(variance)


@pytest.mark.parametrize("counts", [(56, 70, 48, 80), (30, 50, 20, 60)])
def test_score_interval_of_two_groups(counts: tuple[int, int, int, int]) -> None:
    """At a limit of a score interval the score statistic is 1.96; at statsmodels' limits it is not.

    statsmodels is right about Newcombe's interval, and off in the third digit for ``method="score"``.
    """
    x1, n1, x2, n2 = counts
    found, newcombe = (
        compare_proportions(_rows(x1, n1), _rows(x2, n2), paired=False, method=method).difference
        for method in ("miettinen_nurminen", "newcombe")
    )
    for limit in (found.low, found.high):
        assert _score_distance(*counts, limit) == pytest.approx(1.959964, abs=1e-4)
    theirs = confint_proportions_2indep(*counts, method="score", compare="diff")
    assert max(abs(_score_distance(*counts, limit) - 1.959964) for limit in theirs) > 5e-3
    same = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
    assert (newcombe.low, newcombe.high) == pytest.approx(same)


def test_score_interval_of_opposite_groups() -> None:
    """statsmodels finds no score interval for 10 of 10 against 0 of 20; the equation has a lower solution."""
    with pytest.raises(ValueError, match="different signs"):
        confint_proportions_2indep(10, 10, 0, 20, method="score", compare="diff")
    found = compare_proportions(
        _rows(10, 10), _rows(0, 20), paired=False, method="miettinen_nurminen"
    ).difference
    assert found.high == 1.0
    assert _score_distance(10, 10, 0, 20, found.low) == pytest.approx(1.959964, abs=1e-3)


def test_bca_of_constant_data() -> None:
    """scipy's BCa interval of twenty right answers is NaN without a word; ours says that it cannot know."""
    interval = scipy_bootstrap((np.ones(20),), np.mean, method="BCa").confidence_interval
    assert np.isnan([interval.low, interval.high]).all()
    table = {"right": np.ones(20)}
    found = bootstrap({"m": "mean:right"}, table, patients=None, resamples=99, seed=0, method="bca")["m"]
    assert (found.value, found.status) == (1.0, "degenerate_variance")
    assert proportion(20, 20).low == pytest.approx(0.839, abs=5e-4)  # what can be said instead


def test_bca_of_rows_is_not_that_of_patients() -> None:
    """scipy draws rows. Twice the same rows of each patient hold nothing new, but shrink its interval."""
    rng = np.random.default_rng(0)
    one = rng.normal(size=40)
    twice, owners = np.repeat(one, 2), np.repeat(np.arange(40), 2)
    theirs = scipy_bootstrap(
        (twice,), np.mean, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    how = {"resamples": 4000, "seed": 1, "method": "bca"}
    ours = bootstrap({"m": "mean:x"}, {"x": twice}, patients=owners, **how)["m"]
    alone = bootstrap({"m": "mean:x"}, {"x": one}, patients=None, **how)["m"]
    assert ours.high - ours.low == pytest.approx(alone.high - alone.low, rel=0.04)
    assert theirs.high - theirs.low == pytest.approx((alone.high - alone.low) / math.sqrt(2), rel=0.06)


def test_area_of_one_class() -> None:
    """Without negative cases nothing can be ranked: NaN (scikit-learn) is right, 0 (torchmetrics) is not."""
    labels, scores = [1, 1], [0.1, 0.2]
    assert math.isnan(roc_auc_score(labels, scores))
    assert float(BinaryAUROC()(torch.tensor(scores), torch.tensor(labels))) == 0.0
    found = auroc(labels, scores)
    assert math.isnan(found.value)
    assert found.status == "one_class"


def test_measures_of_absent_cases() -> None:
    """Without positive cases no sensitivity was seen: it is undefined, neither 0 nor 1.

    scikit-learn and torchmetrics return 0 for sensitivity, F1 and, as if calls and labels were unrelated, for
    Matthews' correlation; torchmetrics calls the latter perfect where all calls are negative.
    """
    labels, calls = [0, 0, 0], [0, 1, 0]
    assert recall_score(labels, calls) == f1_score(labels, calls) == matthews_corrcoef(labels, calls) == 0.0
    assert float(BinaryRecall()(torch.tensor(calls), torch.tensor(labels))) == 0.0
    assert float(BinaryMatthewsCorrCoef()(torch.tensor([0, 0]), torch.tensor([0, 0]))) == 1.0
    found = diagnostic_accuracy(labels, calls, resamples=20)
    assert all(math.isnan(getattr(found, name).value) for name in ("sensitivity", "f1", "mcc", "youden"))
    assert found.sensitivity.status == "undefined_no_units"


def test_a_perfect_area_is_not_certain() -> None:
    """Two perfectly ranked cases of each class are weak evidence; a variance of 0 would call them proof."""
    labels, scores = [0, 0, 1, 1], [1.0, 2.0, 3.0, 4.0]
    assert roc_auc_score(labels, scores) == auroc(labels, scores).value == 1.0
    assert auroc(labels, scores).low == pytest.approx(0.025**0.5)
    assert compare_auroc(labels, scores, scores).p == 1.0


def test_leave_one_out_scores_pooled() -> None:
    """scikit-learn's area of pooled leave-one-out scores of a model that knows nothing is 0, not 1/2.

    Where a positive case is left out the training prevalence is lower. The number is right about the pooled
    scores and wrong about the model; the average over folds of one case is undefined, and says so.
    """
    labels = np.repeat([0, 1], 5)
    scores = (labels.sum() - labels) / 9
    assert roc_auc_score(labels, scores) == 0.0
    found = cross_validated_auroc(labels, scores, np.arange(10))
    assert found.pooled.value == 0.0
    assert found.fold_averaged.status == "one_class_in_a_fold"


def test_agreement_on_one_category() -> None:
    """Kappa is 0 / 0 where both readers used one category: NaN in scikit-learn, and with its reason here."""
    assert math.isnan(cohen_kappa_score([1, 1, 1], [1, 1, 1], labels=[0, 1]))
    found = kappa([1, 1, 1], [1, 1, 1], categories=[0, 1])
    assert math.isnan(found.value)
    assert (found.status, found.agreement) == ("one_category", 1.0)


def test_perfect_agreement_is_not_certain() -> None:
    """statsmodels' interval of kappa on 20 agreed cases is [1, 1]; 20 others could well hold a difference."""
    theirs = cohens_kappa([[10, 0], [0, 10]])
    assert (theirs.kappa_low, theirs.kappa_upp) == (1.0, 1.0)
    found = kappa([[10, 0], [0, 10]])
    assert (found.value, found.high, found.status) == (1.0, 1.0, "degenerate_variance")
    assert found.low == pytest.approx((proportion(20, 20, method="exact").low - 0.5) / 0.5)


def test_a_false_alarm_on_an_empty_reference() -> None:
    """MONAI leaves cases with an empty reference out of the mean: a model that marks healthy tissue has 1.0.

    ``ignore_empty`` is its default. A false alarm is an error, and has a Dice score of 0; where
    both masks are empty, nothing was missed and nothing overlaps: undefined, and counted.
    """
    empty = np.zeros((4, 4, 4), dtype=bool)
    filled = empty.copy()
    filled[1:3, 1:3, 1:3] = True
    as_tensor = {name: torch.tensor(mask)[None, None] for name, mask in (("0", empty), ("1", filled))}
    assert math.isnan(float(compute_dice(as_tensor["1"], as_tensor["0"])))
    metric = DiceMetric(reduction="mean")
    metric(torch.cat([as_tensor["1"], as_tensor["1"]]), torch.cat([as_tensor["0"], as_tensor["1"]]))
    assert float(metric.aggregate()) == 1.0
    ours = [
        segmentation_scores(reference, prediction, (1, 1, 1), labels={"lesion": 1}).iloc[0]
        for reference, prediction in ((empty, filled), (filled, filled), (empty, empty))
    ]
    assert [row["dice"] for row in ours[:2]] == [0.0, 1.0]
    assert math.isnan(ours[2]["dice"])
    assert "empty" in ours[2]["status"]
