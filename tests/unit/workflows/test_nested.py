"""Nested cross-validation of a run: who learns from whom, what is kept, and the interval from the files."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import medvision as mv
from medvision.errors import CohortError, ConfigError
from medvision.evaluation.nested_validation import nested_cross_validation
from medvision.workflows.opened import open_study
from medvision.workflows.pair_splits import pair_splits

QUICK = [
    "training.epochs=1", "training.inner={kind: holdout, fraction: 0.4}", "split.folds=3",
    "evaluation.nested_interval=true",
]  # fmt: skip
ORGAN = ["training.epochs=1", "split.folds=3", "evaluation.nested_interval=true"]


def test_a_pair_is_tested_by_what_learned_from_neither(nodules):
    opened = open_study(nodules, [*QUICK, "split.repeats=2"])
    pairs = pair_splits(opened.study, opened.splits, opened.cohort.table)
    assert (pairs.folds, pairs.repeats, len(pairs.parts)) == (3, 2, 6)
    owner = opened.cohort.table.set_index("case_id")["patient_id"]
    for part in pairs.parts:
        assert not {owner[case] for case in part.train} & {owner[case] for case in part.test}
    everyone = sorted(opened.cohort.table["case_id"])
    assert sorted([*pairs.parts[0].train, *pairs.parts[0].test]) == everyone
    nested = open_study(
        nodules, [*QUICK[2:], "split.inner_folds=2", "training.inner={kind: holdout, fraction: 0.2}"]
    )
    divided = pair_splits(nested.study, nested.splits, nested.cohort.table)
    assert all(len(part.inner) == 2 for part in divided.parts)


def test_a_classification_has_the_interval_of_its_own_files(nodules, tmp_path):
    done = mv.run(nodules, QUICK, out=tmp_path / "run", device="cpu", quiet=True)
    rows = {row["metric"]: row for row in done.results["nested"]["estimates"]}
    outer = pd.read_parquet(done.path / "predictions.parquet")
    fold_of = outer.set_index("case_id")["fold"]
    tables = [outer.assign(left_out=outer["fold"])]
    for number, pair in enumerate([(0, 1), (0, 2), (1, 2)]):
        inner = pd.read_parquet(done.path / "nested" / "folds" / f"0-{number}" / "predictions.parquet")
        fold = inner["case_id"].map(fold_of)
        assert set(fold) == set(pair)
        tables.append(inner.assign(fold=fold, left_out=np.where(fold == pair[0], pair[1], pair[0])))
    table = pd.concat(tables)
    expected = nested_cross_validation(
        (table["score"] - table["label"]) ** 2, table["case_id"], table["fold"], table["left_out"],
        patients=table["patient_id"],
    )  # fmt: skip
    assert rows["brier"]["value"] == pytest.approx(expected.value, abs=1e-12)
    assert rows["brier"]["high"] == pytest.approx(min(expected.high, 1), abs=1e-12)
    assert 0 <= rows["accuracy"]["low"] <= rows["accuracy"]["value"] <= rows["accuracy"]["high"] <= 1
    page = (done.path / "report.html").read_text(encoding="utf-8")
    assert "Nested cross-validation" in page
    before = {path: path.stat().st_mtime_ns for path in (done.path / "nested").rglob("*.pt")}
    again = mv.run(nodules, QUICK, out=tmp_path / "run", device="cpu", quiet=True)
    assert again.results == done.results
    assert {path: path.stat().st_mtime_ns for path in (done.path / "nested").rglob("*.pt")} == before


def test_a_finished_run_may_ask_for_it_later(organ, tmp_path):
    plain = mv.run(organ, ORGAN[:2], out=tmp_path / "run", device="cpu", quiet=True)
    assert "nested" not in plain.results
    done = mv.run(organ, ORGAN, out=tmp_path / "run", device="cpu", quiet=True)
    rows = {row["structure"]: row for row in done.results["nested"]["estimates"]}
    assert set(rows) == {"anterior", "posterior"}
    assert done.results["estimates"] == plain.results["estimates"]
    assert json.loads((done.path / "results.json").read_text(encoding="utf-8"))["nested"]["notes"]


def test_it_needs_random_folds(nodules):
    with pytest.raises(ConfigError, match=r"nested_interval.*: needs split\.kind kfold with 3 folds"):
        open_study(nodules, ["evaluation.nested_interval=true"])


def test_pairs_that_cannot_learn_are_refused_before_training(nodules):
    table = pd.read_csv(nodules.parent / "cohort.csv", dtype=str)
    patients = sorted(table["patient_id"].unique())
    table["label"] = np.where(table["patient_id"].isin(patients[:3]), "malignant", "benign")
    table.to_csv(nodules.parent / "cohort.csv", index=False)
    open_study(nodules, QUICK[:-1])
    with pytest.raises(CohortError, match="leaves two folds out at once") as error:
        open_study(nodules, QUICK)
    assert "1 patient of class 1" in str(error.value)
