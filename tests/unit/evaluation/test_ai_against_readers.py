from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation.ai_against_readers import compare_ai_with_readers, compare_readers_with_constant

RATINGS = Path(__file__).parents[2] / "golden" / "van_dyke_ratings.csv"


@pytest.fixture
def readings():
    table = pd.read_csv(RATINGS).rename(columns={"truth": "label", "rating": "score"})
    return table[table["treatment"] == 1].assign(reader=lambda t: t["reader"].astype(str))


def test_against_the_formula_in_loops(readings):
    wide = readings.pivot(index="case", columns="reader", values="score")
    y = readings.groupby("case")["label"].first().to_numpy()

    def differences(keep):
        def auc(s):
            d = s[y[keep] == 1][:, None] - s[y[keep] == 0][None]
            return ((d > 0) + 0.5 * (d == 0)).mean()

        return np.array([auc(wide["1"].to_numpy()[keep]) - auc(wide[r].to_numpy()[keep]) for r in "2345"])

    cases = np.arange(len(y))
    d = differences(cases)
    left = np.array([differences(np.delete(cases, k)) for k in cases])
    cov = (len(y) - 1) ** 2 / len(y) * np.cov(left.T)
    cov2 = max(np.mean([cov[a, b] for a in range(4) for b in range(4) if a != b]), 0)
    ms = d.var(ddof=1)
    found = compare_ai_with_readers(readings, "1")
    assert found.difference.value == pytest.approx(d.mean())
    assert found.difference.standard_error == pytest.approx(np.sqrt((ms + 4 * cov2) / 4))
    assert found.df == pytest.approx((ms + 4 * cov2) ** 2 / (ms**2 / 3))


def test_an_algorithm_like_every_reader_differs_by_nothing(readings):
    one = readings[readings["reader"] == "1"]
    same = pd.concat([one.assign(reader=r) for r in ("AI", "A", "B")])
    found = compare_ai_with_readers(same, "AI")
    assert (found.difference.value, found.p) == (0, 1)


def test_wrong_input_is_refused(readings):
    with pytest.raises(EvaluationError, match="needed"):
        compare_ai_with_readers(readings, "AI")
    with pytest.raises(EvaluationError, match="same 2 readers"):
        compare_readers_with_constant([0.8], [[0.1]], 0.8, n_cases=10)
