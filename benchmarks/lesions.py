"""Lesion by lesion: time a case, and how often the intervals of a study hold the truth.

    python benchmarks/lesions.py --data ../shared/data

Times: real masks of the hippocampus moved by up to a voxel and a half (seeded), and a volume with some 800
components. Coverage: studies of patients with one scan each; false positives per scan are negative binomial
with a mean of 1 (a smaller size spreads patients more), lesions per patient 1 + Poisson(2), their chance of
being found beta-distributed over patients with a mean of 0.8 and an intraclass correlation of 0.3.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage
from segmentation import real

from medvision.evaluation import lesionwise_scores, summarise_lesions


def best(call: Callable[[], object], rounds: int) -> float:
    spent = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        spent.append(time.process_time() - start)
    return min(spent) * 1e3


def times(folder: Path, rounds: int) -> None:
    cases = real(folder / "hippocampus" / "labelsTr", "*.nii.gz", 40)
    for radius in (0.0, 1.42):
        if cases:

            def score(radius: float = radius) -> None:
                for case in cases:
                    lesionwise_scores(*case, labels=[1, 2], merge_within_mm=radius)

            ms = best(score, rounds) / len(cases)
            print(f"hippocampus, 2 structures, merged within {radius:g} mm: {ms:.1f} ms a case", flush=True)
    rng = np.random.default_rng(0)
    one, other = (ndimage.gaussian_filter(rng.normal(size=(256, 256, 160)).astype("f4"), 3) for _ in range(2))
    pair = one > 0.03, one + 0.3 * other > 0.03
    ms = best(lambda: lesionwise_scores(*pair, (1, 1, 1)), rounds)
    print(f"256×256×160 with many components: {ms:.0f} ms", flush=True)


def study(rng: np.random.Generator, patients: int, size: float) -> pd.DataFrame:
    lesions = 1 + rng.poisson(2, patients)
    strength = 1 / 0.3 - 1
    found = rng.binomial(lesions, rng.beta(0.8 * strength, 0.2 * strength, patients))
    alarms = rng.negative_binomial(size, size / (size + 1), patients)
    return pd.DataFrame(
        {
            "structure": "lesion", "patient_id": np.arange(patients), "n_reference": lesions,
            "n_found": found, "n_predicted": found + alarms, "n_false_positives": alarms,
        }
    )  # fmt: skip


def coverage(repeats: int, resamples: int) -> None:
    print("| patients | size | false positives per scan | sensitivity over lesions |\n|---|---|---|---|")
    for patients in (20, 50, 100):
        for size in (0.5, 2.0):
            hits = {"false_positives": 0, "lesion_sensitivity": 0}
            for seed in range(repeats):
                cases = study(np.random.default_rng(seed), patients, size)
                for row in summarise_lesions(cases, resamples=resamples, seed=seed):
                    if row.metric in hits:
                        truth = 1.0 if row.metric == "false_positives" else 0.8
                        hits[row.metric] += row.estimate.low <= truth <= row.estimate.high
            shares = " | ".join(f"{hit / repeats:.3f}" for hit in hits.values())
            print(f"| {patients} | {size:g} | {shares} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=1000)
    wanted = parser.parse_args()
    times(wanted.data, wanted.rounds)
    coverage(wanted.repeats, wanted.resamples)


if __name__ == "__main__":
    main()
