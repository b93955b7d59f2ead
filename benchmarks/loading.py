"""From cache to an augmented batch: medvision against MONAI, on the same cases in the same run.

    python benchmarks/loading.py experiments/lung_nodules/study.yaml experiments/hippocampus/study.yaml

Both sides read the same preprocessed cases, change them by the same random rules (flips, one affine map,
noise, brightness, contrast, gamma) and put batches of the same size on the same device, with the same number
of threads and of worker processes. MONAI's side is what its tutorials show: a `CacheDataset` that holds every
preprocessed case in memory, dictionary transforms, its `DataLoader`. Medvision reads its cache on disk. They
take turns, and each prints its best round, so that a busy machine harms both alike.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from monai.data import CacheDataset, DataLoader
from monai.transforms import (
    Compose,
    RandAdjustContrastd,
    RandAffined,
    RandFlipd,
    RandGaussianNoised,
    RandScaleIntensityFixedMeand,
    RandShiftIntensityd,
    RandSpatialCropd,
    SpatialPadd,
    Transform,
)

from medvision.cohort import Case
from medvision.config import Study
from medvision.reporting.tables.table import Table
from medvision.reporting.terminal import table_text
from medvision.training.data import CaseDataset, EpochSampler, loader
from medvision.training.device import choose_device
from medvision.training.seeds import generator
from medvision.transforms.augment import Augmenter
from medvision.transforms.preprocess import preprocessing_transforms
from medvision.workflows.cases import hash_inputs
from medvision.workflows.fitted import prepare_folds
from medvision.workflows.members import inner_parts, training_set
from medvision.workflows.opened import OpenedStudy, open_study
from medvision.workflows.progress import display


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("studies", type=Path, nargs="+")
    parser.add_argument("--cases", type=int, default=96, help="cases of each study")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    device = choose_device(options.device)
    rows: list[tuple[str, ...]] = []
    for path in options.studies:
        rows += compare(open_study(path), options.cases, options.rounds, options.workers, device)
    columns = ("Study", "Batch", "Workers", "MONAI, cases/s", "medvision, cases/s", "Ratio")
    note = f"Best of {options.rounds} rounds in turns, {options.threads} threads, {device}."
    print(table_text(Table("loading", "From cache to augmented batch", columns, tuple(rows), (note,)), 110))


def compare(
    opened: OpenedStudy, count: int, rounds: int, workers: Sequence[int], device: torch.device
) -> list[tuple[str, ...]]:
    """Measure both sides of one study, a row for each number of workers."""
    study, part = opened.study, opened.splits.parts[0]
    with display() as shown:
        prepared = prepare_folds(opened, hash_inputs(opened.development, shown), shown, [part])
    train = opened.cohort.select(part.train)
    inner = inner_parts(study, train, ("benchmark",))[0]
    inner = type(inner)(inner.train[:count], inner.validation)
    cases = [prepared[part.repeat, part.fold].cases[case_id] for case_id in part.train]
    ours = training_set(study, train, cases, inner)
    listed = list(train)
    theirs = CacheDataset(
        records(study, [listed[i] for i in inner.train]), monai_transforms(study), progress=False
    )
    size = study.training.batch_size
    batch = f"{size} × {'×'.join(map(str, next(iter(medvision_batches(study, ours, 0, device))).shape[2:]))}"
    rows = []
    for number in workers:
        best = {"monai": 0.0, "medvision": 0.0}
        for _ in range(rounds):
            for name, batches in (
                ("monai", monai_batches(study, theirs, number, device)),
                ("medvision", medvision_batches(study, ours, number, device)),
            ):
                best[name] = max(best[name], cases_per_second(batches, device))
        monai, medvision = best["monai"], best["medvision"]
        rows.append(
            (study.name, batch, str(number), f"{monai:.0f}", f"{medvision:.0f}", f"{medvision / monai:.1f}×")
        )
    return rows


def cases_per_second(batches: Iterator[torch.Tensor], device: torch.device) -> float:
    """Pass over all batches; the first one starts worker processes and is not counted."""
    next(batches)
    begun, seen = time.perf_counter(), 0
    for images in batches:
        seen += len(images)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return seen / (time.perf_counter() - begun)


def medvision_batches(
    study: Study, dataset: CaseDataset, workers: int, device: torch.device
) -> Iterator[torch.Tensor]:
    sampler = EpochSampler(len(dataset), 2 * len(dataset), seed=study.seed, purpose=("benchmark",))
    augmenter, draws = Augmenter(study.augmentation), generator(study.seed, "benchmark")
    for batch in loader(dataset, sampler, batch_size=study.training.batch_size, workers=workers):
        on_device = {name: value.to(device, non_blocking=True) for name, value in batch.items()}
        images, _ = augmenter(on_device["image"], on_device.get("mask"), generator=draws)
        yield images


def monai_batches(
    study: Study, dataset: CacheDataset, workers: int, device: torch.device
) -> Iterator[torch.Tensor]:
    batches = DataLoader(
        dataset, batch_size=study.training.batch_size, shuffle=True, drop_last=True, num_workers=workers,
        persistent_workers=workers > 0,
    )  # fmt: skip
    for _ in range(2):
        for batch in batches:
            on_device = {name: value.to(device, non_blocking=True) for name, value in batch.items()}
            yield on_device["image"]


def records(study: Study, cases: Sequence[Case]) -> list[dict[str, object]]:
    wanted = {"segmentation": ("image", "mask"), "classification": ("image", "label")}[study.task.kind]
    if study.preprocessing.crops_around_mask:
        wanted = ("image", "mask", "label")
    return [
        {name: value if isinstance(value := getattr(case, name), int) else str(value) for name in wanted}
        for case in cases
    ]


def monai_transforms(study: Study) -> Compose:
    """The study's steps as MONAI's dictionary transforms: preprocessing, then chance."""
    settings = study.augmentation
    masks = study.task.kind == "segmentation"
    keys = ("image", "mask") if masks else ("image",)
    often = settings.probability
    steps: list[Transform] = list(
        preprocessing_transforms(
            study.preprocessing, with_mask=masks or study.preprocessing.crops_around_mask
        ).transforms
    )
    patch = study.training.patch_voxels
    if patch is not None:
        steps += [SpatialPadd(keys, patch), RandSpatialCropd(keys, patch, random_size=False)]
    steps += [RandFlipd(keys, prob=0.5, spatial_axis=axis) for axis in settings.flip_axes]
    if any(settings.rotate_deg) or settings.scale or settings.translate_voxels:
        steps.append(
            RandAffined(
                keys, prob=often, rotate_range=np.deg2rad(settings.rotate_deg).tolist(),
                scale_range=[settings.scale] * 3, translate_range=[settings.translate_voxels] * 3,
                mode=("bilinear", "nearest")[: len(keys)], padding_mode="border",
            )
        )  # fmt: skip
    if settings.contrast:
        steps.append(
            RandScaleIntensityFixedMeand("image", prob=often, factors=settings.contrast, preserve_range=False)
        )
    if settings.brightness:
        steps.append(RandShiftIntensityd("image", offsets=settings.brightness, prob=often))
    if settings.gamma:
        steps.append(RandAdjustContrastd("image", prob=often, gamma=(1 - settings.gamma, 1 + settings.gamma)))
    if settings.noise_std:
        steps.append(RandGaussianNoised("image", prob=often, std=settings.noise_std))
    return Compose(steps)


if __name__ == "__main__":
    main()
