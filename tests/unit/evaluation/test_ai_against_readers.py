from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation.ai_against_readers import compare_ai_with_readers, compare_readers_with_constant
from medvision.evaluation.multi_reader import reader_study

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


def test_the_published_comparison_of_cad_with_nine_radiologists():
    """Chapter "Standalone CAD vs. Radiologists" of the RJafroc FROC book, object RRRC_1T_PCL_0_2.

    Detection of masses in 200 mammograms; the figure is the share found at a false-positive fraction of 0.2.
    """
    cad = 0.59166667
    readers = np.array(
        [0.69453125, 0.65, 0.80625, 0.725, 0.65982143, 0.76845238, 0.7375, 0.675, 0.675]
    )  # fmt: skip
    spread = np.full((9, 9), 0.0030657054)  # cov2 of the differences
    np.fill_diagonal(spread, 0.0053445377)  # varError
    found = compare_readers_with_constant(readers - cad, spread, 0.0, n_cases=200)
    assert found.difference.value == pytest.approx(0.11850612, abs=1e-8)
    assert found.statistic == pytest.approx(2.0390389, abs=5e-7)
    assert found.df == pytest.approx(937.24371, abs=5e-4)
    assert found.p == pytest.approx(0.041726262, abs=5e-8)
    limits = (found.difference.low, found.difference.high)
    assert limits == pytest.approx((0.004448434, 0.232563801), abs=5e-8)


@pytest.mark.parametrize("scope", ["RRRC", "RRFC", "FRRC"])
def test_it_is_the_study_in_which_every_reader_has_a_copy_of_the_algorithm(readings, scope):
    # The same chapter: F, degrees of freedom and p of this "2T-RRRC" equal those of 1T-RRRC.
    ai = readings[readings["reader"] == "1"].set_index("case")["score"]
    others = readings[readings["reader"] != "1"]
    copies = others.assign(treatment="AI", score=ai.loc[others["case"]].to_numpy())
    two = reader_study(pd.concat([copies, others.assign(treatment="reader")]), scope=scope)
    pair, found = two.differences["AI", "reader"], compare_ai_with_readers(readings, "1", scope=scope)
    assert found.difference.value == pytest.approx(pair.difference.value)
    assert found.difference.standard_error == pytest.approx(pair.difference.standard_error)
    assert (found.df, found.p) == (pytest.approx(pair.df), pytest.approx(pair.p))
    # The readers' own mean, and the algorithm's own area with its error over cases.
    for own, other in ((found.second, two.means["reader"]), (found.first, two.readers["AI", "2"])):
        assert own.value == pytest.approx(other.value)
        assert (own.low, own.high) == pytest.approx((other.low, other.high))


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
