"""AFROC and its relatives, against their definitions and a published example."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision.errors import EvaluationError
from medvision.evaluation import auroc
from medvision.evaluation.detections import detections
from medvision.evaluation.froc_merit import MERITS, compare_froc_fom, froc_fom

INF = float("inf")

# Toy file frocCr of RJafroc: 3 cases without lesions (1-3), 5 with 2, 1, 3, 2, 1 lesions (70-74). One list a
# modality and reader: the false positives by case, and the scores of the found lesions by case.
TOY = {
    (0, 0): (
        {1: [1.02, 2.17], 2: [2.22], 3: [1.9]},
        {70: [5.28, 4.65], 71: [3.01], 72: [5.98], 73: [5.0, 5.25], 74: [4.26]},
    ),
    (0, 1): (
        {1: [2.21], 2: [3.1, 2.21], 3: [2.07]},
        {70: [5.14], 71: [3.31], 72: [4.92, 5.11, 4.63], 73: [4.95], 74: [5.3]},
    ),
    (1, 0): (
        {1: [2.89], 2: [2.89], 3: [3.22], 73: [1.85], 74: [0.84]},
        {70: [5.2], 71: [3.27], 72: [4.61], 73: [5.18], 74: [4.72]},
    ),
    (1, 2): ({71: [2.24, 4.01], 72: [1.86]}, {70: [4.87], 71: [1.94]}),
}
TOY_LESIONS = pd.DataFrame(
    {
        "case_id": [70, 70, 71, 72, 72, 72, 73, 73, 74],
        "lesion_id": [1, 2, 1, 1, 2, 3, 1, 2, 1],
        "weight": [0.3, 0.7, 1, 1 / 3, 1 / 3, 1 / 3, 0.1, 0.9, 1],
    }
)
TOY_CASES = [1, 2, 3, 70, 71, 72, 73, 74]


def ratings(marks: pd.DataFrame, lesions: pd.DataFrame, names: list[str]):
    """Per case: the scores of false positives; and (weight, score) of the lesions, by plain loops."""
    alarms = {name: [] for name in names}
    best = {(row.case_id, row.lesion_id): -INF for row in lesions.itertuples()}
    for row in marks.itertuples():
        if pd.isna(row.lesion_id):
            alarms[row.case_id].append(row.score)
        else:
            best[row.case_id, row.lesion_id] = max(best[row.case_id, row.lesion_id], row.score)
    found = {name: [] for name in names}
    for row in lesions.itertuples():
        found[row.case_id].append((row.weight, best[row.case_id, row.lesion_id]))
    return alarms, found


def slow_merit(fom: str, alarms: dict, found: dict) -> float:
    """The figures of merit from their definitions, pair by pair."""
    highest = {name: max(scores, default=-INF) for name, scores in alarms.items()}
    healthy, ill = ([n for n in found if bool(found[n]) is sick] for sick in (False, True))
    total = pairs = 0.0
    if fom == "HrAuc":
        for one in ill:
            top = max([highest[one], *(score for _, score in found[one])])
            for other in healthy:
                total, pairs = total + _psi(highest[other], top), pairs + 1
        return total / pairs if pairs else float("nan")
    for other in [*healthy, *ill] if fom.endswith("1") else healthy:
        for one in ill:
            for weight, score in found[one]:
                own = weight if fom.startswith("w") else 1.0
                total, pairs = total + own * _psi(highest[other], score), pairs + own
    return total / pairs if pairs else float("nan")


def _psi(below: float, above: float) -> float:
    return 1.0 if above > below else 0.5 if above == below else 0.0


def _toy_marks(key: tuple[int, int]) -> pd.DataFrame:
    alarms, hits = TOY[key]
    rows = [(case, score, None) for case, scores in alarms.items() for score in scores]
    rows += [(case, score, 1 + n) for case, scores in hits.items() for n, score in enumerate(scores)]
    return pd.DataFrame(rows, columns=["case_id", "score", "lesion_id"])


def test_the_example_of_chakraborty() -> None:
    # The RJafroc FROC book, chapter "Meanings of FROC figures of merit": 4 + 4 cases, AFROC 18.5/24 =
    # 0.7708333 and wAFROC 0.678125; its text says which lesions exceed which false positives.
    lesions = pd.DataFrame(
        {
            "case_id": ["D1", "D2", "D3", "D3", "D4", "D4"],
            "lesion_id": [1, 1, 1, 2, 1, 2],
            "weight": [1, 1, 0.1, 0.9, 0.9, 0.1],
        }
    )
    marks = pd.DataFrame(
        [("N2", 1, None), ("N3", 2, None), ("N4", 3, None), ("D1", 4, 1), ("D2", 1.5, 1), ("D3", 5, 1),
         ("D4", 7, 1), ("D4", 6, 2)],
        columns=["case_id", "score", "lesion_id"],
    )  # fmt: skip
    cases = ["N1", "N2", "N3", "N4", "D1", "D2", "D3", "D4"]
    assert froc_fom(marks, lesions, cases=cases, fom="AFROC").value == pytest.approx(0.7708333, abs=1e-7)
    assert froc_fom(marks, lesions, cases=cases, fom="wAFROC").value == pytest.approx(0.678125, abs=1e-12)
    # The same page, in words: 12.6/16 with the weights 0.6 and 0.4 on the third case.
    lesions.loc[lesions["case_id"] == "D3", "weight"] = [0.6, 0.4]
    assert froc_fom(marks, lesions, cases=cases).value == pytest.approx(0.7875, abs=1e-12)


@pytest.mark.parametrize("key", list(TOY))
def test_a_toy_reader_study_by_hand(key) -> None:
    marks = _toy_marks(key)
    alarms, found = ratings(marks, TOY_LESIONS, TOY_CASES)
    for fom in MERITS:
        assert froc_fom(marks, TOY_LESIONS, cases=TOY_CASES, fom=fom).value == pytest.approx(
            slow_merit(fom, alarms, found), abs=1e-12
        )


def test_weights_may_be_rounded_to_three_decimals() -> None:
    rounded = TOY_LESIONS.assign(weight=TOY_LESIONS["weight"].round(3))
    one, two = (froc_fom(_toy_marks((0, 0)), t, cases=TOY_CASES).value for t in (TOY_LESIONS, rounded))
    assert two == pytest.approx(one, abs=1e-12)


def test_a_reader_who_marks_little() -> None:
    # Modality 1, reader 2: no mark on the cases without lesions; 2 of 9 lesions found, the rest tie.
    marks = _toy_marks((1, 2))

    def value(fom: str) -> float:
        return froc_fom(marks, TOY_LESIONS, cases=TOY_CASES, fom=fom).value

    assert value("AFROC") == pytest.approx((2 + 7 / 2) / 9)
    # Lost with a kernel of differences: minus infinity less itself is no number.
    assert value("HrAuc") == pytest.approx((3 + 2 / 2) / 5)
    # 4.87 beats all 8 cases, 1.94 all but case 71; the 7 not found tie with the 6 cases without alarms.
    assert value("AFROC1") == pytest.approx((8 + 7 + 7 * 6 / 2) / 72)
    assert value("wAFROC") == pytest.approx((0.3 + 0.7 / 2 + 1 + 3 / 2) / 5)


@given(st.integers(0, 10_000), st.sampled_from(MERITS))
def test_equals_the_definition_pair_by_pair(study, seed: int, fom: str) -> None:
    marks, lesions, cases = study(seed)
    alarms, found = ratings(marks, lesions, cases)
    estimate = froc_fom(marks, lesions, cases=cases, fom=fom)
    assert estimate.value == pytest.approx(slow_merit(fom, alarms, found), abs=1e-12)
    without = [
        slow_merit(
            fom, {k: v for k, v in alarms.items() if k != case}, {k: v for k, v in found.items() if k != case}
        )
        for case in cases
    ]
    np.testing.assert_allclose(estimate.jackknife, without, atol=1e-12)
    assert estimate.cases.tolist() == cases
    assert estimate.low <= estimate.value <= estimate.high


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_only_the_order_of_scores_matters(study, seed: int) -> None:
    marks, lesions, cases = study(seed)
    curved = marks.assign(score=np.exp(marks["score"]) - 50).sample(frac=1, random_state=seed)
    for fom in MERITS:
        here, there = (froc_fom(m, lesions, cases=cases, fom=fom) for m in (marks, curved))
        assert (there.value, there.low) == pytest.approx((here.value, here.low), abs=1e-12)


def test_highest_rating_is_the_area_of_the_highest_mark(study) -> None:
    marks, lesions, cases = study(3, cases=40, levels=30)
    found = detections(marks, lesions, cases=cases)
    lowest = np.where(np.isfinite(found.highest_mark), found.highest_mark, -1)
    expected = auroc(found.diseased, lowest)
    estimate = froc_fom(marks, lesions, cases=cases, fom="HrAuc")
    assert estimate.value == pytest.approx(expected.value, abs=1e-12)
    assert estimate.standard_error == pytest.approx(expected.standard_error, rel=0.05)


def test_jackknife_of_patients_and_of_cases(study) -> None:
    marks, lesions, cases = study(5, cases=30, levels=30)
    single = froc_fom(marks, lesions, cases=cases)
    n = len(cases)
    spread = math.sqrt((n - 1) / n * ((single.jackknife - single.jackknife.mean()) ** 2).sum())
    assert single.standard_error == pytest.approx(spread)
    owners = pd.DataFrame({"case_id": cases, "patient_id": [name[:2] for name in cases]})
    paired = froc_fom(marks, lesions, cases=owners)
    assert paired.n_patients == 3
    np.testing.assert_array_equal(paired.jackknife, single.jackknife)
    assert paired.standard_error != pytest.approx(spread)


def test_bootstrap_agrees_with_the_jackknife(study) -> None:
    marks, lesions, cases = study(8, cases=200, levels=1000)
    one = froc_fom(marks, lesions, cases=cases)
    two = froc_fom(marks, lesions, cases=cases, interval="bootstrap", seed=1)
    assert two.standard_error == pytest.approx(one.standard_error, rel=0.1)
    assert (two.low, two.high) == pytest.approx((one.low, one.high), abs=0.02)
    assert (one.seed, two.seed) == (None, 1)


def test_nothing_marked_is_half_and_has_no_spread(study) -> None:
    _, lesions, cases = study(1)
    nothing = pd.DataFrame({"case_id": [], "score": [], "lesion_id": []})
    found = froc_fom(nothing, lesions, cases=cases)
    assert (found.value, found.status) == (0.5, "degenerate_variance")
    assert (found.low, found.high) == (0, 1)


def test_a_perfect_detector_keeps_an_honest_lower_limit() -> None:
    names = [f"C{n}" for n in range(40)]
    lesions = pd.DataFrame({"case_id": names[:20], "lesion_id": 1})
    marks = lesions.assign(score=1.0)
    found = froc_fom(marks, lesions, cases=names, fom="AFROC")
    assert (found.value, found.high, found.status) == (1.0, 1.0, "degenerate_variance")
    assert 0.8 < found.low < 0.9


def test_one_kind_of_case() -> None:
    lesions = pd.DataFrame({"case_id": ["A", "B"], "lesion_id": 1})
    marks = lesions.assign(score=[0.2, 0.7])
    for fom in ("HrAuc", "AFROC", "wAFROC"):
        found = froc_fom(marks, lesions, cases=["A", "B"], fom=fom)
        assert math.isnan(found.value)
        assert found.status == "one_class"
    assert froc_fom(marks, lesions, cases=["A", "B"], fom="AFROC1").value == 1.0
    assert froc_fom(marks[:0], lesions[:0], cases=["A", "B"]).status == "one_class"


def test_comparison(study) -> None:
    marks, lesions, cases = study(8, cases=60, levels=1000)
    worse = marks.assign(score=np.random.default_rng(0).permutation(marks["score"]))
    for interval in ("jackknife", "bootstrap"):
        found = compare_froc_fom(marks, worse, lesions, cases=cases, interval=interval)
        turned = compare_froc_fom(worse, marks, lesions, cases=cases, interval=interval)
        assert found.difference.value == pytest.approx(-turned.difference.value)
        assert found.p == pytest.approx(turned.p)
        assert (found.difference.low > 0 or found.difference.high < 0) == (found.p < 0.05)
        same = compare_froc_fom(marks, marks, lesions, cases=cases, interval=interval)
        assert (same.difference.value, same.statistic, same.p) == (0, 0, 1)
        assert same.status == "degenerate_variance"


def test_undefined_comparison_says_why() -> None:
    lesions = pd.DataFrame({"case_id": ["A", "B"], "lesion_id": 1})
    marks = lesions.assign(score=1.0)
    found = compare_froc_fom(marks, marks, lesions, cases=["A", "B"])
    assert found.status == "one_class"
    assert math.isnan(found.p)


def test_wrong_words_and_weights(study) -> None:
    marks, lesions, cases = study(2)
    with pytest.raises(EvaluationError, match="did you mean 'AFROC'"):
        froc_fom(marks, lesions, cases=cases, fom="AFROK")
    with pytest.raises(EvaluationError, match="interval='wald'"):
        froc_fom(marks, lesions, cases=cases, interval="wald")
    heavy = lesions.assign(weight=lesions["weight"] * 2)
    with pytest.raises(EvaluationError) as caught:
        froc_fom(marks, heavy, cases=cases)
    assert "do not sum to 1" in str(caught.value)
    assert heavy["case_id"].iloc[0] in str(caught.value)
    assert froc_fom(marks, heavy, cases=cases, fom="AFROC").status == "ok"
    equal = froc_fom(marks, lesions.drop(columns="weight"), cases=cases).value
    shares = 1 / lesions.groupby("case_id")["weight"].transform("size")
    assert equal == pytest.approx(froc_fom(marks, lesions.assign(weight=shares), cases=cases).value)


def test_a_nearly_perfect_area_of_cases_says_so() -> None:
    cases = [f"case {number}" for number in range(40)]
    lesions = pd.DataFrame({"case_id": cases[:20], "lesion_id": 1})
    scores = np.r_[np.linspace(0.5, 0.9, 19), 0.05]
    hits = pd.DataFrame({"case_id": cases[:20], "score": scores, "lesion_id": 1.0})
    alarms = pd.DataFrame({"case_id": cases[20:], "score": np.linspace(0.01, 0.3, 20), "lesion_id": np.nan})
    marks = pd.concat([hits, alarms], ignore_index=True)
    near = froc_fom(marks, lesions, cases=cases, fom="HrAuc")
    assert near.status == "fewer_than_5_cases_out_of_order"
    assert froc_fom(marks, lesions, cases=cases, fom="AFROC").status == "ok"
    far = froc_fom(marks.assign(score=np.arange(40) * 7 % 11), lesions, cases=cases, fom="HrAuc")
    assert far.status == "ok"
