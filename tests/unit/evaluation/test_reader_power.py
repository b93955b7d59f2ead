import numpy as np
import pytest
from scipy.stats import f as f_distribution
from scipy.stats import ncf

from medvision.errors import EvaluationError
from medvision.evaluation.obuchowski_rockette import VarianceComponents, variance_components
from medvision.evaluation.reader_power import (
    _beyond_critical,
    power_reader_study,
    sample_size_reader_study,
)

PILOT = VarianceComponents(0.0048, 0.0038, 0.00055, 0.0008, 0.00035, 0.00034, 0.00024)


def test_power_against_a_simulation_of_the_model():
    # Figures of the model itself: independent readings of known covariance, and the test applied to each.
    from medvision.evaluation.obuchowski_rockette import treatment_test

    rng = np.random.default_rng(1)
    j, difference = 6, 0.05
    interaction = 0.00055 - (0.0008 - 0.00035) + 0.0001
    same_t = np.kron(np.eye(2), np.ones((j, j)))
    same_r = np.kron(np.ones((2, 2)), np.eye(j))
    both = np.eye(2 * j)
    cov = 0.00024 + (0.00034 - 0.00024) * same_t + (0.00035 - 0.00024) * same_r
    cov += (0.0008 - 0.00034 - 0.00035 + 0.00024) * both
    draws = rng.multivariate_normal(np.repeat([0.0, difference], j), cov + interaction * both, size=4000)
    p = [treatment_test(variance_components(d.reshape(2, j), cov), 2, j, "RRRC")[2] for d in draws]
    power = power_reader_study(PILOT, difference=difference, readers=j, cases=114, pilot_cases=114)
    assert np.mean(np.array(p) < 0.05) == pytest.approx(power, abs=0.03)


def test_the_tail_of_the_noncentral_f_against_scipy():
    for df in (1.0, 2.5, 4.0, 16.1, 300.0, 1e5):
        critical = f_distribution.isf(0.05, 1, df)
        for shift in (0.0, 0.5, 2.0, 3.5, 6.0):
            expected = ncf.sf(critical, 1, df, shift**2) if shift else 0.05
            assert _beyond_critical(shift, df, critical) == pytest.approx(expected, abs=2e-8)


def test_the_power_grows_with_the_difference_to_one():
    """Where scipy's non-central F is not a number: large differences, hardly any interaction."""
    still = VarianceComponents(0.0, 0.0, 0.00035, 0.0008, 0.00035, 0.00034, 0.00024)
    for scope in ("RRRC", "FRRC", "RRFC"):
        for readers in (3, 4, 20):
            found = [
                power_reader_study(
                    still, difference=d, readers=readers, cases=n, pilot_cases=114, scope=scope
                )
                for d, n in ((0.01, 100), (0.05, 100), (0.3, 100), (0.5, 200), (0.5, 400), (0.9, 9000))
            ]
            assert np.isfinite(found).all()
            assert (np.diff(found) >= -1e-12).all()
            assert found[-1] == pytest.approx(1, abs=1e-9)


def test_no_difference_is_found_at_alpha():
    assert power_reader_study(PILOT, difference=0, readers=5, cases=90, pilot_cases=114) == pytest.approx(
        0.05
    )


def test_the_size_is_the_smallest():
    n = sample_size_reader_study(PILOT, difference=0.05, readers=8, pilot_cases=114)
    enough, short = (
        power_reader_study(PILOT, difference=0.05, readers=8, cases=c, pilot_cases=114) for c in (n, n - 1)
    )
    assert short < 0.8 <= enough


def test_what_cannot_be_planned_is_refused():
    with pytest.raises(EvaluationError, match="more readers"):
        sample_size_reader_study(PILOT, difference=0.001, readers=3, pilot_cases=114)
    with pytest.raises(EvaluationError, match="at least 2"):
        power_reader_study(PILOT, difference=0.1, readers=1, cases=50, pilot_cases=114)
    nothing = VarianceComponents(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    with pytest.raises(EvaluationError, match="no variance"):
        power_reader_study(nothing, difference=0.1, readers=4, cases=50, pilot_cases=114)
