"""Settings of proportions, what is read from a 2×2 table, and differences of proportions."""

from __future__ import annotations

import math
from functools import cache, lru_cache

import numpy as np
from coverage_table import Setting
from scipy.stats import binom

from medvision.evaluation import (
    bootstrap,
    clustered_proportion,
    compare_proportions,
    diagnostic_accuracy,
    mcnemar,
    proportion,
    subgroups,
)

METHODS = ("wilson", "wilson_cc", "exact", "midp", "agresti_coull", "jeffreys")
_known = lru_cache(maxsize=None)(proportion)


def exact_table() -> str:
    """Coverage of single proportions, added up over all counts, and the expected width."""
    head = "| n | p | " + " | ".join(METHODS) + " | *Wald* |"
    lines = [head, "|" + "---|" * (len(METHODS) + 3)]
    for n in (10, 20, 50, 100, 1000):
        for p in (0.5, 0.8, 0.9, 0.95, 0.99):
            cells = [_enumerated(n, p, method) for method in (*METHODS, None)]
            lines.append(f"| {n} | {p:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _enumerated(n: int, p: float, method: str | None) -> str:
    counts = np.arange(n + 1)
    chance = binom.pmf(counts, n, p)
    limits = np.array([_wald(k, n) if method is None else _both(k, n, method) for k in counts.tolist()])
    share = float(chance[(limits[:, 0] <= p) & (p <= limits[:, 1])].sum())
    mark = "**" if share < 0.935 else ""
    return f"{mark}{share:.3f}{mark} ({float(chance @ (limits[:, 1] - limits[:, 0])):.3f})"


def _both(k: int, n: int, method: str) -> tuple[float, float]:
    found = _known(k, n, method=method)
    return found.low, found.high


def _wald(k: int, n: int) -> tuple[float, float]:
    half = 1.959964 * math.sqrt(k / n * (1 - k / n) / n)
    return k / n - half, k / n + half


def settings() -> list[Setting]:
    return [*clusters(), *tables(), *enriched(), *paired(), *independent(), *clustered_pairs(), *groups()]


def correlated(patients: int, p: float, icc: float):
    """About three units of each patient, whose own chance of success is beta distributed."""
    a, b = p * (1 - icc) / icc, (1 - p) * (1 - icc) / icc

    def draw(rng):
        owners = np.repeat(np.arange(patients), 1 + rng.poisson(2, patients))
        return (rng.random(len(owners)) < rng.beta(a, b, patients)[owners]).astype(int), owners

    return draw


def clusters():
    for patients in (20, 40, 100):
        for p, icc in [(0.7, 0.3), (0.9, 0.1), (0.9, 0.3), (0.8, 0.5), (0.95, 0.3)]:
            yield Setting(
                "Proportions of units that share patients",
                f"{patients} patients, {p:g}, ICC {icc:g}",
                correlated(patients, p, icc),
                p,
                {"`clustered_proportion`": lambda s: clustered_proportion(*s)},
                {"Wilson, units taken for patients": lambda s: _both(int(s[0].sum()), len(s[0]), "wilson")},
                10_000 if patients < 100 else 4000,
            )


def calls(n: int, prevalence: float | None, se: float, sp: float, positive: int = 0):
    """A cohort, or a set with a fixed number of positive units, and predictions of 0 and 1."""

    def draw(rng):
        labels = rng.random(n) < prevalence if prevalence is not None else np.arange(n) < positive
        return labels.astype(int), np.where(labels, rng.random(n) < se, rng.random(n) > sp).astype(int)

    return draw


def cells(n: float, prevalence: float, se: float, sp: float) -> tuple[float, float, float, float]:
    return (
        n * prevalence * se,
        n * (1 - prevalence) * (1 - sp),
        n * prevalence * (1 - se),
        n * (1 - prevalence) * sp,
    )


def truth_of(name: str, prevalence: float, se: float, sp: float) -> float:
    tp, fp, fn, tn = cells(1, prevalence, se, sp)
    return {
        "f1": 2 * tp / (2 * tp + fp + fn),
        "mcc": (tp * tn - fp * fn) / math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
        "youden": se + sp - 1,
        "balanced_accuracy": (se + sp) / 2,
        "accuracy": tp + tn,
        "ppv": tp / (tp + fp),
        "npv": tn / (tn + fn),
        "lr_positive": se / (1 - sp),
        "lr_negative": (1 - se) / sp,
        "diagnostic_odds_ratio": se * sp / ((1 - se) * (1 - sp)),
    }[name]


def measure(name: str, **how):
    """One measure; draws of one sample share the work."""
    return lambda s: getattr(_accuracy(s[0].tobytes(), s[1].tobytes(), tuple(sorted(how.items()))), name)


@lru_cache(maxsize=4)
def _accuracy(labels: bytes, predictions: bytes, how: tuple):
    both = (np.frombuffer(x, dtype=np.int64) for x in (labels, predictions))
    return diagnostic_accuracy(
        *both, resamples=dict(how).get("resamples", 2), **{k: v for k, v in how if k != "resamples"}
    )


def tables():
    for n, prevalence, se, sp in [
        (50, 0.4, 0.85, 0.8),
        (200, 0.1, 0.8, 0.9),
        (200, 0.3, 0.95, 0.9),
        (1000, 0.05, 0.8, 0.9),
    ]:
        where = f"cohort of {n}, prevalence {prevalence:g}, sensitivity {se:g}, specificity {sp:g}"
        for name in ("f1", "mcc"):
            yield Setting(
                "Measures at a threshold",
                f"{name}, {where}",
                calls(n, prevalence, se, sp),
                truth_of(name, prevalence, se, sp),
                {"`diagnostic_accuracy`": measure(name, resamples=500)},
                {"drawn within classes": lambda s, name=name: _within(name, s)},
                1000,
            )
        for name in ("youden", "balanced_accuracy", "accuracy", "ppv", "npv", "lr_positive", "lr_negative"):
            yield Setting(
                "Measures at a threshold",
                f"{name}, {where}",
                calls(n, prevalence, se, sp),
                truth_of(name, prevalence, se, sp),
                {"`diagnostic_accuracy`": measure(name)},
                {"percentile bootstrap": lambda s: _within("youden", s)} if name == "youden" else {},
                1500,
            )


def _within(name: str, sample):
    table = {"label": sample[0], "prediction": sample[1]}
    found = bootstrap([name], table, patients=None, resamples=500, seed=0)[name]
    return found.low, found.high


def enriched():
    for name, positive, n, se, sp in [
        ("ppv", 50, 100, 0.8, 0.9),
        ("npv", 50, 100, 0.8, 0.9),
        ("ppv", 100, 300, 0.9, 0.95),
    ]:
        yield Setting(
            "Measures at a threshold",
            f"{name} at a prevalence of 0.05 from {positive} and {n - positive} cases",
            calls(n, None, se, sp, positive),
            truth_of(name, 0.05, se, sp),
            {"`diagnostic_accuracy`, enriched": measure(name, sampling="enriched", prevalence=0.05)},
            {"Wilson, as if a cohort": measure(name)},
            3000,
        )


def pairs(n: int, p: tuple[float, float, float, float]):
    return lambda rng: tuple(int(x) for x in rng.multinomial(n, p))


@cache
def _of_pairs(counts: tuple[int, ...], method: str):
    return compare_proportions(
        np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts), method=method
    ).difference


def _wald_pairs(counts):
    n11, b, c, n22 = counts
    n = n11 + b + c + n22
    half = 1.959964 * math.sqrt(max(b + c - (b - c) ** 2 / n, 0)) / n
    return (b - c) / n - half, (b - c) / n + half


def paired():
    for n, p in [
        (30, (0.7, 0.2, 0.05, 0.05)),
        (30, (0.85, 0.1, 0.03, 0.02)),
        (100, (0.8, 0.1, 0.05, 0.05)),
        (200, (0.85, 0.06, 0.04, 0.05)),
    ]:
        yield Setting(
            "Differences",
            f"two proportions on {n} cases, discordant {p[1]:g} and {p[2]:g}",
            pairs(n, p),
            p[1] - p[2],
            {
                "`compare_proportions`, tango": lambda s: _of_pairs(s, "tango"),
                "`compare_proportions`, newcombe": lambda s: _of_pairs(s, "newcombe"),
            },
            {"Wald": _wald_pairs},
        )
    for n, share in [(30, 0.1), (50, 0.1), (100, 0.05), (200, 0.1)]:
        both = (1 - 2 * share) / 2
        yield Setting(
            "Type I error: proportions",
            f"{n} cases, discordant {share:g} and {share:g}",
            pairs(n, (both, share, share, both)),
            None,
            {
                f"`mcnemar`, {how}": lambda s, how=how: mcnemar(s[1], s[2], method=how).p
                for how in ("midp", "exact")
            },
            {"asymptotic": lambda s: mcnemar(s[1], s[2], method="asymptotic").p},
        )


def two_groups(n: tuple[int, int], p: tuple[float, float]):
    return lambda rng: (int(rng.binomial(n[0], p[0])), n[0], int(rng.binomial(n[1], p[1])), n[1])


@cache
def _of_groups(counts: tuple[int, ...], method: str):
    x1, n1, x2, n2 = counts
    return compare_proportions(
        np.repeat([1, 0], [x1, n1 - x1]), np.repeat([1, 0], [x2, n2 - x2]), paired=False, method=method
    )


def _wald_groups(counts):
    x1, n1, x2, n2 = counts
    p1, p2 = x1 / n1, x2 / n2
    half = 1.959964 * math.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
    return p1 - p2 - half, p1 - p2 + half


def independent():
    for n, p in [
        ((20, 20), (0.9, 0.8)),
        ((30, 50), (0.85, 0.7)),
        ((50, 100), (0.95, 0.9)),
        ((200, 200), (0.9, 0.85)),
    ]:
        yield Setting(
            "Differences",
            f"proportions {p[0]:g} of {n[0]} and {p[1]:g} of {n[1]}",
            two_groups(n, p),
            p[0] - p[1],
            {
                "`compare_proportions`, newcombe": lambda s: _of_groups(s, "newcombe"),
                "`compare_proportions`, miettinen_nurminen": lambda s: _of_groups(s, "miettinen_nurminen"),
            },
            {"Wald": _wald_groups},
        )
        yield Setting(
            "Type I error: proportions",
            f"{p[0]:g} of {n[0]} and of {n[1]}",
            two_groups(n, (p[0], p[0])),
            None,
            {"score test": lambda s: _of_groups(s, "newcombe")},
        )


def two_readers(patients: int, shift: float):
    """Three units of each patient; each reader is right with a chance that varies between patients."""
    owners = np.repeat(np.arange(patients), 3)

    def draw(rng):
        ease, own = rng.normal(size=patients), rng.normal(size=(2, patients))
        chance = 1 / (1 + np.exp(-(1.5 + ease + 0.7 * own + np.array([[shift], [0.0]]))))
        return *((rng.random((2, len(owners))) < chance[:, owners]).astype(int)), owners

    return draw


@cache
def reader_truth(shift: float) -> float:
    rng = np.random.default_rng(3)
    total = rng.normal(size=4_000_000) * math.sqrt(1 + 0.49) + 1.5
    return float(np.mean(1 / (1 + np.exp(-total - shift)) - 1 / (1 + np.exp(-total))))


def clustered_pairs():
    for patients in (20, 30, 40, 100):
        yield Setting(
            "Differences",
            f"two proportions, {patients} patients of three units",
            two_readers(patients, 0.5),
            reader_truth(0.5),
            {"`compare_proportions`, patients": lambda s: compare_proportions(s[0], s[1], patients=s[2])},
            {"Tango, units taken for patients": lambda s: compare_proportions(s[0], s[1]).difference},
            4000,
        )
        yield Setting(
            "Type I error: proportions",
            f"{patients} patients of three units",
            two_readers(patients, 0.0),
            None,
            {"`compare_proportions`, patients": lambda s: compare_proportions(s[0], s[1], patients=s[2])},
            {"McNemar, units taken for patients": lambda s: compare_proportions(s[0], s[1]).p},
            4000,
        )


def groups():
    for n in (100, 300):
        yield Setting(
            "Type I error: proportions",
            f"equal sensitivity 0.9 in three groups, {n} positive cases",
            calls(n, None, 0.9, 0.9, n),
            None,
            {
                "`subgroups`, sensitivity": lambda s: (
                    subgroups(s[0], s[1], np.arange(len(s[0])) % 3, metric="sensitivity", threshold=0.5).p
                )
            },
            {},
            3000,
        )
    for n in (20, 50):
        for method in ("percentile", "bca"):
            yield Setting(
                "Measures at a threshold",
                f"accuracy 0.9 of {n} cases, bootstrap {method}",
                calls(n, 0.5, 0.9, 0.9),
                0.9,
                {
                    "`bootstrap`": lambda s, method=method: bootstrap(
                        ["accuracy"],
                        {"label": s[0], "prediction": s[1]},
                        patients=None,
                        resamples=1000,
                        seed=0,
                        method=method,
                        stratified=False,
                    )["accuracy"]
                },
                {},
                1500,
            )
