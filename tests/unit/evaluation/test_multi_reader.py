from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as t_distribution

from medvision.errors import EvaluationError
from medvision.evaluation import auroc
from medvision.evaluation.multi_reader import reader_study, reader_study_from_jackknife

# Ratings of Van Dyke et al. (1993): 114 patients, 45 with aortic dissection, two kinds of MRI, five readers.
# They are facts, as shipped in the R package RJafroc (vignettes/VanDyke.lrc).
RATINGS = Path(__file__).parents[2] / "golden" / "van_dyke_ratings.csv"


@pytest.fixture
def van_dyke():
    return pd.read_csv(RATINGS).rename(columns={"truth": "label", "rating": "score"})


def test_the_published_analysis_of_van_dyke(van_dyke):
    # Output documented by the R package MRMCaov for these ratings (empirical AUC, jackknife covariance).
    found = reader_study(van_dyke)
    pair = found.differences["1", "2"]
    assert [m.value for m in found.means.values()] == pytest.approx([0.8970370, 0.9408374], abs=1e-7)
    assert pair.difference.value == pytest.approx(-0.0438003, abs=1e-7)
    assert pair.difference.standard_error == pytest.approx(0.0207486, abs=1e-7)
    assert pair.df == pytest.approx(15.25967, abs=1e-5)
    assert (pair.difference.low, pair.difference.high) == pytest.approx((-0.0879595, 0.0003589), abs=1e-7)
    assert pair.p == pytest.approx(0.0517, abs=5e-5)
    assert found.p == pytest.approx(pair.p, rel=1e-9)
    assert "RRRC" in str(found)
    assert len(found.table()) == 12
    assert found.to_dict()["p"] == found.p


@pytest.mark.parametrize("scope", ["RRRC", "FRRC", "RRFC"])
def test_the_test_of_two_treatments_is_that_of_their_difference(van_dyke, scope):
    found = reader_study(van_dyke, scope=scope, covariance="delong")
    pair = found.differences["1", "2"]
    assert found.p == pytest.approx(pair.p, rel=1e-6)
    assert found.statistic == pytest.approx(pair.statistic**2)


def test_covariances_against_loops(van_dyke):
    found = reader_study(van_dyke).components
    wide = van_dyke.pivot(index="case", columns=["treatment", "reader"], values="score")
    y = van_dyke.groupby("case")["label"].first().to_numpy()

    def auc(s, t):
        d = s[t == 1][:, None] - s[t == 0][None]
        return ((d > 0) + 0.5 * (d == 0)).mean()

    left = {}
    for key in wide.columns:
        s = wide[key].to_numpy()
        left[key] = np.array([auc(np.delete(s, k), np.delete(y, k)) for k in range(len(y))])
    kinds: dict[tuple[bool, bool], list[float]] = {}
    for a, b in product(left, left):
        cov = (len(y) - 1) ** 2 / len(y) * np.cov(left[a], left[b])[0, 1]
        kinds.setdefault((a[0] == b[0], a[1] == b[1]), []).append(cov)
    want = [np.mean(kinds[k]) for k in [(True, True), (False, True), (True, False), (False, False)]]
    assert [found.variance, found.cov1, found.cov2, found.cov3] == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize(("figure", "label"), [("sensitivity", 1), ("specificity", 0)])
def test_proportions_use_the_cases_of_their_class_alone(van_dyke, figure, label):
    found = reader_study(van_dyke, figure=figure, threshold=3)
    own = van_dyke[van_dyke["label"] == label]
    right = (own["score"] >= 3) == bool(label)
    one = right[(own["reader"] == 1) & (own["treatment"] == 1)]
    estimate = found.readers["1", "1"]
    assert estimate.value == pytest.approx(one.mean())
    assert estimate.standard_error == pytest.approx(one.std(ddof=1) / np.sqrt(len(one)))


def test_swapping_treatments_turns_the_sign(van_dyke):
    swapped = van_dyke.assign(treatment=3 - van_dyke["treatment"]).sort_values("treatment", kind="stable")
    a, b = (reader_study(t, covariance="delong").differences["1", "2"] for t in (van_dyke, swapped))
    assert (a.difference.value, a.difference.low) == pytest.approx((-b.difference.value, -b.difference.high))
    assert a.p == pytest.approx(b.p)


def test_identical_treatments_differ_by_nothing(van_dyke):
    one = van_dyke[van_dyke["treatment"] == 1]
    found = reader_study(pd.concat([one, one.assign(treatment=2)]))
    assert (found.p, found.differences["1", "2"].p) == (1.0, 1.0)
    assert found.differences["1", "2"].difference.value == 0


def test_a_constant_added_to_a_reader_changes_nothing(van_dyke):
    moved = van_dyke.assign(score=van_dyke["score"] + 7 * (van_dyke["reader"] == 2))
    a, b = reader_study(van_dyke, covariance="delong"), reader_study(moved, covariance="delong")
    assert a.to_dict() == b.to_dict()


def test_single_case_patients_are_the_unclustered_study_and_a_function_is_the_name(van_dyke):
    def area(labels, scores):
        d = scores[labels == 1][:, None] - scores[labels == 0][None]
        return float(((d > 0) + 0.5 * (d == 0)).mean())

    plain = reader_study(van_dyke)
    other = reader_study(van_dyke.assign(who=van_dyke["case"]), figure=area, patients="who")
    assert other.p == pytest.approx(plain.p, rel=1e-9)


def test_doubled_cases_of_a_patient_change_no_clustered_interval(van_dyke):
    double = pd.concat([van_dyke, van_dyke.assign(case=van_dyke["case"] + 1000)])
    double["who"] = double["case"] % 1000
    a = reader_study(van_dyke, covariance="delong")
    b = reader_study(double, covariance="delong", patients="who")
    assert a.p == pytest.approx(b.p, rel=1e-9)


def test_noninferiority(van_dyke):
    found = reader_study(van_dyke)
    better = found.non_inferiority("2", "1", 0.01)
    assert better.shown
    assert better.difference.value == pytest.approx(0.0438003, abs=5e-8)
    worse = found.non_inferiority("1", "2", 0.05)
    assert not worse.shown
    # One-sided t of (difference + margin) / SE on Hillis' degrees of freedom.
    assert worse.p == pytest.approx(t_distribution.sf((-0.0438003 + 0.05) / 0.0207486, 15.25967), abs=1e-5)
    with pytest.raises(EvaluationError, match="margin"):
        found.non_inferiority("1", "2", 0)
    with pytest.raises(EvaluationError, match="known"):
        found.non_inferiority("1", "9", 0.1)


def test_figures_and_their_jackknife_give_the_same_study(van_dyke):
    found = reader_study(van_dyke)
    wide = van_dyke.pivot(index="case", columns=["treatment", "reader"], values="score").sort_index(axis=1)
    truth = van_dyke.drop_duplicates("case").set_index("case")["label"].loc[wide.index].to_numpy()

    def areas(rows):
        return np.array([auroc(truth[rows], wide.to_numpy()[rows, k]).value for k in range(10)])

    everyone = np.arange(len(truth))
    left_out = np.array([areas(np.delete(everyone, i)) for i in everyone]).reshape(-1, 2, 5)
    same = reader_study_from_jackknife(
        areas(everyone).reshape(2, 5), left_out, treatments=("1", "2"), readers=tuple("12345")
    )
    assert same.p == pytest.approx(found.p, rel=1e-9)
    one, other = same.differences["1", "2"].difference, found.differences["1", "2"].difference
    assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=1e-9)


def test_limits_stay_within_one(van_dyke):
    easy = van_dyke.assign(score=van_dyke["score"] + 3 * van_dyke["label"])
    found = reader_study(easy)
    measured = [*found.means.values(), *found.readers.values()]
    perfect = [one for one in measured if one.status == "degenerate_variance"]
    assert {one.value for one in perfect} == {1.0}  # readers who never err: their areas have no limits
    for one in measured:
        assert one in perfect or 0 <= one.low <= one.value <= one.high <= 1


def test_every_fault_of_the_table_is_named(van_dyke):
    broken = pd.concat([van_dyke.iloc[1:], van_dyke.iloc[[5]]]).reset_index(drop=True)
    broken.loc[100, "label"] = 1 - broken.loc[100, "label"]
    with pytest.raises(EvaluationError) as error:
        reader_study(broken)
    text = str(error.value)
    assert "reader 1, treatment 1, case 1: missing" in text
    assert "reader 1, treatment 1, case 6: given more than once" in text
    assert "differ in their truth" in text
    with pytest.raises(EvaluationError, match="2 are needed"):
        reader_study(van_dyke[van_dyke["treatment"] == 1])
    with pytest.raises(EvaluationError, match="one class"):
        reader_study(van_dyke[van_dyke["label"] == 1])
    with pytest.raises(EvaluationError, match="no column"):
        reader_study(van_dyke.drop(columns="score"))


def test_missing_values_and_missing_readings_are_named_together(van_dyke):
    broken = van_dyke.iloc[2:].astype({"score": float, "label": float, "reader": object})
    broken = broken.assign(who=broken["case"].astype(float))
    broken.iloc[7, broken.columns.get_loc("score")] = np.nan
    broken.iloc[8, broken.columns.get_loc("label")] = np.nan
    broken.iloc[9, broken.columns.get_loc("reader")] = None
    broken.iloc[10, broken.columns.get_loc("who")] = np.nan
    with pytest.raises(EvaluationError) as error:
        reader_study(broken, patients="who")
    text = str(error.value)
    for told in (
        "reader 1, treatment 1, case 1: missing",
        "reader 1, treatment 1, case 2: missing",
        "the truth: 1 of 1138 labels are missing",
        "the score: 1 of 1138",
        "the patient: ",
        "column 'reader': 1 values are missing",
        "reader 1, treatment 1, case 12: missing",
    ):
        assert told in text
    # A table without a fault in its labels is still searched for contradictions.
    with pytest.raises(EvaluationError, match="truth"):
        reader_study(van_dyke.assign(label=1 - van_dyke["label"] * (van_dyke["reader"] == 1)).iloc[1:])


def test_wrong_arguments_are_refused(van_dyke):
    for wrong in (
        {"figure": "sensitivity"},
        {"figure": "specificity", "threshold": 3, "covariance": "delong"},
    ):
        with pytest.raises(EvaluationError):
            reader_study(van_dyke, **wrong)
    with pytest.raises(EvaluationError, match="must be"):
        reader_study_from_jackknife(
            np.ones((2, 2)), np.ones((4, 2, 3)), treatments=("a", "b"), readers=("c", "d")
        )


def test_readers_who_never_vary_have_no_limits_and_show_nothing() -> None:
    rows = [(r, t, c, c % 2, c % 2) for r in "AB" for t in ("CT", "MRI") for c in range(20)]
    table = pd.DataFrame(rows, columns=["reader", "treatment", "case", "label", "score"])
    for scope in ("RRRC", "FRRC", "RRFC"):
        study = reader_study(table, scope=scope)
        compared = study.differences["CT", "MRI"]
        for found in (compared.difference, study.means["CT"], study.readers["CT", "A"]):
            assert found.status == "degenerate_variance"
            assert np.isnan([found.low, found.high]).all()
        assert (study.means["CT"].value, compared.p) == (1.0, 1.0)


def test_non_inferiority_is_not_shown_by_a_difference_without_variance() -> None:
    """Its limits were the difference itself before, which lies above any margin."""
    rows = [(r, t, c, c % 2, c % 2) for r in "AB" for t in ("CT", "MRI") for c in range(20)]
    table = pd.DataFrame(rows, columns=["reader", "treatment", "case", "label", "score"])
    assert not reader_study(table, level=0.95).non_inferiority("CT", "MRI", 0.05).shown


def test_a_table_or_threshold_of_another_type_is_refused() -> None:
    with pytest.raises(EvaluationError, match="must be a DataFrame"):
        reader_study(None)
    rows = [(r, t, c, c % 2, c % 2) for r in "AB" for t in ("CT", "MRI") for c in range(20)]
    table = pd.DataFrame(rows, columns=["reader", "treatment", "case", "label", "score"])
    with pytest.raises(EvaluationError, match="threshold"):
        reader_study(table, figure="sensitivity", threshold="a")
