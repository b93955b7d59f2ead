"""Published and shipped numbers: each test names its source in data/stats/oracles.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from medvision.evaluation import (
    adjust,
    auroc,
    bland_altman,
    calibration,
    clustered_proportion,
    compare_proportions,
    corrected_resampled_t,
    cross_validated_auroc,
    decision_curve,
    diagnostic_accuracy,
    fleiss_kappa,
    icc,
    kappa,
    mcnemar,
    proportion,
    sample_size_proportion,
    segmentation_scores,
)
from medvision.evaluation.surfaces import surface_distances

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def oracles(data_dir: Path) -> dict[str, dict[str, Any]]:
    entries = json.loads((data_dir / "stats" / "oracles.json").read_text())
    return {entry["id"]: entry for entry in entries}


def _hanley() -> tuple[np.ndarray, np.ndarray]:
    normal, abnormal = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)
    scores = np.concatenate([np.repeat(np.arange(1, 6), counts) for counts in (normal, abnormal)])
    return np.repeat([0, 1], [58, 51]), scores


def _hanley_auc(_: Any) -> list[float]:
    found = auroc(*_hanley(), method="wald")
    return [found.value, found.standard_error, found.low, found.high]


def _hanley_mcneil(_: Any) -> float:
    # The closed form belongs to the oracle, the area that goes into it to us.
    a, (n1, n0) = auroc(*_hanley()).value, (51, 58)
    q1, q2 = a / (2 - a), 2 * a**2 / (1 + a)
    return float(np.sqrt((a * (1 - a) + (n1 - 1) * (q1 - a**2) + (n0 - 1) * (q2 - a**2)) / (n1 * n0)))


def _interval(method: str, successes: int, n: int) -> Callable[[Any], list[float]]:
    def limits(_: Any) -> list[float]:
        found = proportion(successes, n, method=method)
        return [found.low, found.high]

    return limits


def _rows(successes: int, n: int) -> np.ndarray:
    return np.repeat([1, 0], [successes, n - successes])


def _independent(x1: int, n1: int, x2: int, n2: int) -> Callable[[Any], list[float]]:
    def limits(_: Any) -> list[float]:
        found = compare_proportions(_rows(x1, n1), _rows(x2, n2), paired=False, method="newcombe")
        return [found.difference.low, found.difference.high]

    return limits


def _paired(method: str) -> Callable[[Any], list[float]]:
    def limits(table: list[list[int]] | str) -> list[float]:
        counts = np.array(json.loads(table) if isinstance(table, str) else table).ravel()
        found = compare_proportions(
            np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts), method=method
        )
        return [found.difference.low, found.difference.high]

    return limits


def _mcnemar_p(b: int, c: int, *methods: str) -> Callable[[Any], list[float]]:
    return lambda _: [mcnemar(b, c, method=method).p for method in methods]


def _mcnemar_chi2(_: Any) -> list[float]:
    corrected, plain = mcnemar(121, 59, method="corrected"), mcnemar(121, 59, method="asymptotic")
    return [corrected.statistic, corrected.p, plain.statistic, plain.p]


def _kappa(weights: str | None) -> Callable[[Any], list[float]]:
    def numbers(table: str) -> list[float]:
        found = kappa(json.loads(table), weights=weights)
        return [
            found.value, found.standard_error, found.low, found.high, found.standard_error_null, found.z,
        ]  # fmt: skip

    return numbers


def _icc(ratings: list[list[int]]) -> list[float]:
    return [icc(ratings, form=form).value for form in ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")]


def _icc_limits(ratings: list[list[int]]) -> list[float]:
    found = [icc(ratings, form=form) for form in ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")]
    return [limit for estimate in found for limit in (estimate.low, estimate.high)]


PEFR = "ba.pefr"


def _pefr(inputs: dict[str, list[float]]) -> list[float]:
    found = bland_altman(inputs["wright"], inputs["mini"])
    return [found.bias.value, found.standard_deviation]


def _singletons(_: Any) -> list[float]:
    found = clustered_proportion(_rows(13, 16), np.arange(16))
    return [found.value, found.standard_error**2]


def _rejected(p_values: list[float]) -> list[int]:
    return [int((adjust(p_values, method=method) <= 0.05).sum()) for method in ("bh", "holm")]


def _corrected_t(differences: list[float]) -> list[float]:
    found = corrected_resampled_t(differences, 90, 10)
    return [found.statistic, found.df, found.p]


def _constant_left_one_out(_: Any) -> float:
    labels = np.repeat([0, 1], 5)
    scores = (labels.sum() - labels) / 9  # the prevalence of the nine others
    return cross_validated_auroc(labels, scores, np.arange(10)).pooled.value


def _calibration(inputs: dict[str, list[float]]) -> list[float]:
    found = calibration(inputs["y"], inputs["p"], binning="width", resamples=20)
    return [found.ece.value, found.brier.value]


def _slabs() -> tuple[np.ndarray, np.ndarray]:
    reference, prediction = np.zeros((2, 100, 100, 100), dtype=bool)
    reference[:50], prediction[:51] = True, True
    return reference, prediction


def _slab_dice(_: Any) -> float:
    return float(segmentation_scores(*_slabs(), (2, 1, 1), labels={"slab": 1})["dice"].iloc[0])


def _slab_distances(_: Any) -> list[float]:
    scores = segmentation_scores(*_slabs(), (2, 1, 1), labels={"slab": 1})
    return [surface_distances(*_slabs(), (2, 1, 1)).percentile(100), scores["hd95_mm"].iloc[0]]


def _two_by_two(_: Any) -> list[float]:
    labels, calls = np.repeat([1, 1, 0, 0], [670, 74, 202, 640]), np.repeat([1, 0, 1, 0], [670, 74, 202, 640])
    found = diagnostic_accuracy(labels, calls, resamples=20)
    shares = [found.sensitivity, found.specificity, found.ppv, found.npv]
    ratios = [found.lr_positive, found.lr_negative, found.diagnostic_odds_ratio]
    return [s.value for s in shares] + [x for r in ratios for x in (r.value, r.low, r.high)]


COMPUTED: dict[str, Callable[[Any], Any]] = {
    "hanley82.auc": _hanley_auc,
    "hanley82.se": _hanley_mcneil,
    **{
        f"R.binom.{short}.{x}_{n}": _interval(method, x, n)
        for short, method in (("exact", "exact"), ("wilson", "wilson"), ("ac", "agresti_coull"))
        for x, n in ((18, 20), (4, 20), (1, 30))
    },
    "desctools.jeffreys.100_200": _interval("jeffreys", 100, 200),
    **{
        f"newcombe98.{method}.{x}_{n}": _interval(method, x, n)
        for method in ("wilson", "wilson_cc", "exact")
        for x, n in ((81, 263), (15, 148), (0, 20), (1, 29))
    },
    **{
        f"newcombe98b.m10.{'_'.join(map(str, counts))}": _independent(*counts)
        for counts in ((56, 70, 48, 80), (9, 10, 3, 10), (0, 10, 0, 20), (10, 10, 0, 20))
    },
    "tango.cavo": _paired("tango"),
    "newcombe.paired.cavo": _paired("newcombe"),
    "newcombe.paired.diag": _paired("newcombe"),
    "mcnemar.cavo": _mcnemar_p(6, 16, "asymptotic", "corrected", "exact", "midp"),
    "mcnemar.bentur": _mcnemar_p(1, 7, "asymptotic", "corrected", "exact", "midp"),
    "mcnemar.exact.121_59": lambda _: mcnemar(121, 59, method="exact").p,
    "mcnemar.chi2.121_59": _mcnemar_chi2,
    "mcnemar.nodiscordant": _mcnemar_p(0, 0, "asymptotic", "exact", "midp"),
    "kappa.sas": _kappa(None),
    "kappa.sas.linear": _kappa("linear"),
    "fleiss.wiki": lambda counts: fleiss_kappa(counts).value,
    "icc.sf": _icc,
    "icc.sf.ci": _icc_limits,
    "ba.pefr": _pefr,
    "ratio.singleton": _singletons,
    "multi.holm": lambda p: adjust(p, method="holm"),
    "multi.bh": lambda p: adjust(p, method="bh"),
    "bh1995": _rejected,
    "nadeau_bengio.10": _corrected_t,
    "loocv.constant": _constant_left_one_out,
    "ece.hand": _calibration,
    "brier.degenerate": _calibration,
    "seg.slabs.dice": _slab_dice,
    "seg.slabs.hd": _slab_distances,
    "dx2x2.670": _two_by_two,
    "ss.sens": lambda _: [sample_size_proportion(0.9, 0.05)],
}

# The published value lies outside [0, 1]; ours is clipped there, as the specification of the interval says.
CLIPPED = {"R.binom.ac.1_30"}


@pytest.mark.parametrize("name", sorted(COMPUTED))
def test_a_published_number_is_met(oracles: dict[str, dict[str, Any]], name: str) -> None:
    entry = oracles[name]
    expected = np.clip(entry["expected"], 0, 1) if name in CLIPPED else entry["expected"]
    # A tolerance of 0 means the number itself; one unit in the last place of arithmetic is allowed for.
    np.testing.assert_allclose(
        COMPUTED[name](entry["inputs"]),
        expected,
        rtol=1e-15,
        atol=entry["tolerance"],
        err_msg=entry["source"],
    )


def test_every_oracle_is_met_by_some_test(oracles: dict[str, dict[str, Any]]) -> None:
    assert set(oracles) - set(COMPUTED) == {"ba.pefr.loa"}  # it refers to another entry's inputs; below


def test_limits_of_agreement_of_the_peak_flow_meters(oracles: dict[str, dict[str, Any]]) -> None:
    inputs, entry = oracles[PEFR]["inputs"], oracles["ba.pefr.loa"]
    found = bland_altman(inputs["wright"], inputs["mini"])
    np.testing.assert_allclose(
        [found.lower_limit.value, found.upper_limit.value], entry["expected"], atol=entry["tolerance"]
    )
    # Closed form with t(16) = 2.1199; the paper itself rounds the variance of a limit to 3 SD² / n.
    half = 2.1199 * np.sqrt(1 / 17 + 1.96**2 / 32) * found.standard_deviation
    assert found.upper_limit.high - found.upper_limit.value == pytest.approx(half, abs=0.01)


def test_cross_validated_area_of_the_admissions_example(data_dir: Path) -> None:
    """Documented output of cvAUC's ci.cvAUC on its admissions data (ties counted as cvAUC counts them)."""
    table = pd.read_csv(data_dir / "stats" / "cvauc_admissions_oof.csv")
    found = cross_validated_auroc(table["y"], table["pred"], table["fold"], ties="cvauc").fold_averaged
    assert found.value == pytest.approx(0.9046473, abs=5e-8)
    assert found.standard_error == pytest.approx(0.01620238, abs=5e-9)
    assert (found.low, found.high) == pytest.approx((0.8728913, 0.9364034), abs=5e-8)


def test_cross_validated_area_of_repeated_measures(data_dir: Path) -> None:
    """Documented output of cvAUC's ci.pooled.cvAUC on its adherence data: 0.8648046, SE 0.01551888."""
    table = pd.read_csv(data_dir / "stats" / "cvauc_adherence_oof.csv")
    found = cross_validated_auroc(table["y"], table["pred"], table["fold"], patients=table["id"])
    assert found.fold_averaged.value == pytest.approx(0.8648046, abs=5e-8)
    assert found.fold_averaged.standard_error == pytest.approx(0.01551888, abs=5e-9)
    assert (found.fold_averaged.low, found.fold_averaged.high) == pytest.approx(
        (0.8343882, 0.8952211), abs=5e-8
    )
    # Obuchowski's clustered standard error of the pooled area; a bootstrap over patients gives 0.01603.
    assert found.pooled.standard_error == pytest.approx(0.016048, abs=5e-7)


def test_net_benefit_of_the_decision_curve_example(data_dir: Path) -> None:
    """Against the definition of Vickers and Elkin 2006, on the example of the R package dcurves."""
    table = pd.read_csv(data_dir / "stats" / "dcurves_df_binary.csv")
    cancer, risk = table["cancer"].to_numpy(), table["cancerpredmarker"].to_numpy()
    curve = decision_curve(cancer, risk, np.arange(1, 100) / 100, resamples=0)
    for threshold, benefit in zip(curve["threshold"], curve["net_benefit"], strict=True):
        treated = risk >= threshold
        expected = (treated & cancer).mean() - (treated & ~cancer).mean() * threshold / (1 - threshold)
        assert benefit == pytest.approx(expected, abs=1e-14)
    # All are treated at 0: the net benefit is the prevalence, 105 of 750.
    assert decision_curve(cancer, risk, [0.0], resamples=0)["treat_all"].iloc[0] == pytest.approx(0.14)


def test_design_effect_of_weils_rats() -> None:
    """Rao and Scott, Biometrics 1992;48:577, table 1 (data of Weil 1970): 1.232495 and 3.952861."""
    control = "13/13 12/12 9/9 9/9 8/8 8/8 12/13 11/12 9/10 9/10 8/9 11/13 4/5 5/7 7/10 7/10"
    treated = "12/12 11/11 10/10 9/9 10/11 9/10 9/10 8/9 8/9 4/5 7/9 4/7 5/10 3/6 3/10 0/7"
    for litters, expected in ((control, 1.232495), (treated, 3.952861)):
        counts = [tuple(map(int, litter.split("/"))) for litter in litters.split()]
        alive = np.concatenate([_rows(x, n) for x, n in counts])
        found = clustered_proportion(alive, np.repeat(np.arange(16), [n for _, n in counts]))
        assert found.design_effect == pytest.approx(expected, abs=5e-7)


def test_surface_distance_of_its_own_examples() -> None:
    """surface_distance_test.py of google-deepmind/surface-distance: slabs, and two pixels 2 mm apart."""
    found = surface_distances(*_slabs(), (2, 1, 1))
    directed = [
        found.reference_mm @ found.reference_area / found.reference_area.sum(),
        found.prediction_mm @ found.prediction_area / found.prediction_area.sum(),
    ]
    assert directed == pytest.approx([0.322, 0.339], abs=5e-4)
    assert found.within(1.0) == pytest.approx(0.836, abs=5e-4)
    one, other = np.zeros((2, 128, 128), dtype=bool)
    one[50, 70] = other[50, 72] = True
    pixels = surface_distances(one, other, (2, 1))
    assert pixels.reference_area.tolist() == pytest.approx([np.sqrt(5) / 2] * 4)
    assert pixels.reference_mm.tolist() == [1, 1, 2, 2]
    assert (pixels.average(), pixels.percentile(95), pixels.within(1.0)) == (1.5, 2.0, 0.5)


def test_miettinen_nurminen_limits() -> None:
    """Newcombe, Stat Med 1998;17:873, table II (remembered, recomputed): 56/70 against 48/80."""
    found = compare_proportions(_rows(56, 70), _rows(48, 80), paired=False, method="miettinen_nurminen")
    assert (found.difference.low, found.difference.high) == pytest.approx((0.0528, 0.3382), abs=6e-5)


def test_published_data_are_analysed_without_reservation(oracles, data_dir: Path) -> None:
    """The limits below which a status warns were chosen so that the standard examples stay above them."""
    table = json.loads(oracles["kappa.sas"]["inputs"])
    ratings = oracles["icc.sf"]["inputs"]
    found = {f"kappa {weights}": kappa(table, weights=weights) for weights in (None, "linear", "quadratic")}
    found |= {f"ICC({form})": icc(ratings, form=form) for form in ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")}
    found |= {f"Hanley {how}": auroc(*_hanley(), method=how) for how in ("wald", "logit", "bootstrap")}
    found["t"] = corrected_resampled_t(oracles["nadeau_bengio.10"]["inputs"], 90, 10).difference
    for name in ("admissions", "adherence"):
        table = pd.read_csv(data_dir / "stats" / f"cvauc_{name}_oof.csv")
        owners = table.get("id")
        for method in ("wald", "logit"):
            areas = cross_validated_auroc(
                table["y"], table["pred"], table["fold"], patients=owners, method=method
            )
            found[f"{name} {method}"] = areas.fold_averaged
    assert {name: estimate.status for name, estimate in found.items()} == dict.fromkeys(found, "ok")
