"""What resampling leaves of sheets and tubes of one or two voxels: the table of docs/preprocessing.md.

    python benchmarks/thin_structures.py --draws 40

Each structure lies at a random place and angle in a scan of 1 mm voxels. Printed are the volume that is left
and the connected parts that it falls into (median over the draws, and the worst draw), and how often nothing
is left.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import Spacing
from scipy import ndimage

from medvision.transforms.labels import ResampleLabelsd

SIDE = 40


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=40)
    options = parser.parse_args()
    print("| structure | to | nearest: volume, parts, gone | linear: volume, parts, gone |")
    print("|---|---|---|---|")
    for kind in ("sheet", "tube"):
        for thick in (1.0, 2.0):
            for spacing in (0.5, 1.5, 2.0, 3.0):
                cells = [measured(kind, thick, spacing, way, options.draws) for way in ("nearest", "linear")]
                print(f"| {kind}, {thick:g} mm | {spacing:g} mm | {cells[0]} | {cells[1]} |")


def measured(kind: str, thick: float, spacing: float, way: str, draws: int) -> str:
    rng = np.random.default_rng(2026)
    left, parts = [], []
    for _ in range(draws):
        mask = structure(kind, thick, rng)
        after = resampled(mask, spacing, way)
        left.append(after.sum() * spacing**3 / mask.sum())
        parts.append(ndimage.label(after, np.ones((3, 3, 3)))[1])
    gone = np.mean(np.array(left) == 0)
    volume = f"{np.median(left):.0%} ({min(left):.0%} to {max(left):.0%})"
    return f"{volume}, {np.median(parts):.0f} ({max(parts)}), {gone:.0%}"


def structure(kind: str, thick: float, rng: np.random.Generator) -> np.ndarray:
    """A disc or a straight tube, 24 mm across or long, about the middle of the scan."""
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    grid = np.stack(np.meshgrid(*[np.arange(SIDE)] * 3, indexing="ij"), -1) - (SIDE - 1) / 2
    grid = grid - rng.uniform(-1, 1, 3)
    along = grid @ axis
    across = np.sqrt(np.maximum((grid**2).sum(-1) - along**2, 0))
    if kind == "sheet":
        return (np.abs(along) <= thick / 2) & (across <= 12)
    # A tube of radius 0.5 would miss most voxel centres; half a diagonal keeps it connected.
    return (across <= thick / 2 + 0.2) & (np.abs(along) <= 12)


def resampled(mask: np.ndarray, spacing: float, way: str) -> np.ndarray:
    tensor = MetaTensor(torch.from_numpy(mask[None].astype(np.float32)), affine=torch.eye(4))
    size = (spacing,) * 3
    if way == "linear":
        done = ResampleLabelsd(("mask",), spacing_mm=size)({"mask": tensor})["mask"]
    else:
        done = Spacing(size, mode="nearest", padding_mode="border")(tensor)
    return np.asarray(done)[0] > 0


if __name__ == "__main__":
    main()
