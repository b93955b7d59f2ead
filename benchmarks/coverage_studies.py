"""Settings of agreement, calibration, segmentation, detection, reader studies and repeated training."""

from __future__ import annotations

import math
from functools import cache

import detection
import numpy as np
import pandas as pd
from coverage_table import Setting
from reader_studies import readings
from scipy.special import expit
from scipy.stats import norm, wilcoxon

from medvision.evaluation import (
    bland_altman,
    bootstrap,
    calibration,
    corrected_resampled_t,
    decision_curve,
    fleiss_kappa,
    froc_fom,
    icc,
    kappa,
    nested_cross_validation,
    summarise_segmentation,
)
from medvision.evaluation.froc_merit import compare_froc_fom
from medvision.evaluation.obuchowski_rockette import treatment_test, variance_components
from medvision.evaluation.reader_covariances import delong_covariance


def settings() -> list[Setting]:
    return [*agreement(), *measurements(), *calibrated(), *segmentation(), *training(), *search(), *readers()]


def two_raters(n: int, table):
    p = np.asarray(table, dtype=float)
    return lambda rng: rng.multinomial(n, (p / p.sum()).ravel()).reshape(p.shape)


def several_raters(n: int, prevalence: float, accuracy: float, raters: int = 3):
    def draw(rng):
        state = rng.random(n) < prevalence
        yes = rng.binomial(raters, np.where(state, accuracy, 1 - accuracy))
        return np.column_stack([yes, raters - yes])

    return draw


def fleiss_truth(prevalence: float, accuracy: float) -> float:
    chance = prevalence * accuracy + (1 - prevalence) * (1 - accuracy)
    agreed, expected = accuracy**2 + (1 - accuracy) ** 2, chance**2 + (1 - chance) ** 2
    return (agreed - expected) / (1 - expected)


def agreement():
    section = "Agreement"
    good, rare = [[45, 5], [5, 45]], [[85, 4], [3, 8]]
    three = [[30, 6, 1], [5, 25, 4], [1, 4, 24]]
    for name, table, weights in [
        ("kappa 0.80", good, None),
        ("rare finding", rare, None),
        ("three grades", three, None),
        ("three grades, quadratic", three, "quadratic"),
    ]:
        truth = kappa(np.asarray(table) * 1000, weights=weights).value
        for n in (20, 30, 50, 100, 200):
            yield Setting(
                section,
                f"{name}, {n} cases",
                two_raters(n, table),
                truth,
                {
                    f"`kappa`, {how}": lambda s, weights=weights, how=how: kappa(
                        s, weights=weights, interval=how
                    )
                    for how in ("wald", "fisher")
                },
                {},
                5000,
            )
    for n, prevalence in [(20, 0.5), (30, 0.5), (30, 0.15), (100, 0.15)]:
        yield Setting(
            section,
            f"three readers, {n} cases, prevalence {prevalence:g}",
            several_raters(n, prevalence, 0.9),
            fleiss_truth(prevalence, 0.9),
            {"`fleiss_kappa`": fleiss_kappa},
            {},
            4000,
        )


def rated(n: int, readers: int, true: float, reader: float, error: float):
    def draw(rng):
        return (
            math.sqrt(true) * rng.normal(size=(n, 1))
            + math.sqrt(reader) * rng.normal(size=(1, readers))
            + math.sqrt(error) * rng.normal(size=(n, readers))
        )

    return draw


def measurements():
    for n, k in [(5, 3), (10, 3), (30, 2), (30, 4), (100, 3)]:
        for form, reader in [("1,1", 0.0), ("2,1", 0.1), ("3,1", 0.1), ("2,k", 0.1)]:
            truth = 0.75 / (0.75 + 0.15 + (reader if form[0] == "2" else 0))
            truth = k * truth / (1 + (k - 1) * truth) if form[2] == "k" else truth
            yield Setting(
                "Agreement",
                f"ICC({form}), {n} cases, {k} readers",
                rated(n, k, 0.75, reader, 0.15),
                truth,
                {"`icc`": lambda s, form=form: icc(s, form=form)},
                {},
                4000,
            )
    for n in (10, 30, 100):
        for part, truth in [("bias", 0.5), ("upper_limit", 0.5 + 1.96 * 2)]:
            yield Setting(
                "Agreement",
                f"Bland–Altman, {n} cases: {part.replace('_', ' ')}",
                lambda rng, n=n: rng.normal(0.5, 2, n),
                truth,
                {"`bland_altman`": lambda s, part=part: getattr(bland_altman(s, np.zeros(len(s))), part)},
                {},
                4000,
            )
    for patients in (20, 50):
        owners = np.repeat(np.arange(patients), 3)

        def several(rng, owners=owners, patients=patients):
            return 0.5 + rng.normal(size=patients)[owners] + rng.normal(size=len(owners)), owners

        for part, truth in [("bias", 0.5), ("upper_limit", 0.5 + 1.96 * math.sqrt(2))]:
            yield Setting(
                "Agreement",
                f"Bland–Altman, {patients} patients of three units: {part.replace('_', ' ')}",
                several,
                truth,
                {
                    "`bland_altman`, patients": lambda s, part=part: getattr(
                        bland_altman(s[0], 0 * s[0], patients=s[1]), part
                    )
                },
                {
                    "units taken for patients": lambda s, part=part: getattr(
                        bland_altman(s[0], 0 * s[0]), part
                    )
                },
                3000,
            )


def probabilities(n: int, centre: float, slope: float = 1.0):
    def draw(rng):
        x = rng.normal(centre, 1.2, n)
        return (rng.random(n) < expit(slope * x)).astype(int), expit(x)

    return draw


def prevalence(centre: float) -> float:
    return float(expit(centre + 1.2 * norm.ppf((np.arange(9999) + 0.5) / 9999)).mean())


@cache
def brier_truth(centre: float, scaled: bool) -> float:
    x = centre + 1.2 * norm.ppf((np.arange(400_000) + 0.5) / 400_000)
    p = expit(x)
    brier, share = float((p * (1 - p)).mean()), float(p.mean())
    return 1 - brier / (share * (1 - share)) if scaled else brier


@cache
def benefit_truth(centre: float, t: float) -> float:
    p = expit(centre + 1.2 * norm.ppf((np.arange(400_000) + 0.5) / 400_000))
    return float(np.mean((p >= t) * (p - (1 - p) * t / (1 - t))))


def calibrated():
    section = "Calibration and net benefit"
    for n, centre in [(100, -1.0), (300, -2.0), (1000, -2.0)]:
        where = f"{n} cases, prevalence {prevalence(centre):.2f}"
        for part, truth in [("slope", 1.0), ("intercept", 0.0)]:
            yield Setting(
                section,
                f"{part}, {where}",
                probabilities(n, centre),
                truth,
                {"`calibration`": lambda s, part=part: getattr(calibration(*s, resamples=2), part)},
                {},
                1000,
            )
        for part in ("brier", "brier_scaled"):
            yield Setting(
                section,
                f"{part}, {where}",
                probabilities(n, centre),
                brier_truth(centre, part == "brier_scaled"),
                {"`calibration`": lambda s, part=part: getattr(calibration(*s, resamples=500), part)},
                {"drawn within classes": _within} if part == "brier" else {},
                800,
            )
        yield Setting(
            section,
            f"net benefit at 0.2, {where}",
            probabilities(n, centre),
            benefit_truth(centre, 0.2),
            {"`decision_curve`": _benefit},
            {},
            1000,
        )
        yield Setting(
            "Type I error: calibration and training",
            f"right probabilities, {where}",
            probabilities(n, centre),
            None,
            {
                "Spiegelhalter": lambda s: calibration(*s, resamples=2).spiegelhalter_p,
                "slope is 1": lambda s: _wald_p(calibration(*s, resamples=2).slope, 1.0),
                "intercept is 0": lambda s: _wald_p(calibration(*s, resamples=2).intercept, 0.0),
            },
            {},
            1000,
        )


def _within(sample):
    table = {"label": sample[0], "error": (sample[0] - sample[1]) ** 2}
    found = bootstrap({"brier": "mean:error"}, table, patients=None, resamples=500, seed=0)["brier"]
    return found.low, found.high


def _benefit(sample):
    row = decision_curve(*sample, [0.2], resamples=500).iloc[0]
    return float(row["low"]), float(row["high"])


def _wald_p(found, null: float) -> float:
    return (
        float(2 * norm.sf(abs(found.value - null) / found.standard_error))
        if found.standard_error
        else math.nan
    )


def dice(patients: int):
    """Two cases of each patient; most scores are high, some fail."""

    def draw(rng):
        owners = np.repeat(np.arange(patients), 2)
        easy = rng.beta(12, 2, patients)[owners]
        return np.clip(easy * rng.beta(40, 2, len(owners)), 0, 1), owners

    return draw


def _dice_bootstrap(sample, method: str):
    table = {"dice": sample[0]}
    found = bootstrap({"m": "mean:dice"}, table, patients=sample[1], resamples=1000, seed=0, method=method)
    return found["m"]


def _mean_dice(sample):
    cases = pd.DataFrame({"structure": "liver", "dice": sample[0], "patient_id": sample[1]})
    return summarise_segmentation(cases, resamples=1000)[0].estimate


def segmentation():
    truth = 12 / 14 * 40 / 42
    for patients in (10, 20, 30, 50, 100):
        yield Setting(
            "Segmentation",
            f"mean Dice, {patients} patients of two cases",
            dice(patients),
            truth,
            {"`summarise_segmentation`": _mean_dice, "`bootstrap`, bca": lambda s: _dice_bootstrap(s, "bca")},
            {"bootstrap over cases": lambda s: _dice_bootstrap((s[0], None), "percentile")},
            1500,
        )
    yield Setting(
        "Type I error: calibration and training",
        "Dice of two models, 20 patients of two cases",
        lambda rng: dice(20)(rng)[0] - dice(20)(rng)[0],
        None,
        {},
        {"Wilcoxon, means of patients": lambda s: float(wilcoxon(s.reshape(-1, 2).mean(axis=1)).pvalue)},
        2000,
    )


FEATURES, SEPARATION = 10, 0.35


def cases(n: int):
    def draw(rng):
        labels = np.arange(n) % 2
        return labels, rng.normal(size=(n, 2 * FEATURES)) + SEPARATION * labels[:, None]

    return draw


def nearest_mean(x, labels, columns):
    means = [x[labels == k][:, columns].mean(axis=0) for k in (0, 1)]
    weights = means[1] - means[0]
    return weights, float(weights @ (means[0] + means[1]) / 2)


def true_error(weights, cut: float) -> float:
    """The error of a linear rule on new cases, known in closed form."""
    scale = float(np.sqrt(weights @ weights))
    miss = norm.cdf((cut - SEPARATION * weights.sum()) / scale)
    return float((miss + norm.sf(cut / scale)) / 2)


def resampled_differences(sample):
    """Accuracy of two equally good models on 15 random splits, 90% training."""
    labels, x = sample
    rng, n = np.random.default_rng(0), len(labels)
    gaps = []
    for _ in range(15):
        order = rng.permutation(n)
        train, test = order[n // 10 :], order[: n // 10]
        right = []
        for columns in (slice(0, FEATURES), slice(FEATURES, None)):
            weights, cut = nearest_mean(x[train], labels[train], columns)
            right.append(np.mean((x[test][:, columns] @ weights > cut) == labels[test]))
        gaps.append(right[0] - right[1])
    return np.array(gaps), n - n // 10, n // 10


def naive_t(sample) -> float:
    from scipy.stats import ttest_1samp

    gaps = resampled_differences(sample)[0]
    return float(ttest_1samp(gaps, 0).pvalue) if np.ptp(gaps) > 0 else 1.0


def nested_errors(sample, repeats: int = 10):
    labels, x = sample
    n, k = len(labels), 5
    columns = {name: [] for name in ("errors", "units", "folds", "left_out", "repeats")}
    for repeat in range(repeats):
        fold = np.random.default_rng(repeat).permutation(n) % k
        for out in range(k):
            for held in range(k):
                train = (fold != out) & (fold != held)
                weights, cut = nearest_mean(x[train], labels[train], slice(None))
                own = np.flatnonzero(fold == held)
                wrong = (x[own] @ weights > cut) != labels[own]
                for name, value in zip(columns, (wrong, own, held, out, repeat), strict=True):
                    columns[name].append(np.broadcast_to(np.asarray(value, dtype=float), len(own)))
    return nested_cross_validation(**{name: np.concatenate(parts) for name, parts in columns.items()})


@cache
def method_error(n: int) -> float:
    """The mean error of models that learned from n cases."""
    rng = np.random.default_rng(5)
    return float(np.mean([true_error(*nearest_mean(*cases(n)(rng)[::-1], slice(None))) for _ in range(4000)]))


def training():
    for n in (50, 100, 200):
        yield Setting(
            "Type I error: calibration and training",
            f"two equally good methods, 15 splits of {n} cases",
            cases(n),
            None,
            {"`corrected_resampled_t`": lambda s: corrected_resampled_t(*resampled_differences(s))},
            {"t, splits taken for independent": naive_t},
            1500,
        )
    for n in (50, 100):
        yield Setting(
            "Cross-validated areas",
            f"error of a method, {n} cases, 5 folds, 10 repeats",
            cases(n),
            method_error(n),
            {"`nested_cross_validation`": nested_errors},
            {"naive": lambda s: nested_errors(s).naive},
            300,
        )


@cache
def merit_truth(skill: float, fom: str) -> float:
    (marks,), lesions, names = detection.study(np.random.default_rng(7), 80_000, skill)
    parts = np.array_split(np.random.default_rng(0).permutation(names), 160)
    own = ([t[t["case_id"].isin(part)] for t in (marks, lesions)] for part in parts)
    return float(
        np.mean([froc_fom(*two, cases=part, fom=fom).value for two, part in zip(own, parts, strict=True)])
    )


def search():
    for skill, name in [(1.5, "good detector"), (3.0, "excellent detector")]:
        for fom in ("wAFROC", "HrAuc"):
            for patients in (100, 300):
                yield Setting(
                    "Detection and reader studies",
                    f"{fom} {merit_truth(skill, fom):.2f}, {name}, {patients} patients",
                    lambda rng, skill=skill, patients=patients: detection.study(rng, patients, skill),
                    merit_truth(skill, fom),
                    {"`froc_fom`": lambda s, fom=fom: froc_fom(s[0][0], s[1], cases=s[2], fom=fom)},
                    {},
                    600 if patients == 100 else 400,
                )
    yield Setting(
        "Type I error: areas",
        "wAFROC of two equal detectors, 100 patients",
        lambda rng: detection.study(rng, 100, 1.5, detectors=2),
        None,
        {"`compare_froc_fom`": lambda s: compare_froc_fom(*s[0], s[1], cases=s[2])},
        {},
        600,
    )


def readers():
    for number, size in [(3, 25), (5, 50), (10, 50)]:
        yield Setting(
            "Type I error: areas",
            f"reader study, {number} readers, {size} and {size} cases (Roe and Metz)",
            lambda rng, number=number, size=size: readings(rng, 1.5, number, size, size),
            None,
            {"Obuchowski–Rockette, RRRC": _treatments},
            {"readers averaged, cases random only": _fixed_readers},
            3000,
        )


def _treatments(sample, scope: str = "RRRC") -> float:
    truth, scores = sample
    number = scores.shape[1]
    areas, covariance = delong_covariance(truth, scores.reshape(2 * number, -1), np.arange(len(truth)))
    return float(
        treatment_test(variance_components(areas.reshape(2, number), covariance), 2, number, scope)[2]
    )


def _fixed_readers(sample) -> float:
    return _treatments(sample, "FRRC")
