"""The FROC curve of weighted patients."""

from __future__ import annotations

import numpy as np
import pandas as pd

from medvision.evaluation.detections import detections
from medvision.evaluation.froc_points import FrocPoints, left_out


def test_a_weight_is_so_many_copies(study) -> None:
    marks, lesions, cases = study(13, cases=8)
    times = dict(zip(sorted(cases), [0, 2, 1, 3, 1, 0, 1, 2], strict=True))
    weighted = FrocPoints(detections(marks, lesions, cases=cases))
    copies = [
        [t[t["case_id"] == case].assign(case_id=f"{case}-{copy}") for t in (marks, lesions)]
        for case, number in times.items()
        for copy in range(number)
    ]
    names = [f"{case}-{copy}" for case, number in times.items() for copy in range(number)]
    repeated = FrocPoints(detections(*(pd.concat(part) for part in zip(*copies, strict=True)), cases=names))
    counts, rates = np.array([list(times.values())], dtype=float), np.array([0.2, 0.5, 1.0])
    for how in ("linear", "step"):
        here, there = weighted.read(counts, rates, how), repeated.read(np.ones((1, len(names))), rates, how)
        np.testing.assert_allclose(here, there, atol=1e-12)


def test_leaving_out_more_than_one_block() -> None:
    values = np.random.default_rng(0).uniform(size=120)
    np.testing.assert_allclose(left_out(lambda w: w @ values, 120), values.sum() - values)


def test_nothing_drawn_is_undefined_without_a_warning(study) -> None:
    marks, lesions, cases = study(1)
    curve = FrocPoints(detections(marks, lesions, cases=cases))
    assert np.isnan(curve.read(np.zeros((1, len(cases))), np.array([1.0]), "linear")).all()
