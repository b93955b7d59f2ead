"""How often the 95% intervals of ordinal, regression and survival readouts hold the true value.

    python benchmarks/readouts.py

The true value is that of samples so large that their error does not matter; of Uno's C that of the same
population without censoring. One line a design: the share of samples whose interval holds it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import spearmanr

from medvision.evaluation import Estimate, harrell_c, ordinal_c_index, regression_scores, uno_c

SAMPLES = 2000
CLASSES = np.array([0.4, 0.3, 0.2, 0.1])


def ordinal(rng: np.random.Generator, m: int, units: int, shared: float, shift: float):
    patients = np.repeat(np.arange(m), units)
    common = rng.choice(4, m, p=CLASSES)[patients]
    labels = np.where(rng.random(len(patients)) < 0.5, common, rng.choice(4, len(patients), p=CLASSES))
    noise = rng.normal(0, shared, m)[patients] + rng.normal(0, 1, len(patients))
    return labels, shift * labels + noise, patients


def numbers(rng: np.random.Generator, m: int, units: int, shared: float):
    patients = np.repeat(np.arange(m), units)

    def normal():
        own = rng.normal(0, 1, len(patients))
        return np.sqrt(shared) * rng.normal(0, 1, m)[patients] + np.sqrt(1 - shared) * own

    reference = 30 + 8 * normal()
    return reference, 0.8 * reference + 7 + 4 * normal(), patients


def followed(rng: np.random.Generator, m: int, units: int, follow_up: float):
    patients = np.repeat(np.arange(m), units)
    shared = 0.6 if units > 1 else 0.0
    risk = np.sqrt(shared) * rng.normal(0, 1, m)[patients]
    risk = risk + np.sqrt(1 - shared) * rng.normal(0, 1, len(patients))
    frailty = 0.7 * rng.normal(0, 1, m)[patients] * (units > 1)
    time = rng.exponential(np.exp(-0.8 * risk - frailty))
    end = np.minimum(rng.exponential(follow_up, len(patients)), 1.2)
    return np.minimum(time, end), time <= end, risk, patients, time


def coverage(draw: Callable[[], dict[str, Estimate]], truth: dict[str, float], samples: int) -> str:
    hits = dict.fromkeys(truth, 0)
    for _ in range(samples):
        for name, one in draw().items():
            hits[name] += one.low <= truth[name] <= one.high
    return ", ".join(f"{name} {hit / samples:.3f}" for name, hit in hits.items())


def ordinal_lines(rng: np.random.Generator) -> None:
    for m, units, shared, shift in ((40, 1, 0, 0.5), (60, 1, 0, 1.5), (40, 3, 1, 0.7), (20, 3, 1, 0.7)):
        large = [ordinal(rng, 20000 // units, units, shared, shift) for _ in range(20)]
        true = float(np.mean([ordinal_c_index(*one[:2]).value for one in large]))

        def draw(m=m, units=units, shared=shared, shift=shift):
            labels, scores, patients = ordinal(rng, m, units, shared, shift)
            return {
                "index": ordinal_c_index(labels, scores, patients=patients),
                "ignoring patients": ordinal_c_index(labels, scores),
            }

        found = coverage(draw, {"index": true, "ignoring patients": true}, SAMPLES)
        print(f"ordinal C-index {true:.3f}, {m} patients with {units}: {found}", flush=True)


def regression_lines(rng: np.random.Generator) -> None:
    x, y, _ = numbers(rng, 1_000_000, 1, 0)
    gap = y - x
    squares = (gap**2).mean()
    truth = {
        "mae": np.abs(gap).mean(),
        "rmse": np.sqrt(squares),
        "bias": gap.mean(),
        "r_squared": 1 - squares / x.var(),
        "ccc": 2 * np.cov(x, y)[0, 1] / (x.var() + y.var() + gap.mean() ** 2),
        "pearson": np.corrcoef(x, y)[0, 1],
        "spearman": spearmanr(x, y).statistic,
    }
    for m, units, shared in ((20, 1, 0), (60, 1, 0), (30, 3, 0.6)):

        def draw(m=m, units=units, shared=shared):
            x, y, patients = numbers(rng, m, units, shared)
            return regression_scores(x, y, patients=patients, resamples=500).estimates()

        print(f"regression, {m} patients with {units}: {coverage(draw, truth, SAMPLES)}", flush=True)


def survival_lines(rng: np.random.Generator) -> None:
    for m, units, follow_up in ((40, 1, 2.0), (150, 1, 1.0), (40, 3, 2.0)):
        large = [followed(rng, 6000 // units, units, follow_up) for _ in range(30)]
        everyone = np.ones(6000, dtype=bool)
        truth = {
            "harrell": float(np.mean([harrell_c(*one[:3]).value for one in large])),
            "uno": float(np.mean([uno_c(one[4], everyone, one[2], tau=1.0).value for one in large])),
        }
        share = np.mean([one[1].mean() for one in large])

        def draw(m=m, units=units, follow_up=follow_up):
            time, event, risk, patients, _ = followed(rng, m, units, follow_up)
            tau = min(1.0, float(time.max()))
            return {
                "harrell": harrell_c(time, event, risk, patients=patients),
                "uno": uno_c(time, event, risk, tau=tau, patients=patients),
            }

        found = coverage(draw, truth, SAMPLES)
        print(f"survival, {m} patients with {units}, {share:.0%} with the event: {found}", flush=True)


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    ordinal_lines(rng)
    regression_lines(rng)
    survival_lines(rng)
