"""Chosen thresholds and calibration: what the corrections correct, and which intervals hold the truth.

    python benchmarks/probabilities.py optimism
    python benchmarks/probabilities.py band --samples 150
    python benchmarks/probabilities.py distances --samples 60

optimism: Youden's J at the threshold that the evaluated cases chose, as it looks, corrected, and as it is in
the population of normal scores that lie `apart` standard deviations apart. band: how often the pointwise 95%
band of the calibration curve holds the true share. distances: how often 95% percentile and basic limits of a
bootstrap hold the true ICI.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy looks

import argparse

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from medvision.evaluation import calibration_curve, optimism

SHIFTS = ((1.0, 0.0), (0.6, 0.0), (1.0, 0.5), (0.5, 0.5))
"""Slope and intercept of the true probability in the predicted one, on the logit scale."""
PLACES = np.array([0.1, 0.25, 0.4, 0.6, 0.8])


def chosen_thresholds(samples: int, resamples: int = 200) -> None:
    rng = np.random.default_rng(0)
    print("apart  cases  true   apparent  left out  harrell")
    for apart in (0, 1, 2):
        for n in (20, 40, 100, 200):
            rows = []
            for seed in range(samples):
                labels = np.tile([0, 1], n // 2)
                scores = rng.normal(size=n) + apart * labels
                found, other = (
                    optimism(labels, scores, method=method, resamples=resamples, seed=seed)
                    for method in ("out_of_bag", "harrell")
                )
                true = norm.sf(found.threshold - apart) - norm.sf(found.threshold)
                rows.append(
                    (true, found.apparent["youden"], found.corrected["youden"], other.corrected["youden"])
                )
            print(f"{apart:5}  {n:5}  " + "  ".join(f"{value:7.3f}" for value in np.mean(rows, axis=0)))


def sample(n: int, slope: float, intercept: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    p = rng.beta(2, 3, n)
    return rng.random(n) < expit(intercept + slope * logit(p)), p


def band(samples: int) -> None:
    rng = np.random.default_rng(1)
    print("cases  slope  intercept  coverage at " + ", ".join(f"{place:g}" for place in PLACES))
    for n in (60, 100, 400):
        for slope, intercept in SHIFTS:
            held = np.zeros(len(PLACES))
            true = expit(intercept + slope * logit(PLACES))
            for seed in range(samples):
                found = calibration_curve(*sample(n, slope, intercept, rng), resamples=200, seed=seed)
                low, high = (np.interp(PLACES, found.probabilities, side) for side in (found.low, found.high))
                held += (low <= true) & (true <= high)
            print(f"{n:5}  {slope:5}  {intercept:9}  {np.round(held / samples, 2)}", flush=True)


def distances(samples: int, resamples: int = 100) -> None:
    rng = np.random.default_rng(2)
    print("cases  slope  intercept  true ICI  mean ICI  percentile  basic")
    for n in (60, 100, 400):
        for slope, intercept in SHIFTS:
            p = rng.beta(2, 3, 50_000)
            true = float(np.abs(expit(intercept + slope * logit(p)) - p).mean())
            rows = []
            for _ in range(samples):
                labels, own = sample(n, slope, intercept, rng)
                value = calibration_curve(labels, own, resamples=1).ici.value
                drawn = []
                for _ in range(resamples):
                    rows_drawn = rng.integers(0, n, n)
                    drawn.append(
                        calibration_curve(labels[rows_drawn], own[rows_drawn], resamples=1).ici.value
                    )
                low, high = np.quantile(drawn, [0.025, 0.975])
                basic = max(2 * value - high, 0), max(2 * value - low, 0)
                rows.append((value, low <= true <= high, basic[0] <= true <= basic[1]))
            mean = np.mean(np.array(rows, dtype=float), axis=0)
            shown = f"{true:8.3f}  {mean[0]:8.3f}  {mean[1]:10.2f}  {mean[2]:5.2f}"
            print(f"{n:5}  {slope:5}  {intercept:9}  {shown}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["optimism", "band", "distances"])
    parser.add_argument("--samples", type=int, default=200)
    wanted = parser.parse_args()
    {"optimism": chosen_thresholds, "band": band, "distances": distances}[wanted.what](wanted.samples)


if __name__ == "__main__":
    main()
