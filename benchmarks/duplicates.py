"""How many planted copies are found, and how many pairs are called copies that are none.

    python benchmarks/duplicates.py phantoms hippocampus lidc_nodules adrenal breast --planted 20

Plants copies of each kind of change into a cohort and prints, by kind, the share that is found, then the
pairs found among the originals. Those whose voxels as they stand have a correlation of 0.95 or more, the
middle of one with some place of the other in one of the eight mirrored ways, are counted as true repetitions
of the data set, those of one patient are named, and all others are false. Real data: $MEDVISION_TEST_DATA, or
../shared/data.
"""

from __future__ import annotations

import argparse
import os
import time
from itertools import product
from pathlib import Path

import numpy as np
from scipy.signal import correlate

from medvision.imaging import load_volume, reorient
from medvision.imaging.lookalikes import find_lookalikes
from medvision.imaging.perceptual import picture
from medvision.testing import brain_phantom, thorax_phantom
from medvision.testing.copies import changed_copy

KINDS = {
    "repeated": ["repeated"],
    "flip": ["flip"],
    "crop": ["crop"],
    "resample": ["resample"],
    "window": ["window"],
    "gamma": ["gamma"],
    "8 bits": ["eight_bits"],
    "noise": ["noise"],
    "flip, crop": ["flip", "crop"],
    "crop, resample": ["crop", "resample"],
    "flip, resample, window": ["flip", "resample", "window"],
    "all six": ["flip", "crop", "resample", "window", "eight_bits", "noise"],
}
DATA = Path(os.environ.get("MEDVISION_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cohorts", nargs="+", choices=[*COHORTS])
    parser.add_argument("--planted", type=int, default=20, help="copies of each kind")
    parser.add_argument("--most", type=int, default=1000, help="originals of a cohort")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    for name in options.cohorts:
        measure(name, options)


def measure(name: str, options: argparse.Namespace) -> None:
    """Plant, search, print."""
    volumes, names, patients = COHORTS[name](options.most)
    random = np.random.default_rng(options.seed)
    plan = [
        (kind, int(source))
        for kind in KINDS
        for source in random.choice(len(volumes), options.planted, replace=options.planted > len(volumes))
    ]
    begun = time.perf_counter()
    pictures = [picture(volume) for volume in volumes]
    drawn = time.perf_counter() - begun
    pictures += [
        picture(changed_copy(volumes[source], KINDS[kind], options.seed + place))
        for place, (kind, source) in enumerate(plan)
    ]
    begun = time.perf_counter()
    found = find_lookalikes(pictures, threads=options.threads)
    searched = time.perf_counter() - begun
    pairs = {(pair.first, pair.second): pair for pair in found.pairs}
    print(
        f"\n{name}: {len(volumes)} originals and {len(plan)} copies; "
        f"{found.compared} of {len(pictures) * (len(pictures) - 1) // 2} pairs aligned; "
        f"pictures {1e3 * drawn / len(volumes):.0f} ms a case, search {searched:.0f} s; "
        f"threshold {found.threshold:.3f}",
        flush=True,
    )
    for kind in KINDS:
        hits = [
            (source, len(volumes) + place) in pairs
            for place, (other, source) in enumerate(plan)
            if other == kind
        ]
        print(f"  {kind:24} found {sum(hits):3} of {len(hits)}  recall {np.mean(hits):.3f}")
    owner = [*range(len(volumes)), *(source for _, source in plan)]
    among = sorted({tuple(sorted((owner[a], owner[b]))) for a, b in pairs if owner[a] != owner[b]})
    report_false(among, volumes, names, patients, pairs)


def report_false(among, volumes, names, patients, pairs) -> None:
    """Say which pairs of different originals were found."""
    true, same, false = [], [], []
    for a, b in among:
        kind = (
            true
            if correlation(volumes[a], volumes[b]) >= 0.95
            else same
            if patients[a] == patients[b]
            else false
        )
        kind.append(
            f"{names[a]} and {names[b]}" + (f" {pairs[a, b].similarity:.3f}" if (a, b) in pairs else "")
        )
    print(f"  pairs of originals that repeat one another: {len(true)} {', '.join(true[:4])}")
    print(f"  pairs of originals of one patient: {len(same)} {', '.join(same[:4])}")
    rate = 1000 * len(false) / len(volumes)
    print(f"  false pairs: {len(false)}, {rate:.2f} in 1,000 cases {', '.join(false[:8])}", flush=True)


def correlation(first, second) -> float:
    """The highest plain correlation of the middle of one with any place of the other, mirrored or not."""
    best = 0.0
    for one, other in ((first, second), (second, first)):
        middle = one[tuple(slice(int(0.2 * n), max(int(0.8 * n), 1)) for n in one.shape)].astype(np.float64)
        if any(m > n for m, n in zip(middle.shape, other.shape, strict=True)):
            continue
        for flips in product((False, True), repeat=3):
            turned = np.flip(other, [axis for axis, flip in enumerate(flips) if flip]).astype(np.float64)
            best = max(best, float(normalised_correlation(turned, middle).max()))
    return best


def normalised_correlation(image, template):
    """Correlation of a template with every place of an image where it fits."""
    template = template - template.mean()
    ones = np.ones_like(template)
    cross = correlate(image, template, mode="valid")
    sums, squares = (correlate(each, ones, mode="valid") for each in (image, image**2))
    spread = np.sqrt(np.maximum(squares - sums**2 / template.size, 1e-6)) * np.linalg.norm(template)
    return cross / np.maximum(spread, 1e-6)


def phantoms(most: int):
    """Half chests, half brains."""
    half = most // 2
    chests = [
        thorax_phantom(seed, shape=(72, 72, 24), spacing_mm=(2.1, 2.1, 3.3)).array for seed in range(half)
    ]
    brains = [brain_phantom(seed, shape=(36, 44, 36)).array for seed in range(most - half)]
    names = [f"chest {n}" for n in range(half)] + [f"brain {n}" for n in range(most - half)]
    return chests + brains, names, names


def folder(path: str):
    """NIfTI files; the patient is the first part of the name."""

    def load(most: int):
        files = sorted((DATA / path).glob("*.nii.gz"))[:most]
        names = [file.name.removesuffix(".nii.gz") for file in files]
        return (
            [reorient(load_volume(f), "RAS").array for f in files],
            names,
            [n.split("_R_")[0] for n in names],
        )

    return load


def medmnist(name: str):
    """The official arrays, all three parts."""

    def load(most: int):
        with np.load(DATA / name / f"{name}.npz") as arrays:
            parts = {part: arrays[f"{part}_images"] for part in ("test", "val", "train")}
        volumes = [each[..., None] if each.ndim == 2 else each for p in parts.values() for each in p]
        names = [f"{part} {n}" for part, p in parts.items() for n in range(len(p))]
        return volumes[:most], names[:most], names[:most]

    return load


COHORTS = {
    "phantoms": phantoms,
    "hippocampus": folder("hippocampus/imagesTr"),
    "lidc_nodules": folder("lidc_nodules/images"),
    "adrenal": medmnist("adrenalmnist3d"),
    "breast": medmnist("breastmnist"),
}

if __name__ == "__main__":
    main()
