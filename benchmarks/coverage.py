"""How often 95% intervals cover the truth, and how often tests claim a difference that is not there.

    python benchmarks/coverage.py > coverage.md
    python benchmarks/coverage.py --draws 200 --only "Cross-validated"

Samples are drawn from models whose truth is known, and every method is tried on each: those of medvision,
and in italics what would otherwise be run. Prints Markdown: the share of intervals that cover with its Monte
Carlo error, their mean width, the share of draws whose status is not ok, and a verdict. Settings are in
``coverage_shares.py``, ``coverage_areas.py`` and ``coverage_studies.py``; each has a random stream of its
own, so that ``--only`` gives the same rows as a full run. Coverage of single proportions is added up over all
counts and has no Monte Carlo error. The package confidenceinterval is compared where it is installed.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy looks

import argparse
import time
import warnings
from itertools import groupby

import coverage_areas
import coverage_shares
import coverage_studies
from coverage_table import simulated, table
from rich.console import Console
from rich.progress import Progress


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=10_000, help="at most, for each setting")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--only", nargs="+", default=[""], help="settings that have one of these texts")
    wanted = parser.parse_args()
    started = time.process_time()
    if any(text in "Single proportions" for text in wanted.only):
        print(f"### Single proportions\n\n{coverage_shares.exact_table()}\n", flush=True)
    chosen = [
        setting
        for module in (coverage_shares, coverage_areas, coverage_studies)
        for setting in module.settings()
        if any(text in f"{setting.section}: {setting.name}" for text in wanted.only)
    ]
    order = list(dict.fromkeys(setting.section for setting in chosen))
    chosen.sort(key=lambda setting: order.index(setting.section))
    with Progress(console=Console(stderr=True)) as progress, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other packages, about single samples
        bar = progress.add_task("", total=sum(min(wanted.draws, setting.draws) for setting in chosen))

        def tick(name: str, steps: int) -> None:
            progress.update(bar, advance=steps, description=name)

        for section, settings in groupby(chosen, key=lambda setting: setting.section):
            rows = list(simulated(settings, wanted.draws, wanted.seed, tick))
            print(f"### {section}\n\n{table(rows)}\n", flush=True)
    print(f"Seed {wanted.seed}, {(time.process_time() - started) / 60:.0f} minutes of one core.")


if __name__ == "__main__":
    main()
