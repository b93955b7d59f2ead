"""Where the time of a training step goes, on a real study.

    python benchmarks/training_step.py experiments/hippocampus/study.yaml --steps 30

Prints the median time of a step, the share of it that is not forward, backward or optimiser (reading,
augmenting), the cases a second, and the peak memory of the process. Both halves are measured in one run.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from pathlib import Path

import torch

from medvision.training.data import EpochSampler, loader
from medvision.training.device import choose_device, choose_precision
from medvision.workflows.cases import hash_inputs
from medvision.workflows.fitted import prepare_folds
from medvision.workflows.members import Network, inner_parts, module_of, training_set
from medvision.workflows.opened import open_study
from medvision.workflows.progress import display


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", type=Path)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()

    opened = open_study(options.study)
    study, part = opened.study, opened.splits.parts[0]
    with display() as shown:
        prepared = prepare_folds(opened, hash_inputs(opened.development, shown), shown, [part])
    cases = prepared[part.repeat, part.fold].cases
    train = opened.cohort.select(part.train)
    inner = inner_parts(study, train, ("benchmark",))[0]
    dataset = training_set(study, train, [cases[case_id] for case_id in part.train], inner)
    device = choose_device(options.device)
    module = module_of(Network(study), dataset, ("benchmark",)).to(device)
    optimizer = module.configure_optimizers()["optimizer"]
    size = study.training.batch_size
    sampler = EpochSampler(len(dataset), (options.steps + 3) * size, seed=study.seed, purpose=("benchmark",))
    bfloat16 = choose_precision(study.training.precision, device) == "bf16-mixed"

    whole, learning = [], []
    batches = iter(loader(dataset, sampler, batch_size=size, workers=study.training.workers))
    while True:
        begun = time.perf_counter()
        batch = next(batches, None)
        if batch is None:
            break
        batch = {name: value.to(device) for name, value in batch.items()}
        images, masks = module.augmenter(batch["image"], batch.get("mask"), generator=module.draws)
        ready = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            logits = module.network(images)
        target = batch["label"].float() if masks is None else masks.long()
        loss = module.loss(logits[:, 0] if masks is None else logits, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        float(loss.detach())
        end = time.perf_counter()
        whole.append(end - begun)
        learning.append(end - ready)

    step, learned = statistics.median(whole[3:]), statistics.median(learning[3:])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{study.name}: {1000 * step:.0f} ms a step of {size} cases, {size / step:.1f} cases/s")
    print(f"share of the step that is not forward, backward or optimiser: {1 - learned / step:.1%}")
    print(f"peak memory {peak:.2f} GiB, {torch.get_num_threads()} threads, {len(whole) - 3} steps")


if __name__ == "__main__":
    main()
