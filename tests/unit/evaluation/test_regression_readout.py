"""A predicted number against its reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm, pearsonr, spearmanr, t, ttest_1samp
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from medvision.errors import EvaluationError
from medvision.evaluation import RegressionScores, regression_scores


def _volumes(seed: int, n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(30, 8, n)
    return x, 0.8 * x + rng.normal(8, 4, n)


def _lin_variance_by_moments(x: np.ndarray, y: np.ndarray) -> float:
    """The delta method written out: numerical derivatives by the five moments of a normal pair."""
    s = np.cov(x, y, bias=True)
    moments = np.array([x.mean(), y.mean(), s[0, 0], s[1, 1], s[0, 1]])

    def z(values: np.ndarray) -> float:
        mx, my, sx, sy, across = values
        return math.atanh(2 * across / (sx + sy + (mx - my) ** 2))

    step = 1e-4
    gradient = [(z(moments + step * e) - z(moments - step * e)) / (2 * step) for e in np.eye(5)]
    a, b, c = s[0, 0], s[1, 1], s[0, 1]
    covariance = np.zeros((5, 5))
    covariance[:2, :2] = s
    covariance[2:, 2:] = [
        [2 * a * a, 2 * c * c, 2 * a * c],
        [2 * c * c, 2 * b * b, 2 * b * c],
        [2 * a * c, 2 * b * c, a * b + c * c],
    ]
    return float(np.array(gradient) @ covariance @ np.array(gradient))


def test_values_are_those_of_other_libraries() -> None:
    x, y = _volumes(0)
    found = regression_scores(x, y, resamples=100)
    assert found.mae.value == pytest.approx(mean_absolute_error(x, y))
    assert found.rmse.value == pytest.approx(root_mean_squared_error(x, y))
    assert found.r_squared.value == pytest.approx(r2_score(x, y))
    assert found.pearson.value == pytest.approx(pearsonr(x, y).statistic)
    assert found.spearman.value == pytest.approx(spearmanr(x, y).statistic)
    assert found.bias.value == pytest.approx(np.mean(y - x))


def test_intervals_of_bias_and_pearson_are_those_of_scipy() -> None:
    x, y = _volumes(1)
    found = regression_scores(x, y, resamples=100, level=0.9)
    bias = ttest_1samp(y - x, 0).confidence_interval(0.9)
    assert (found.bias.low, found.bias.high) == pytest.approx((bias.low, bias.high))
    r = pearsonr(x, y).confidence_interval(0.9)
    assert (found.pearson.low, found.pearson.high) == pytest.approx((r.low, r.high))


@pytest.mark.parametrize("seed", range(3))
def test_the_variance_of_lin_is_the_delta_method_of_a_normal_pair(seed: int) -> None:
    """Which the formula of 1989 is not, and that of 2000 is."""
    x, y = _volumes(seed)
    found = regression_scores(x, y + 3 * seed, resamples=10).ccc
    z = (math.atanh(found.high) - math.atanh(found.low)) / 2 / norm.ppf(0.975)
    expected = _lin_variance_by_moments(x, y + 3 * seed) / (len(x) - 2)
    assert z**2 == pytest.approx(expected, rel=1e-5)
    assert found.value == pytest.approx(math.tanh((math.atanh(found.high) + math.atanh(found.low)) / 2))


def _weighted(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> dict[str, float]:
    """Every measure of weighted units on the scale of its interval, from the definitions."""
    mean = lambda v: np.sum(w * v) / np.sum(w)  # noqa: E731 -- a definition in one line
    a, b, gap = x - mean(x), y - mean(y), y - x
    c = 2 * mean(a * b) / (mean(a**2) + mean(b**2) + (mean(x) - mean(y)) ** 2)
    return {
        "mae": math.log(mean(abs(gap))),
        "rmse": math.log(math.sqrt(mean(gap**2))),
        "bias": mean(gap),
        "r_squared": -math.log(mean(gap**2) / mean(a**2)),
        "ccc": math.atanh(c),
        "pearson": math.atanh(mean(a * b) / math.sqrt(mean(a**2) * mean(b**2))),
    }


def test_clustered_intervals_sum_what_each_patient_adds() -> None:
    """The oracle is the numerical derivative of each measure by the weight of each patient."""
    x, y = _volumes(6, 60)
    patients = np.random.default_rng(6).integers(0, 15, 60)
    found = regression_scores(x, y + 2, patients=patients, resamples=20)
    shifts = [1e-5 * (patients == p) for p in range(15)]
    pairs = [(_weighted(x, y + 2, 1 + s), _weighted(x, y + 2, 1 - s)) for s in shifts]
    back = {"mae": np.log, "rmse": np.log, "bias": lambda v: v, "r_squared": lambda v: -np.log(1 - v)}
    for name in pairs[0][0]:
        derivative = np.array([up[name] - down[name] for up, down in pairs]) / 2e-5
        half = t.ppf(0.975, 14) * math.sqrt(15 / 14 * np.square(derivative).sum())
        one, scale = getattr(found, name), back.get(name, np.arctanh)
        assert scale(one.high) - scale(one.value) == pytest.approx(half, rel=1e-5)
        assert scale(one.value) - scale(one.low) == pytest.approx(half, rel=1e-5)
        assert one.n_patients == 15


def test_r_squared_is_no_squared_correlation() -> None:
    x, y = _volumes(2)
    found = regression_scores(x, y + 20, resamples=100)
    assert found.r_squared.value < 0
    assert found.pearson.value > 0.7


def test_copies_inside_patients_do_not_narrow_the_intervals() -> None:
    x, y = _volumes(3)
    once = regression_scores(x, y, patients=np.arange(40), seed=1)
    copies = regression_scores(np.repeat(x, 3), np.repeat(y, 3), patients=np.repeat(np.arange(40), 3), seed=1)
    for name in ("mae", "rmse", "r_squared"):
        one, other = getattr(once, name), getattr(copies, name)
        assert (other.low, other.value, other.high) == pytest.approx((one.low, one.value, one.high))
    assert (copies.ccc.method, copies.spearman.method) == ("z, t", "bootstrap over patients, percentile")
    assert copies.pearson.high - copies.pearson.low > 0.6 * (once.pearson.high - once.pearson.low)
    assert (copies.mae.n_units, copies.mae.n_patients) == (120, 40)


def test_the_order_of_the_rows_does_not_matter() -> None:
    x, y = _volumes(4)
    patients = np.arange(40) // 2
    mixed = np.random.default_rng(0).permutation(40)
    for owners in (None, patients):
        plain = regression_scores(x, y, patients=owners)
        turned = regression_scores(x[mixed], y[mixed], patients=None if owners is None else owners[mixed])
        for name, one in plain.estimates().items():
            other = turned.estimates()[name]
            assert (other.value, other.low, other.high) == pytest.approx((one.value, one.low, one.high))


def test_a_perfect_prediction() -> None:
    x, _ = _volumes(5)
    found = regression_scores(x, x, resamples=50)
    assert (found.mae.value, found.bias.value, found.ccc.value) == pytest.approx((0, 0, 1))
    assert {found.mae.status, found.bias.status, found.ccc.status} == {"degenerate_variance"}
    assert math.isnan(found.ccc.low)


@pytest.mark.parametrize("owners", [None, np.arange(12) // 2])
def test_what_does_not_vary_has_no_correlation(owners) -> None:
    x = np.arange(12.0)
    flat = regression_scores(x, np.full(12, 0.1), patients=owners, resamples=50)
    for one in (flat.ccc, flat.pearson, flat.spearman):
        assert math.isnan(one.value)
        assert one.status == "constant_values"
    assert flat.r_squared.value < 0
    same = regression_scores(np.full(12, 0.1), x, patients=owners, resamples=50)
    assert math.isnan(same.r_squared.value)
    assert same.mae.value == pytest.approx(np.mean(np.abs(x - 0.1)))


def test_few_and_no_units() -> None:
    empty = regression_scores([], [])
    assert {one.status for one in empty.estimates().values()} == {"undefined_no_units"}
    one = regression_scores([1.0], [2.0], resamples=20)
    assert one.mae.value == 1
    assert math.isnan(one.mae.low)
    assert one.mae.status == "one_patient"
    three = regression_scores([1.0, 2.0, 4.0], [1.0, 3.0, 4.0], resamples=50)
    assert math.isnan(three.pearson.low)
    assert three.bias.status == "fewer_than_10_units"
    assert isinstance(three, RegressionScores)


@pytest.mark.parametrize("call", [
    lambda: regression_scores([1.0, np.nan], [1, 2]),
    lambda: regression_scores([1.0, 2.0], [1]),
    lambda: regression_scores([1.0, 2.0], [1, 2], patients=["A"]),
    lambda: regression_scores([1.0, 2.0], [1, 2], level=95),
])  # fmt: skip
def test_wrong_input_is_refused(call) -> None:
    with pytest.raises(EvaluationError):
        call()
