"""What the estimates of each way of splitting are, and what they are called, on made-up scores."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from medvision.cohort import hash_splits, make_splits, site_splits, time_splits
from medvision.config import load_study
from medvision.workflows.classification_results import classification_results
from medvision.workflows.design import design_of
from medvision.workflows.locked_results import locked_results

STUDY = """name: made_up
cohort: {kind: manifest, path: cohort.csv, covariates: [size]}
task: {kind: classification, label: label, unit: scan}
preprocessing: {crop: {kind: center, size_voxels: [32, 32, 32]}}
model: {kind: resnet}
comparators: [{name: size, covariates: [size]}]
"""


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return load_study(path)


@pytest.fixture
def cohort():
    rng = np.random.default_rng(0)
    n = 120
    return pd.DataFrame(
        {
            "case_id": [f"c{i:03d}" for i in range(n)],
            "patient_id": [f"p{i:03d}" for i in range(n)],
            "label": np.arange(n) % 3 % 2,
            "site": rng.choice(list("ABC"), n, p=[0.6, 0.3, 0.1]),
            "year": 2010 + np.arange(n) // 20,
        }
    )


def scored(cohort, splits):
    rng = np.random.default_rng(1)
    rows = cohort.set_index("case_id", drop=False)
    parts = [rows.loc[list(p.test)].assign(repeat=p.repeat, fold=p.fold) for p in splits.parts]
    table = pd.concat(parts, ignore_index=True)
    for suffix, strength in (("", 1.0), ("_size", 0.5)):
        table[f"score{suffix}"] = rng.normal(size=len(table)) + strength * table["label"]
        table[f"threshold{suffix}"] = 0.5
        table[f"prediction{suffix}"] = (table[f"score{suffix}"] >= 0.5).astype(int)
    return table


def one(rows, **wanted):
    (found,) = [row for row in rows if all(row.get(key) == value for key, value in wanted.items())]
    return found


@pytest.mark.parametrize(
    ("make", "averaged", "pooled", "method"),
    [
        (lambda t: make_splits(t, folds=4, seed=1), "fold-averaged", "pooled out-of-fold", "LeDell"),
        (lambda t: hash_splits(t, folds=4, seed=1), "fold-averaged", "pooled out-of-fold", "mean over parts"),
        (lambda t: site_splits(t, column="site"), "site-averaged", "pooled over sites", "mean over parts"),
        (
            lambda t: time_splits(t, column="year", windows=3),
            "window-averaged",
            "pooled over windows",
            "mean over parts",
        ),
    ],
)
def test_several_parts_are_averaged_and_pooled_under_their_own_names(
    study, cohort, make, averaged, pooled, method
):
    splits = make(cohort)
    table = scored(cohort, splits)
    found = classification_results(study, table, splits)
    areas = [roc_auc_score(rows["label"], rows["score"]) for _, rows in table.groupby("fold")]
    mean = one(found["estimates"], model="image", metric="auroc", aggregation=averaged)
    assert mean["value"] == pytest.approx(np.mean(areas))
    assert method in mean["method"]
    together = one(found["estimates"], model="image", metric="auroc", aggregation=pooled)
    assert together["value"] == pytest.approx(roc_auc_score(table["label"], table["score"]))
    called = one(found["estimates"], model="image", metric="sensitivity", aggregation=pooled)
    assert called["value"] == pytest.approx(table.loc[table["label"] == 1, "prediction"].mean())
    assert found["comparisons"][0]["aggregation"] == averaged
    assert found["comparisons"][0]["difference"]["value"] == pytest.approx(
        mean["value"] - one(found["estimates"], model="size", metric="auroc", aggregation=averaged)["value"]
    )
    names = {row["aggregation"] for row in found["estimates"]}
    assert names == {averaged, pooled, f"per {design_of(splits).part}"}
    assert any(f"the {averaged} AUC" in note for note in found["notes"])


def test_the_k_fold_says_how_much_its_models_learned_from_and_others_the_range(study, cohort):
    splits = make_splits(cohort, folds=4, seed=1)
    notes = classification_results(study, scored(cohort, splits), splits)["notes"]
    assert any("trained on 75% of the cases" in note for note in notes)
    splits = time_splits(cohort, column="year", windows=2)
    notes = classification_results(study, scored(cohort, splits), splits)["notes"]
    assert any("learned from 33% to 67% of the cases" in note for note in notes)
    assert notes[0].startswith("80 scans of 80 patients tested; patients never cross windows")


def test_one_part_has_plain_estimates_of_that_part_only(study, cohort):
    splits = time_splits(cohort, column="year", test_from=2014)
    found = classification_results(study, scored(cohort, splits), splits)
    assert {row["aggregation"] for row in found["estimates"]} == {"held-out test part"}
    assert all(row["fold"] is None for row in found["estimates"])
    assert found["comparisons"][0]["method"].startswith("paired Obuchowski")
    assert "never in both" in found["notes"][0]


def test_repeats_count_patients_once(study, cohort):
    splits = make_splits(cohort, folds=3, repeats=2, seed=1)
    found = classification_results(study, scored(cohort, splits), splits)
    assert all(row["n_units"] <= 120 for row in found["estimates"])


def test_a_locked_test_set_is_never_mixed_with_the_rest(study, cohort):
    part = SimpleNamespace(parts=make_splits(cohort, folds=2, seed=1).parts[:1])
    table = scored(cohort, part).drop(columns=["repeat", "fold"])
    found = locked_results(study, table, [{"opened": "2026-01-01"}])
    assert {row["aggregation"] for row in found["estimates"]} == {"locked test set"}
    area = one(found["estimates"], model="size", metric="auroc")
    assert area["value"] == pytest.approx(roc_auc_score(table["label"], table["score_size"]))
    assert found["confusion"]["image"]["tp"] == int(
        ((table["label"] == 1) & (table["prediction"] == 1)).sum()
    )
    assert "opened 1 time in this run folder" in found["notes"]
    again = locked_results(study, table, [{}, {}])
    assert any("opened 2 times" in note and "no longer unseen" in note for note in again["notes"])
