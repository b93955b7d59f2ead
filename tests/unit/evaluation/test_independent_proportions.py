"""Two proportions in different patients."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats import proportion as statsmodels_proportion

from medvision.evaluation import compare_proportions


def test_the_p_value_is_that_of_the_score_test() -> None:
    a, b = np.repeat([1, 0], [9, 21]), np.repeat([1, 0], [4, 36])
    expected = statsmodels_proportion.test_proportions_2indep(
        9, 30, 4, 40, method="score", compare="diff", correction=True
    )
    found = compare_proportions(a, b, paired=False)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9)


def test_independent_newcombe_as_statsmodels() -> None:
    a, b = np.repeat([1, 0], [9, 21]), np.repeat([1, 0], [4, 36])
    found = compare_proportions(a, b, paired=False).difference
    assert (found.low, found.high) == pytest.approx(
        statsmodels_proportion.confint_proportions_2indep(9, 30, 4, 40, method="newcomb", compare="diff"),
        abs=1e-9,
    )


@pytest.mark.parametrize("counts", [(9, 10, 3, 10), (0, 10, 0, 20), (10, 10, 0, 20), (7, 35, 1, 20)])
def test_miettinen_nurminen_limits_solve_the_score_equation(counts) -> None:
    x1, n1, x2, n2 = counts

    def statistic(d: float) -> float:
        p2 = np.linspace(max(0.0, -d), min(1.0, 1 - d), 400_001)[1:-1]
        p1 = p2 + d
        terms = [x1 * np.log(p1), (n1 - x1) * np.log(1 - p1), x2 * np.log(p2), (n2 - x2) * np.log(1 - p2)]
        best = int(np.argmax(sum(terms)))
        variance = p1[best] * (1 - p1[best]) / n1 + p2[best] * (1 - p2[best]) / n2
        return (x1 / n1 - x2 / n2 - d) / math.sqrt(variance * (n1 + n2) / (n1 + n2 - 1))

    a, b = np.repeat([1, 0], [x1, n1 - x1]), np.repeat([1, 0], [x2, n2 - x2])
    found = compare_proportions(a, b, paired=False, method="miettinen_nurminen").difference
    for limit, z in ((found.low, 1.959964), (found.high, -1.959964)):
        if -1 < limit < 1:
            assert statistic(limit) == pytest.approx(z, abs=5e-3)
