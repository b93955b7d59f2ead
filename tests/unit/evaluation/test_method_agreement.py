"""Bland and Altman."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import linregress, ttest_1samp
from statsmodels.api import OLS, add_constant

from medvision.errors import EvaluationError
from medvision.evaluation import bland_altman


def _volumes(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.lognormal(3, 0.5, n)
    return truth * 1.1 + rng.normal(0, 2, n), truth


def test_the_interval_of_the_bias_is_that_of_a_t_test() -> None:
    a, b = _volumes(1, 30)
    expected = ttest_1samp(a - b, 0).confidence_interval()
    found = bland_altman(a, b)
    assert (found.bias.low, found.bias.high) == pytest.approx((expected.low, expected.high))
    assert found.limits_of_agreement == (found.lower_limit, found.upper_limit)
    middle = (found.lower_limit.value + found.upper_limit.value) / 2
    assert middle == pytest.approx(found.bias.value)


def test_a_proportional_bias_shows_in_the_slope() -> None:
    a, b = _volumes(2, 60)
    found, expected = bland_altman(a, b), linregress((a + b) / 2, a - b)
    assert found.slope.value == pytest.approx(expected.slope)
    assert found.slope.standard_error == pytest.approx(expected.stderr)
    assert found.slope.low > 0


def test_the_slope_of_clustered_units_is_that_of_statsmodels() -> None:
    a, b = _volumes(7, 60)
    patients = np.random.default_rng(7).integers(0, 20, 60)
    model = OLS(a - b, add_constant((a + b) / 2))
    expected = model.fit(cov_type="cluster", cov_kwds={"groups": patients}, use_t=True)
    found = bland_altman(a, b, patients=patients).slope
    assert (found.value, found.standard_error) == pytest.approx((expected.params[1], expected.bse[1]))
    assert (found.low, found.high) == pytest.approx(tuple(expected.conf_int()[1]))


def test_copies_inside_patients_leave_the_interval_of_the_bias_unchanged() -> None:
    a, b = _volumes(3, 25)
    once = bland_altman(a, b)
    copies = bland_altman(np.repeat(a, 3), np.repeat(b, 3), patients=np.repeat(np.arange(25), 3))
    assert (copies.bias.low, copies.bias.high) == pytest.approx((once.bias.low, once.bias.high))
    assert copies.standard_deviation == pytest.approx(once.standard_deviation)
    assert copies.bias.n_patients == 25


def test_repeated_differences_add_their_variance_within_patients() -> None:
    """Between patients SD 3, within 4: a new difference of a new patient has SD 5."""
    rng = np.random.default_rng(4)
    patients = np.repeat(np.arange(3000), 4)
    gap = rng.normal(0, 3, 3000)[patients] + rng.normal(0, 4, 12000)
    found = bland_altman(gap, np.zeros(12000), patients=patients)
    assert found.standard_deviation == pytest.approx(5, rel=0.03)


@pytest.mark.parametrize(("values", "status"), [([], "undefined_no_units"), ([1.0], "one_unit")])
def test_too_few_units(values, status) -> None:
    found = bland_altman(values, values)
    assert found.bias.status == status
    assert math.isnan(found.upper_limit.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda: bland_altman([1, np.nan], [1, 2]),
        lambda: bland_altman([1, 2], [1]),
        lambda: bland_altman([1, 2], [1, 2], multiplier=0),
    ],
)
def test_wrong_input_is_refused(call) -> None:
    with pytest.raises(EvaluationError):
        call()


@pytest.fixture(scope="module")
def cardiac_output() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cardiac output by radionuclide ventriculography and impedance cardiography, 60 pairs of 12 subjects.

    Bland and Altman, Stat Methods Med Res 1999;8:135, Table 4, and J Biopharm Stat 2007;17:571.
    """
    path = Path(__file__).resolve().parents[2] / "golden" / "cardiac_output.csv"
    return tuple(np.loadtxt(path, delimiter=",", skiprows=1).T)  # type: ignore[return-value]


def test_the_published_example_with_a_varying_true_value(cardiac_output) -> None:
    """Bland and Altman 2007, section 3: bias 0.6021667, SD 0.99062408, limits -1.3394565 and 2.5437899."""
    subject, rv, ic = cardiac_output
    found = bland_altman(rv, ic, patients=subject)
    assert found.bias.value == pytest.approx(0.6021667, abs=5e-8)
    assert found.standard_deviation == pytest.approx(0.99062408, abs=5e-8)
    limits = [limit.value for limit in found.limits_of_agreement]
    assert limits == pytest.approx([-1.3394565, 2.5437899], abs=1e-7)


def test_the_published_example_with_a_constant_true_value(cardiac_output) -> None:
    """Bland and Altman 1999, section 5.2: bias 0.7092, SD 1.0517, limits -1.3521 and 2.7705, rounded."""
    subject, rv, ic = cardiac_output
    found = bland_altman(rv, ic, patients=subject, true_value="constant")
    assert found.bias.value == pytest.approx(0.7092, abs=5e-5)
    assert found.standard_deviation == pytest.approx(1.0517, abs=3e-4)
    limits = [limit.value for limit in found.limits_of_agreement]
    assert limits == pytest.approx([-1.3521, 2.7705], abs=5e-4)


def test_replicates_of_a_constant_value_add_both_variances_within_patients() -> None:
    """Simulated: bias 1, patients' own difference SD 2, errors SD 3 and 4; the interval of a limit covers."""
    rng = np.random.default_rng(5)
    sizes = np.tile([2, 3, 5], 800)
    patients = np.repeat(np.arange(2400), sizes)
    gap = 1 + rng.normal(0, 2, 2400)[patients]
    first, second = gap + rng.normal(0, 3, len(gap)), rng.normal(0, 4, len(gap))
    found = bland_altman(first, second, patients=patients, true_value="constant")
    assert found.standard_deviation == pytest.approx(math.sqrt(4 + 9 + 16), rel=0.02)
    assert found.bias.value == pytest.approx(1, abs=0.2)
    true, hit = 1 + 1.96 * math.sqrt(29), 0
    for block in np.split(np.arange(2400), 80):
        own = np.isin(patients, block)
        limit = bland_altman(
            first[own], second[own], patients=patients[own], true_value="constant"
        ).upper_limit
        hit += limit.low <= true <= limit.high
    assert hit >= 70


def test_constant_or_varying_is_the_same_with_one_unit_a_patient() -> None:
    a, b = _volumes(6, 20)
    assert bland_altman(a, b, true_value="constant", patients=np.arange(20)) == bland_altman(
        a, b, patients=np.arange(20)
    )
    with pytest.raises(EvaluationError, match="did you mean 'constant'"):
        bland_altman(a, b, true_value="constants")
