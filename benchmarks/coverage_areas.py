"""Settings of areas under curves: of ROC curves and parts of them, and of precision and recall."""

from __future__ import annotations

import importlib.util
import math
from functools import cache

import numpy as np
from coverage_table import Setting
from scipy.integrate import quad
from scipy.stats import norm

from medvision.evaluation import (
    auroc,
    average_precision,
    bootstrap,
    compare_at,
    compare_auroc,
    compare_cross_validated_auroc,
    cross_validated_auroc,
    multiclass_auroc,
    partial_auroc,
    proportion,
    sensitivity_at,
    subgroups,
)

RESAMPLES = 1000
_PACKAGE = importlib.util.find_spec("confidenceinterval") is not None


def gap(area: float) -> float:
    return math.sqrt(2) * float(norm.ppf(area))


def binormal(positive: int, negative: int, area: float):
    labels = np.repeat([1, 0], [positive, negative])
    return lambda rng: (labels, rng.normal(size=len(labels)) + gap(area) * labels)


FIXED_RATES = [(30, 30, 0.8, 0.9), (50, 50, 0.95, 0.9), (30, 200, 0.8, 0.95), (100, 100, 0.9, 0.9)]


def binormal_at(positive: int, negative: int, sensitivity: float, specificity: float):
    labels = np.repeat([1, 0], [positive, negative])
    shift = float(norm.ppf(sensitivity) + norm.ppf(specificity))
    return lambda rng: (labels, rng.normal(size=len(labels)) + shift * labels)


def wilson_at(labels, scores, specificity: float):
    cut = np.quantile(scores[labels == 0], specificity, method="inverted_cdf")
    return proportion(int((scores[labels == 1] > cut).sum()), int(labels.sum()))


def two_models(positive: int, negative: int, areas: tuple[float, float], correlation: float = 0.5):
    labels = np.repeat([1, 0], [positive, negative])

    def draw(rng):
        shared = rng.normal(size=len(labels)) * math.sqrt(correlation)
        own = rng.normal(size=(2, len(labels))) * math.sqrt(1 - correlation)
        return labels, *(shared + noise + gap(area) * labels for noise, area in zip(own, areas, strict=True))

    return draw


def mixed_patients(patients: int, area: float, correlation: float, models: int = 1):
    """A positive and a negative unit of each patient, who share a random effect."""
    owners, labels = np.repeat(np.arange(patients), 2), np.tile([1, 0], patients)

    def draw(rng):
        def score():
            effect = rng.normal(size=patients)[owners] * math.sqrt(correlation)
            return effect + rng.normal(size=len(owners)) * math.sqrt(1 - correlation) + gap(area) * labels

        return labels, owners, *(score() for _ in range(models))

    within = float(norm.cdf(gap(area) / math.sqrt(2 * (1 - correlation))))
    return draw, ((patients - 1) * area + within) / patients


def several_units(patients: int, area: float, correlation: float, models: int = 1):
    """Three units of each patient, all of one class."""
    owners = np.repeat(np.arange(patients), 3)
    labels = (owners % 3 == 0).astype(int)

    def draw(rng):
        def score():
            effect = rng.normal(size=patients)[owners] * math.sqrt(correlation)
            return effect + rng.normal(size=len(owners)) * math.sqrt(1 - correlation) + gap(area) * labels

        return labels, owners, *(score() for _ in range(models))

    return draw


def folded(n: int, folds: int, area: float, models: int = 1):
    """Out-of-fold scores of fixed models; classes are spread evenly over the folds."""
    positive = round(0.3 * n)
    labels = np.repeat([1, 0], [positive, n - positive])
    places = np.r_[np.arange(positive), np.arange(n - positive)] % folds

    def draw(rng):
        shared = rng.normal(size=n) * (math.sqrt(0.5) if models == 2 else 0)
        scale = math.sqrt(0.5) if models == 2 else 1
        return (
            labels,
            places,
            *(shared + scale * rng.normal(size=n) + gap(area) * labels for _ in range(models)),
        )

    return draw


def partial_truth(area: float, low: float = 0.9) -> float:
    return quad(lambda alarms: norm.cdf(gap(area) + norm.ppf(alarms)), 0, 1 - low)[0]


def precision_truth(area: float, prevalence: float) -> float:
    def precision(cut: float) -> float:
        hits, alarms = prevalence * norm.sf(cut - gap(area)), (1 - prevalence) * norm.sf(cut)
        return hits / (hits + alarms) * norm.pdf(cut - gap(area))

    return quad(precision, -8, 8 + gap(area))[0]


def cohort(n: int, prevalence: float, area: float):
    def draw(rng):
        labels = (rng.random(n) < prevalence).astype(int)
        while not 0 < labels.sum() < n:
            labels = (rng.random(n) < prevalence).astype(int)
        return labels, rng.normal(size=n) + gap(area) * labels

    return draw


def by_rows(metric: str, stratified: bool = False):
    """The percentile bootstrap over rows that a loop over scikit-learn's metric makes."""

    def interval(sample):
        table = {"label": sample[0], "score": sample[1]}
        found = bootstrap([metric], table, patients=None, resamples=RESAMPLES, seed=0, stratified=stratified)
        return found[metric].low, found[metric].high

    return interval


def package_area(sample):
    import confidenceinterval

    return confidenceinterval.roc_auc_score(*sample)[1]


def three_classes(n: int):
    def draw(rng):
        labels = rng.choice(3, n, p=[0.5, 0.3, 0.2])
        return labels, rng.normal(size=(n, 3)) + np.eye(3)[labels] * [0.8, 1.2, 1.6]

    return draw


@cache
def three_class_truth(name: str) -> float:
    labels, scores = three_classes(200_000)(np.random.default_rng(1))
    return getattr(multiclass_auroc(labels, scores, resamples=1), name).value


def settings() -> list[Setting]:
    return [*single(), *clustered(), *parts(), *validated(), *differences(), *tests()]


def single():
    for positive, negative, area in [
        (15, 30, 0.95),
        (20, 20, 0.8),
        (30, 60, 0.7),
        (30, 60, 0.9),
        (50, 200, 0.8),
        (100, 100, 0.95),
        (300, 700, 0.8),
    ]:
        small = positive + negative <= 100
        yield Setting(
            "Area under the ROC curve",
            f"{positive} and {negative} cases, area {area:g}",
            binormal(positive, negative, area),
            area,
            {"`auroc`, logit": lambda s: auroc(*s), "`auroc`, wald": lambda s: auroc(*s, method="wald")},
            {"package confidenceinterval": package_area} if _PACKAGE else {},
            5000 if small else 2000,
        )
    for positive, negative, area in [(15, 30, 0.95), (30, 60, 0.9)]:
        yield Setting(
            "Area under the ROC curve",
            f"{positive} and {negative} cases, area {area:g}, resampled",
            binormal(positive, negative, area),
            area,
            {
                "`auroc`, bootstrap": lambda s: auroc(*s, method="bootstrap", resamples=RESAMPLES),
                "`bootstrap`, bca": lambda s: bootstrap(
                    ["auroc"],
                    {"label": s[0], "score": s[1]},
                    patients=None,
                    resamples=RESAMPLES,
                    seed=0,
                    method="bca",
                )["auroc"],
            },
            {"scikit-learn in a loop, percentile": by_rows("auroc")},
            1500,
        )


def clustered():
    for patients in (20, 40, 100):
        draw, truth = mixed_patients(patients, 0.8, 0.5)
        yield Setting(
            "Area under the ROC curve",
            f"{patients} patients, a positive and a negative unit each",
            draw,
            truth,
            {"`auroc`, patients": lambda s: auroc(s[0], s[2], patients=s[1])},
            {"units taken for patients": lambda s: auroc(s[0], s[2])},
            3000,
        )
    for patients in (30, 60, 150):
        yield Setting(
            "Area under the ROC curve",
            f"{patients} patients of three units, a third positive, ICC 0.5",
            several_units(patients, 0.8, 0.5),
            0.8,
            {"`auroc`, patients": lambda s: auroc(s[0], s[2], patients=s[1])},
            {"units taken for patients": lambda s: auroc(s[0], s[2])},
            3000,
        )


def parts():
    for positive, negative, area, draws in [(30, 60, 0.8, 600), (50, 200, 0.8, 600), (50, 200, 0.9, 600)]:
        yield Setting(
            "Parts of the ROC curve, precision and recall",
            f"{positive} and {negative} cases, area {area:g}: specificity 0.9 to 1",
            binormal(positive, negative, area),
            partial_truth(area),
            {"`partial_auroc`": lambda s: partial_auroc(*s, resamples=400)},
            {},
            draws,
        )
    for positive, negative, sensitivity, specificity in FIXED_RATES:
        yield Setting(
            "Parts of the ROC curve, precision and recall",
            f"{positive} and {negative} cases: sensitivity {sensitivity:g} at specificity {specificity:g}",
            binormal_at(positive, negative, sensitivity, specificity),
            sensitivity,
            {
                "`sensitivity_at`": lambda s, rate=specificity: sensitivity_at(
                    *s, specificity=rate, resamples=400
                )
            },
            {"Wilson at the threshold found": lambda s, rate=specificity: wilson_at(*s, rate)},
            1000,
        )
    for n, prevalence, area in [(100, 0.3, 0.8), (300, 0.1, 0.8), (300, 0.1, 0.9), (1000, 0.05, 0.85)]:
        yield Setting(
            "Parts of the ROC curve, precision and recall",
            f"average precision, cohort of {n}, prevalence {prevalence:g}, area {area:g}",
            cohort(n, prevalence, area),
            precision_truth(area, prevalence),
            {"`average_precision`": lambda s: average_precision(*s, resamples=500)},
            {"scikit-learn in a loop, percentile": by_rows("average_precision")},
            800,
        )
    for name in ("macro", "weighted", "hand_till"):
        yield Setting(
            "Parts of the ROC curve, precision and recall",
            f"three classes, cohort of 150: {name}",
            three_classes(150),
            three_class_truth(name),
            {"`multiclass_auroc`": lambda s, name=name: getattr(multiclass_auroc(*s, resamples=400), name)},
            {},
            600,
        )


def validated():
    for n, folds, area in [
        (50, 5, 0.8),
        (100, 5, 0.8),
        (200, 5, 0.8),
        (200, 10, 0.8),
        (500, 5, 0.8),
        (500, 10, 0.9),
        (1000, 10, 0.8),
    ]:
        draw = folded(n, folds, area)
        yield Setting(
            "Cross-validated areas",
            f"{n} cases in {folds} folds, 30% positive, area {area:g}",
            draw,
            area,
            {
                "`cross_validated_auroc`, wald": lambda s: (
                    cross_validated_auroc(s[0], s[2], s[1]).fold_averaged
                ),
                "`cross_validated_auroc`, logit": lambda s: (
                    cross_validated_auroc(s[0], s[2], s[1], method="logit").fold_averaged
                ),
            },
            {"t over the folds": fold_t},
            1500,
        )


def fold_t(sample):
    labels, folds, scores = sample
    areas = np.array([auroc(labels[folds == f], scores[folds == f]).value for f in np.unique(folds)])
    from scipy.stats import t

    half = t.ppf(0.975, len(areas) - 1) * areas.std(ddof=1) / math.sqrt(len(areas))
    return areas.mean() - half, areas.mean() + half


def differences():
    for positive, negative, areas in [(20, 40, (0.85, 0.8)), (50, 100, (0.9, 0.85)), (100, 300, (0.85, 0.8))]:
        truth = areas[0] - areas[1]
        yield Setting(
            "Differences",
            f"two areas on {positive} and {negative} cases",
            two_models(positive, negative, areas),
            truth,
            {"`compare_auroc`, paired": lambda s: compare_auroc(*s)},
            {},
            3000,
        )
        yield Setting(
            "Differences",
            f"two areas on different patients, {positive} and {negative} each",
            two_models(positive, negative, areas, 0.0),
            truth,
            {"`compare_auroc`, unpaired": lambda s: compare_auroc(*s, paired=False)},
            {},
            3000,
        )


def tests():
    section = "Type I error: areas"
    for positive, negative in [(20, 40), (50, 100), (100, 300)]:
        yield Setting(
            section,
            f"two equal areas 0.85, {positive} and {negative} cases",
            two_models(positive, negative, (0.85, 0.85)),
            None,
            {"`compare_auroc`, paired": lambda s: compare_auroc(*s)},
            {"intervals do not overlap": apart},
            3000,
        )
        yield Setting(
            section,
            f"two equal areas 0.85, different patients, {positive} and {negative} each",
            two_models(positive, negative, (0.85, 0.85), 0.0),
            None,
            {"`compare_auroc`, unpaired": lambda s: compare_auroc(*s, paired=False)},
            {},
            3000,
        )
    for positive, negative, sensitivity, specificity in FIXED_RATES:
        shift = float(norm.ppf(sensitivity) + norm.ppf(specificity))
        area = float(norm.cdf(shift / math.sqrt(2)))
        yield Setting(
            section,
            f"sensitivities {sensitivity:g} of two models at specificity {specificity:g}, "
            f"{positive} and {negative} cases",
            two_models(positive, negative, (area, area)),
            None,
            {"`compare_at`": lambda s, rate=specificity: compare_at(*s, specificity=rate, resamples=400)},
            {},
            1000,
        )
    for patients in (15, 30, 60, 150):
        yield Setting(
            section,
            f"two equal areas 0.8, {patients} patients of three units",
            several_units(patients, 0.8, 0.5, 2),
            None,
            {"`compare_auroc`, patients": lambda s: compare_auroc(s[0], s[2], s[3], patients=s[1])},
            {"units taken for patients": lambda s: compare_auroc(s[0], s[2], s[3])},
            3000,
        )
    for n, folds in [(50, 5), (100, 5), (200, 5), (200, 10), (500, 5), (500, 10)]:
        yield Setting(
            section,
            f"two equal areas 0.8, {n} cases in {folds} folds",
            folded(n, folds, 0.8, 2),
            None,
            {
                "`compare_cross_validated_auroc`": lambda s: compare_cross_validated_auroc(
                    s[0], s[2], s[3], s[1]
                )
            },
            {},
            2000,
        )
    for n in (100, 300):
        yield Setting(
            section,
            f"equal areas 0.8 in two groups, cohort of {n}",
            cohort(n, 0.4, 0.8),
            None,
            {"`subgroups`, auroc": lambda s: subgroups(*s, np.arange(len(s[0])) % 3 == 0).p},
            {},
            2000,
        )


def apart(sample):
    first, second = auroc(sample[0], sample[1]), auroc(sample[0], sample[2])
    return 0.0 if first.low > second.high or second.low > first.high else 1.0
