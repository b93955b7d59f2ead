"""Masks of several models on the same cases."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from medvision.cli import main
from medvision.errors import EvaluationError, GeometryError
from medvision.evaluation import compare_segmentation
from medvision.workflows.compare_masks import compare_masks
from medvision.workflows.evaluate import evaluate_masks
from medvision.workflows.evaluation_tables import comparison_tables

LABELS = {"head": 1, "tail": 2}


def save(path: Path, mask: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True, parents=True)
    nib.save(nib.Nifti1Image(mask.astype(np.uint8), np.diag([1.0, 1.0, 2.0, 1.0])), path)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Path:
    """Twelve cases; the tail is absent from two, and one model outlines it in one of these all the same."""
    root, rng = tmp_path_factory.mktemp("masks"), np.random.default_rng(0)
    for number in range(12):
        mask = np.zeros((14, 12, 10), dtype=np.uint8)
        mask[2:7, 2:7, 2:7] = 1
        if number < 10:
            mask[8:12, 8:11, 6:9] = 2
        save(root / "reference" / f"c{number:02}.nii.gz", mask)
        for model, most in (("new", 2), ("old", 3)):
            called = np.roll(mask, rng.integers(0, most, 3), (0, 1, 2))
            if (model, number) == ("old", 11):
                called[13, 11, 9] = 2
            save(root / model / f"c{number:02}.nii.gz", called)
    return root


def compared(folders: Path, models: tuple[str, ...] = ("new", "old"), **options: object):
    return compare_masks(
        [folders / model for model in models],
        reference_dir=folders / "reference",
        labels=LABELS,
        nsd_tolerance_mm=1.0,
        **options,
    )


def scores(folders: Path, model: str, structure: str) -> pd.DataFrame:
    found = evaluate_masks(folders / "reference", folders / model, labels=LABELS, nsd_tolerance_mm=1.0)
    return found.cases.query(f"structure == '{structure}'")


def test_numbers_are_those_of_the_function(folders) -> None:
    found = compared(folders)
    new, old = (scores(folders, model, "head") for model in ("new", "old"))
    expected = compare_segmentation(new["dice"], old["dice"])
    record = next(r for r in found.comparisons if r["metric"] == "head: dice")
    assert (record["a"], record["b"]) == ("new", "old")
    assert record["difference"]["value"] == pytest.approx(expected.difference.value)
    assert record["p"] == record["p_adjusted"] == pytest.approx(expected.p)
    assert record["hodges_lehmann"]["low"] == pytest.approx(expected.hodges_lehmann.low)
    assert {r["metric"].partition(": ")[2] for r in found.comparisons} == {"dice", "nsd", "hd95_mm"}


def test_undefined_cases_are_named(folders) -> None:
    found = compared(folders)
    record = next(r for r in found.comparisons if r["metric"] == "tail: dice")
    assert record["undefined"] == ["c10", "c11"]
    assert record["undefined_in_one"] == ["c11"]
    assert record["difference"]["n_units"] == 10
    assert any("tail: dice: 2 cases undefined: c10, c11" in note for note in found.notes)
    assert any("the difference does not show: c11" in note for note in found.notes)


def test_the_mean_of_structures_is_over_those_that_both_have(folders) -> None:
    found = compared(folders)
    both = [
        np.array([scores(folders, model, name)["dice"] for name in LABELS], dtype=float)
        for model in ("new", "old")
    ]
    both[0][np.isnan(both[1])] = both[1][np.isnan(both[0])] = np.nan
    expected = np.nanmean(both[0], axis=0) - np.nanmean(both[1], axis=0)
    record = next(r for r in found.comparisons if r["metric"] == "mean of structures: dice")
    assert record["difference"]["value"] == pytest.approx(expected.mean())


def test_patients_lesions_and_several_models(folders) -> None:
    patients = {f"c{number:02}": f"P{number // 2}" for number in range(12)}
    found = compared(folders, ("new", "old", "reference"), patients=patients, lesions={})
    assert len({(r["a"], r["b"]) for r in found.comparisons}) == 3
    record = next(r for r in found.comparisons if r["metric"] == "head: panoptic_quality")
    assert record["difference"]["n_patients"] == 6
    assert "patients' means first" in record["method"]
    assert record["p_adjusted"] >= record["p"]
    assert any("Holm's method over 3 pairs" in note for note in found.notes)
    tables = comparison_tables(found)
    assert "Hodges–Lehmann" in tables[1].columns
    assert "Method" not in tables[1].columns


def test_what_cannot_be_compared_is_refused(folders, tmp_path) -> None:
    with pytest.raises(EvaluationError, match="at least two folders"):
        compared(folders, ("new",))
    with pytest.raises(EvaluationError, match="at least two folders"):
        compared(folders, ("new", "new"))
    save(tmp_path / "other" / "c00.nii.gz", np.zeros((14, 12, 10)))
    with pytest.raises(EvaluationError, match="11 of 12 references"):
        compared(folders, ("new", str(tmp_path / "other")))
    for number in range(12):
        save(tmp_path / "other" / f"c{number:02}.nii.gz", np.zeros((3, 3, 3)))
    with pytest.raises(GeometryError, match="12 of 12 cases"):
        compared(folders, ("new", str(tmp_path / "other")))


def test_folders_of_one_name_are_told_apart(folders, tmp_path) -> None:
    for path in (folders / "old").iterdir():
        save(tmp_path / "v2" / "new" / path.name, np.asarray(nib.load(path).dataobj))
    found = compared(folders, ("new", str(tmp_path / "v2" / "new")))
    assert {r["b"] for r in found.comparisons} == {"v2/new"}


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return int(left.value.code)


def test_the_command_line(folders, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("medvision.interrupt.stop_on_interrupt", lambda advice: None)
    words = ["compare", folders / "new", folders / "old", "--reference", folders / "reference"]
    labels = ["--labels", "1:head,2:tail"]
    assert run(*words, *labels, "--quiet", "--json", "--out", tmp_path / "out") == 0
    content = json.loads(capsys.readouterr().out)
    assert content["comparisons"][0]["metric"] == "head: dice"
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == content
    assert "head: Dice" in (tmp_path / "out" / "comparison.csv").read_text()
    assert run(*words, *labels, "--patient", "p", "--quiet") == 2
    assert "--patient is said of tables" in capsys.readouterr().err
    assert run("compare", "a.csv", "b.csv", "--lesions") == 2
    assert "--lesions is said of masks" in capsys.readouterr().err


def test_a_dagger_is_explained_and_every_folder_is_looked_at_first(folders: Path, monkeypatch) -> None:
    few = compared(folders)
    few_table = comparison_tables(few)[0]
    marked = any("†" in cell for row in few_table.rows for cell in row)
    assert marked == any(note.startswith("†") for note in few_table.notes)
    monkeypatch.setattr("medvision.workflows.compare_masks.score_masks", lambda *_: pytest.fail("measured"))
    with pytest.raises(EvaluationError, match="is no folder"):
        compared(folders, models=("new", "nowhere"))
