"""The bootstrap beside a loop over scikit-learn's metrics on the same resamples; DeLong at a million cases.

    python benchmarks/bootstrap.py
    python benchmarks/bootstrap.py --large 200000 --resamples 500

1,000 cases, 30% positive: AUC, sensitivity and specificity of every resample, one thread. Both compute the
same replicates, which must agree to 1e-12. Then memory of the bootstrap, and time of DeLong's interval, on
many cases.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy looks

import argparse
import resource
import time

import numpy as np
from sklearn.metrics import recall_score, roc_auc_score

from medvision.evaluation import auroc, bootstrap
from medvision.evaluation.resampling import patient_draws

METRICS = ["auroc", "sensitivity", "specificity"]


def cases(n: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.3).astype(int)
    score = rng.normal(size=n) + 1.2 * label
    return {"label": label, "score": score, "prediction": (score > 0.6).astype(int)}


def by_scikit_learn(table: dict[str, np.ndarray], resamples: int, seed: int) -> np.ndarray:
    """The same draws: the order of rows and the strata are those of the bootstrap."""
    order = np.lexsort(list(table.values()))
    label, score, call = (table[name][order] for name in ("label", "score", "prediction"))
    found = []
    for block in patient_draws(label, resamples, seed):
        for counts in block.astype(int):
            rows = np.repeat(np.arange(len(label)), counts)
            y, s, c = label[rows], score[rows], call[rows]
            found.append((roc_auc_score(y, s), recall_score(y, c), recall_score(y, c, pos_label=0)))
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--large", type=int, default=1_000_000)
    wanted = parser.parse_args()
    table = cases(1000)
    fast = []
    for _ in range(5):
        start = time.process_time()
        found = bootstrap(METRICS, table, patients=None, resamples=wanted.resamples, seed=1)
        fast.append(time.process_time() - start)
    start = time.process_time()
    expected = by_scikit_learn(table, wanted.resamples, 1)
    slow = time.process_time() - start
    off = max(float(np.abs(found[m].replicates - expected[:, k]).max()) for k, m in enumerate(METRICS))
    print(
        f"{wanted.resamples} resamples of 1000 cases: scikit-learn {slow:.2f} s, medvision {min(fast):.3f} s"
    )
    print(f"ratio {slow / min(fast):.0f}×, largest difference of a replicate {off:.1e}")
    big = cases(wanted.large)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.process_time()
    bootstrap(METRICS, big, patients=None, resamples=50, seed=1)
    spent = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"50 resamples of {wanted.large} cases: {spent:.1f} s, {peak - before:.0f} MiB more")
    start = time.process_time()
    area = auroc(big["label"], big["score"])
    print(f"DeLong at {wanted.large} cases: {time.process_time() - start:.2f} s, AUC {area}")


if __name__ == "__main__":
    main()
