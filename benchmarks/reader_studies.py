"""Type I error of the reader study under the null hypothesis, readings simulated as Roe and Metz did.

Roe CA, Metz CE, Acad Radiol 1997;4:298. Components of variance of the readings (HL): reader 0.0055, reader by
treatment 0.0055, case 0.3, case by treatment 0.3, reader by case 0.2, error 0.2; the same for both classes.
Prints the share of p < 0.05; FRRC and RRFC hold something fixed that varies here, and so reject too often.
Then the same of an algorithm against the average reader; it has no variance of readers of its own.
"""

from __future__ import annotations

import argparse

import numpy as np

from medvision.evaluation.obuchowski_rockette import (
    mean_spread,
    t_comparison,
    treatment_test,
    variance_components,
)
from medvision.evaluation.reader_covariances import delong_covariance

READER, READER_TREATMENT, CASE, CASE_TREATMENT, READER_CASE, ERROR = 0.0055, 0.0055, 0.3, 0.3, 0.2, 0.2


def readings(rng, separation, readers, diseased, healthy):
    def noise(variance, *shape):
        return np.sqrt(variance) * rng.standard_normal(shape)

    def one_class(cases):
        return (
            noise(READER, 1, readers, 1)
            + noise(READER_TREATMENT, 2, readers, 1)
            + noise(CASE, 1, 1, cases)
            + noise(CASE_TREATMENT, 2, 1, cases)
            + noise(READER_CASE, 1, readers, cases)
            + noise(ERROR, 2, readers, cases)
        )

    scores = np.concatenate([separation + one_class(diseased), one_class(healthy)], axis=2)
    return np.arange(diseased + healthy) < diseased, scores


def algorithm_and_readers(rng, separation, readers, diseased, healthy):
    """One reading a case by the algorithm (first row) and each reader; all have the same expected area."""

    def noise(variance, *shape):
        return np.sqrt(variance) * rng.standard_normal(shape)

    def one_class(cases, shift):
        human = noise(READER + READER_TREATMENT, readers, 1) + noise(CASE_TREATMENT, 1, cases)
        algorithm = noise(CASE_TREATMENT, 1, cases)
        own = noise(READER_CASE + ERROR, readers + 1, cases)
        return shift + noise(CASE, 1, cases) + np.concatenate([algorithm, human]) + own

    # Readers that vary pull their areas towards one half; the algorithm's separation is brought down alike.
    fixed = CASE + CASE_TREATMENT + READER_CASE + ERROR
    shifts = np.full((readers + 1, 1), separation)
    shifts[0] *= np.sqrt(fixed / (fixed + READER + READER_TREATMENT))
    scores = np.concatenate([one_class(diseased, shifts), one_class(healthy, 0.0)], axis=1)
    return np.arange(diseased + healthy) < diseased, scores


def algorithm_rejected(rng, separation, readers, cases):
    truth, scores = algorithm_and_readers(rng, separation, readers, cases, cases)
    areas, covariance = delong_covariance(truth, scores, np.arange(2 * cases))
    contrast = np.hstack([np.ones((readers, 1)), -np.eye(readers)])
    differences, spread = contrast @ areas, contrast @ covariance @ contrast.T
    p = []
    for scope in ("RRRC", "FRRC", "RRFC"):
        error, df = mean_spread(differences, spread, scope)
        p.append(t_comparison(differences.mean(), error, df, level=0.95, method="", n=(1, 1)).p)
    return np.array(p) < 0.05


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1000)
    repeats = parser.parse_args().repeats
    print("separation readers diseased healthy   RRRC   FRRC   RRFC")
    for separation, readers, cases in [
        (0.75, 3, 25),
        (0.75, 5, 50),
        (1.5, 5, 50),
        (2.5, 5, 50),
        (1.5, 10, 50),
    ]:
        rng = np.random.default_rng(7)
        rejected = np.zeros(3)
        for _ in range(repeats):
            truth, scores = readings(rng, separation, readers, cases, cases)
            areas, covariance = delong_covariance(
                truth, scores.reshape(2 * readers, -1), np.arange(2 * cases)
            )
            parts = variance_components(areas.reshape(2, readers), covariance)
            rejected += [
                treatment_test(parts, 2, readers, scope)[2] < 0.05 for scope in ("RRRC", "FRRC", "RRFC")
            ]
        print(
            f"{separation:10} {readers:7} {cases:8} {cases:7}",
            *(f"{share:6.3f}" for share in rejected / repeats),
        )
    print("an algorithm against the average reader")
    for separation, readers, cases in [(1.5, 4, 50), (1.5, 10, 50), (2.5, 5, 50), (1.5, 5, 150)]:
        rng = np.random.default_rng(7)
        rejected = sum(algorithm_rejected(rng, separation, readers, cases) for _ in range(repeats))
        print(
            f"{separation:10} {readers:7} {cases:8} {cases:7}",
            *(f"{share:6.3f}" for share in rejected / repeats),
        )


if __name__ == "__main__":
    main()
