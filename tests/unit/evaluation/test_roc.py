"""The area under the ROC curve: edges, scikit-learn, and the clustered variance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medvision.evaluation import auroc, bootstrap, partial_auroc


def _scores(seed: int, n: int = 200, decimals: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.35).astype(int)
    return labels, np.round(rng.normal(size=n) + labels, decimals)


def _delong_by_pairs(labels: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """The definition itself: every positive against every negative."""
    positive, negative = scores[labels == 1][:, None], scores[labels == 0][None, :]
    wins = (positive > negative) + 0.5 * (positive == negative)
    variance = wins.mean(axis=1).var(ddof=1) / len(wins) + wins.mean(axis=0).var(ddof=1) / wins.shape[1]
    return float(wins.mean()), float(variance)


@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_area_and_variance_are_those_of_all_pairs(decimals: int) -> None:
    labels, scores = _scores(1, decimals=decimals)
    area, variance = _delong_by_pairs(labels, scores)
    found = auroc(labels, scores)
    assert found.value == pytest.approx(area, abs=1e-14)
    assert found.value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert found.standard_error == pytest.approx(math.sqrt(variance), rel=1e-12)


def test_logit_and_wald_share_the_standard_error() -> None:
    labels, scores = _scores(2)
    logit, wald = auroc(labels, scores), auroc(labels, scores, method="wald")
    assert logit.standard_error == wald.standard_error
    assert wald.high - wald.value == pytest.approx(1.959964 * wald.standard_error, rel=1e-6)
    assert logit.method == "DeLong, logit"
    assert wald.method == "DeLong, wald"


@pytest.mark.parametrize("method", ["logit", "wald", "bootstrap"])
@pytest.mark.parametrize("direction", [1, -1])
def test_perfect_separation_is_never_certain(method: str, direction: int) -> None:
    labels = [0] * 12 + [1] * 8
    found = auroc(labels, direction * np.arange(20), method=method)
    assert found.status == "degenerate_variance"
    assert found.high - found.low == pytest.approx(1 - 0.025 ** (1 / 8), abs=1e-9)
    assert found.value == (1.0 if direction == 1 else 0.0)


def test_perfect_separation_counts_patients_not_units() -> None:
    few = auroc([0] * 12 + [1] * 12, range(24), patients=[*"AAAAAABBBBBB", *"CCCCCCDDDDDD"])
    assert few.low == pytest.approx(0.025 ** (1 / 2))


def test_a_score_that_says_the_same_of_everybody() -> None:
    found = auroc([0, 1] * 10, [0.3] * 20)
    assert (found.value, found.low, found.high, found.status) == (0.5, 0.0, 1.0, "degenerate_variance")


def test_the_direction_is_never_turned() -> None:
    labels, scores = _scores(3)
    assert auroc(labels, -scores).value == pytest.approx(1 - auroc(labels, scores).value)
    assert auroc(labels, -scores).value < 0.5


@pytest.mark.parametrize(
    ("labels", "status"), [([1, 1], "one_class"), ([0, 0], "one_class"), ([], "undefined_no_units")]
)
@pytest.mark.parametrize("call", [auroc, partial_auroc])
def test_without_both_classes_it_is_undefined(call, labels, status) -> None:
    found = call(labels, np.arange(len(labels)))
    assert math.isnan(found.value)
    assert found.status == status


def test_a_class_of_one_unit_has_no_variance() -> None:
    found = auroc([0, 0, 0, 1], [1, 2, 4, 3])
    assert found.value == pytest.approx(2 / 3)
    assert (found.low, found.high, found.status) == (0.0, 1.0, "degenerate_variance")


def test_the_clustered_standard_error_is_that_of_a_bootstrap_over_patients() -> None:
    rng = np.random.default_rng(11)
    patients = np.repeat(np.arange(150), 3)
    labels = (rng.random(450) < 0.3).astype(int)
    scores = rng.normal(size=150)[patients] + rng.normal(size=450) + labels
    found = auroc(labels, scores, patients=patients)
    drawn = bootstrap(["auroc"], {"label": labels, "score": scores}, patients=patients, seed=1)["auroc"]
    assert found.standard_error == pytest.approx(drawn.standard_error, rel=0.08)
    assert found.n_patients == 150
    assert found.method == "Obuchowski, clustered, logit"


def test_bootstrap_method_names_its_seed() -> None:
    labels, scores = _scores(4)
    found = auroc(labels, scores, method="bootstrap", seed=7, resamples=200)
    assert found.seed == 7
    assert found.low < found.value < found.high


def test_scores_close_to_each_other_are_still_told_apart() -> None:
    """float32 ranks would tie these; they differ by one unit in the last place of float64."""
    low = 0.1
    assert auroc([0, 1], [low, np.nextafter(low, 1)]).value == 1.0


def test_positive_names_the_label() -> None:
    assert auroc(["b", "m", "m"], [0.1, 0.2, 0.3], positive="m").value == 1.0


@pytest.mark.parametrize("method", ["logit", "wald", "bootstrap"])
def test_few_cases_out_of_order_say_so(method: str) -> None:
    labels, scores = np.repeat([1, 0], [20, 60]), np.r_[np.arange(20) + 52.5, np.arange(60)]
    found = auroc(labels, scores, method=method, resamples=200)  # an area of 0.98
    assert found.status == ("ok" if method == "logit" else "fewer_than_5_cases_out_of_order")
    turned = auroc(labels, -scores, method=method, resamples=200)
    assert turned.status == found.status
    rng = np.random.default_rng(0)
    weak = auroc(labels, rng.normal(size=80) + labels, method=method, resamples=200)
    assert weak.status == "ok"


def test_the_bootstrap_does_not_depend_on_the_rows() -> None:
    labels, scores = _scores(5)
    order = np.random.default_rng(4).permutation(len(labels))
    once = auroc(labels, scores, method="bootstrap", resamples=100)
    assert auroc(labels[order], scores[order], method="bootstrap", resamples=100) == once
