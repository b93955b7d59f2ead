"""Dice, HD95 and NSD of masks: medvision beside MONAI's metrics, on the same cases in the same run.

    python benchmarks/segmentation.py --data ../shared/data

References are real masks (hippocampus, lung nodules) and a large phantom; a prediction is its reference moved
by up to a voxel and a half (seeded). Both sides take turns on one thread; each prints the best processor time
a case. Dice must agree. HD95 and NSD are not compared: MONAI counts voxels of the outline, medvision weighs
pieces of surface by their area, as the definition of the NSD does.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from monai.metrics import DiceMetric, HausdorffDistanceMetric, SurfaceDiceMetric
from scipy import ndimage

from medvision.evaluation import segmentation_scores

Case = tuple[np.ndarray, np.ndarray, tuple[float, ...]]


def moved(reference: np.ndarray, seed: int) -> np.ndarray:
    shift = np.random.default_rng(seed).uniform(-1.5, 1.5, 3)
    return ndimage.shift(reference, shift, order=0)


def real(folder: Path, pattern: str, most: int) -> list[Case]:
    cases = []
    for seed, path in enumerate(sorted(folder.glob(pattern))[:most]):
        image = nib.load(path)
        mask = np.asarray(image.dataobj).astype(np.uint8)
        cases.append((mask, moved(mask, seed), tuple(float(s) for s in image.header.get_zooms()[:3])))
    return cases


def phantom() -> list[Case]:
    grid = np.ogrid[-1:1:320j, -1:1:320j, -1:1:120j]
    organ = (sum((x / r) ** 2 for x, r in zip(grid, (0.5, 0.4, 0.6), strict=True)) < 1).astype(np.uint8)
    tumour = sum(((x - 0.1) / 0.1) ** 2 for x in grid) < 1
    organ[tumour] = 2
    return [(organ, moved(organ, 0), (0.8, 0.8, 2.5))]


def ours(cases: list[Case], values: list[int]) -> list[float]:
    return [
        float(dice)
        for reference, prediction, spacing in cases
        for dice in segmentation_scores(reference, prediction, spacing, labels=values)["dice"]
    ]


def theirs(cases: list[Case], values: list[int]) -> list[float]:
    dice = DiceMetric(include_background=False, reduction="none")
    distance = HausdorffDistanceMetric(include_background=False, percentile=95)
    surface = SurfaceDiceMetric([1.0] * len(values), include_background=False)
    found: list[float] = []
    for reference, prediction, spacing in cases:
        truth, called = (
            torch.stack([torch.from_numpy(mask == v) for v in (0, *values)])[None].float()
            for mask in (reference, prediction)
        )
        found += dice(called, truth)[0].tolist()
        distance(called, truth, spacing=list(spacing))
        surface(called, truth, spacing=list(spacing))
    return found


def timed(call: Callable[[], list[float]]) -> tuple[float, list[float]]:
    start = time.process_time()
    found = call()
    return time.process_time() - start, found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rounds", type=int, default=4)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    rows = {
        "hippocampus, 2 structures": (real(wanted.data / "hippocampus" / "labelsTr", "*.nii.gz", 40), [1, 2]),
        "lung nodules, 1 structure": (real(wanted.data / "lidc_nodules" / "masks", "*.nii.gz", 60), [1]),
        "phantom 320×320×120, 2 structures": (phantom(), [1, 2]),
    }
    print("| masks | cases | MONAI, ms a case | medvision, ms a case | ratio |\n|---|---|---|---|---|")
    for name, (cases, values) in rows.items():
        if not cases:
            continue
        best = {"monai": float("inf"), "medvision": float("inf")}
        for _ in range(wanted.rounds):
            spent, dice = timed(lambda cases=cases, values=values: ours(cases, values))
            best["medvision"] = min(best["medvision"], spent / len(cases) * 1e3)
            spent, expected = timed(lambda cases=cases, values=values: theirs(cases, values))
            best["monai"] = min(best["monai"], spent / len(cases) * 1e3)
            np.testing.assert_allclose(dice, expected, atol=1e-6)
        ratio = best["monai"] / best["medvision"]
        print(
            f"| {name} | {len(cases)} | {best['monai']:.1f} | {best['medvision']:.1f} | {ratio:.1f}× |",
            flush=True,
        )


if __name__ == "__main__":
    main()
