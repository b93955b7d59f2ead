"""How often the intervals of the FROC score and of the figures of merit cover the truth.

    python benchmarks/detection.py --draws 500 --patients 100

Draws studies of a detector with a simple model of search. Half of the patients have lesions, one to four
each; a lesion is marked with a chance that varies between patients, as do the scores of their lesions. A scan
has a Poisson number of false positives, whose mean varies between patients, too. The truth is the measure on
one very large study. Prints, for each measure and interval, the coverage at 95% with its Monte Carlo error,
the mean width, and how often the status was not ok; then the share of false claims of the paired tests
between two detectors that are equally good.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

from medvision.evaluation.froc_curve import compare_froc, froc
from medvision.evaluation.froc_merit import compare_froc_fom, froc_fom


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    print(f"{options.draws} draws of {options.patients} patients, seed {options.seed}")
    for name, skill in (("good", 1.5), ("excellent", 3.0)):
        coverage(name, skill, options)
    false_claims(1.5, options)


def study(rng: np.random.Generator, patients: int, skill: float, detectors: int = 1):
    """Marks of each detector, lesions and cases."""
    ill = np.arange(patients) < patients // 2
    ease = rng.normal(0, 0.5, patients)
    count = np.where(ill, rng.integers(1, 5, patients), 0)
    owner = np.repeat(np.arange(patients), count)
    lesions = pd.DataFrame({"case_id": owner})
    lesions["lesion_id"] = lesions.groupby("case_id").cumcount()
    marks = []
    for _ in range(detectors):
        seen = rng.random(len(owner)) < 1 / (1 + np.exp(-(1.2 + skill / 2 + ease[owner])))
        hits = lesions[seen].assign(score=skill + ease[owner][seen] + rng.normal(size=seen.sum()))
        alarms = np.repeat(np.arange(patients), rng.poisson(rng.gamma(2, 0.75, patients)))
        false = pd.DataFrame({"case_id": alarms, "score": rng.normal(size=len(alarms)), "lesion_id": np.nan})
        marks.append(pd.concat([hits, false], ignore_index=True))
    return marks, lesions, np.arange(patients)


def measures(marks, lesions, cases, resamples: int, seed: int):
    """Every measure with every interval, by name."""
    for interval in ("bootstrap", "jackknife"):
        how = {"cases": cases, "interval": interval, "resamples": resamples, "seed": seed}
        curve = froc(marks, lesions, **how)
        yield ("FROC score", interval), curve.score
        yield ("sensitivity at 1/8", interval), curve.sensitivity_at[0.125]
        yield ("sensitivity at 1", interval), curve.sensitivity_at[1.0]
        for fom in ("wAFROC", "AFROC", "wAFROC1", "HrAuc"):
            yield (fom, interval), froc_fom(marks, lesions, fom=fom, **how)


def coverage(name: str, skill: float, options: argparse.Namespace) -> None:
    rng = np.random.default_rng(options.seed)
    (large,), lesions, cases = study(rng, 60_000, skill)
    truth = {"FROC score": (curve := froc(large, lesions, cases=cases, resamples=2)).score.value}
    truth |= {
        f"sensitivity at {rate}": curve.sensitivity_at[x].value for rate, x in (("1/8", 0.125), ("1", 1.0))
    }
    for fom in ("wAFROC", "AFROC", "wAFROC1", "HrAuc"):
        truth[fom] = value_of(large, lesions, cases, fom)
    found: dict[tuple[str, str], list[tuple[bool, float, bool]]] = {}
    started = time.perf_counter()
    for draw in range(options.draws):
        (marks,), lesions, cases = study(rng, options.patients, skill)
        for key, estimate in measures(marks, lesions, cases, options.resamples, draw):
            inside = estimate.low <= truth[key[0]] <= estimate.high
            found.setdefault(key, []).append((inside, estimate.high - estimate.low, estimate.status != "ok"))
    print(f"\n{name} detector ({time.perf_counter() - started:.0f} s)")
    print(f"{'measure':<20}{'interval':<12}{'truth':>7}{'coverage':>10}{'± MC':>7}{'width':>7}{'not ok':>8}")
    for (measure, interval), rows in found.items():
        inside, width, flat = np.array(rows, dtype=float).mean(axis=0)
        error = np.sqrt(inside * (1 - inside) / len(rows))
        print(
            f"{measure:<20}{interval:<12}{truth[measure]:>7.3f}{inside:>10.3f}{error:>7.3f}{width:>7.3f}{flat:>8.3f}"
        )


def value_of(marks, lesions, cases, fom: str) -> float:
    """The figure of merit of a study too large for a jackknife: the mean over parts of it."""
    parts = np.array_split(np.random.default_rng(0).permutation(cases), 60)
    values = []
    for part in parts:
        own = [table[table["case_id"].isin(part)] for table in (marks, lesions)]
        values.append(froc_fom(*own, cases=part, fom=fom).value)
    return float(np.mean(values))


def false_claims(skill: float, options: argparse.Namespace) -> None:
    rng = np.random.default_rng(options.seed + 1)
    p: dict[tuple[str, str], list[float]] = {}
    for draw in range(options.draws):
        marks, lesions, cases = study(rng, options.patients, skill, detectors=2)
        for interval in ("bootstrap", "jackknife"):
            how = {"cases": cases, "interval": interval, "resamples": options.resamples, "seed": draw}
            p.setdefault(("FROC score", interval), []).append(compare_froc(*marks, lesions, **how).p)
            p.setdefault(("wAFROC", interval), []).append(compare_froc_fom(*marks, lesions, **how).p)
    print("\ntwo equally good detectors on the same scans: p < 0.05")
    for (measure, interval), values in p.items():
        share = np.mean(np.array(values) < 0.05)
        error = np.sqrt(share * (1 - share) / len(values))
        print(f"{measure:<20}{interval:<12}{share:>7.3f} ± {error:.3f}")


if __name__ == "__main__":
    main()
