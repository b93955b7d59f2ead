"""A locked test set: closed until it is unlocked, and every unlock noted."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import medvision as mv
from medvision.cohort import Splits
from medvision.errors import LeakageError, RunError
from medvision.runs import RunFolder
from medvision.workflows.record import read_unlocks

SPLIT = "split={folds: 2, test: {kind: fraction, fraction: 0.34}}"
QUICK = [
    SPLIT,
    "training.epochs=1",
    "comparators=[{name: both, covariates: [diameter_mm], with_image: true}]",
]

_opened: list[str] | None = None


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if _opened is not None and event in {"open", "os.listdir", "os.scandir"} and arguments:
        _opened.append(str(arguments[0]))


@pytest.fixture
def opened_files():
    """Every path that Python opens or lists while the test runs."""
    global _opened
    if not getattr(sys, "_listens_for_opened_files", False):
        sys.addaudithook(_listen)  # it cannot be taken away again, so there is one for all tests
        sys._listens_for_opened_files = True
    _opened = []
    yield _opened
    _opened = None


def start(study, out, *overrides, **options):
    return mv.run(study, [*QUICK, *overrides], out=out, device="cpu", quiet=True, **options)


def locked_files(study):
    opened = mv.check(study, QUICK).opened
    return [path for case in opened.locked for path in (case.image, case.mask)]


def spoil(paths, keep: Path):
    """Replace the content of files, and of all files of folders, by bytes that nothing can read."""
    for place, path in enumerate(dict.fromkeys(paths)):
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        for number, file in enumerate(files):
            target = keep / f"{place}-{number}"
            shutil.copy(file, target)
            file.write_bytes(b"locked")


def restore(paths, keep: Path):
    for place, path in enumerate(dict.fromkeys(paths)):
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        for number, file in enumerate(files):
            shutil.copy(keep / f"{place}-{number}", file)


def test_a_locked_test_set_is_never_opened_until_it_is_unlocked_and_every_unlock_stays(
    nodules, tmp_path, opened_files
):
    out, keep = tmp_path / "run", tmp_path / "keep"
    keep.mkdir()
    files = locked_files(nodules)
    spoil(files, keep)

    # Closed: neither check nor run opens or lists a locked file, whose content nothing could read.
    opened_files.clear()
    mv.check(nodules, QUICK, deep=True, device="cpu")
    closed = start(nodules, out)
    touched = [path for path in opened_files if any(path.startswith(str(file)) for file in files)]
    assert touched == []
    assert len(opened_files) > 100
    splits = Splits.from_json((out / "splits.json").read_text())
    assert splits.locked
    assert json.loads((out / "splits.json").read_text())["locked_test"]["sha256"] == splits.locked_sha256
    record = json.loads((out / "record.json").read_text())
    assert not set(map(str, files)) & set(record["inputs"])
    assert "unlocks" not in record
    assert "locked_test" not in closed.results
    assert "not opened" in closed.report.read_text(encoding="utf-8")
    predicted = pd.read_parquet(out / "predictions.parquet")
    assert not set(predicted["case_id"]) & set(splits.locked)
    development = {key: closed.results[key] for key in ("estimates", "confusion", "comparisons")}

    # An unlock is noted before the files are read: these cannot be, and the note is there.
    with pytest.raises(mv.MedvisionError):
        start(nodules, out, unlock_test=True)
    assert len(read_unlocks(RunFolder(out))) == 1
    restore(files, keep)

    # Unlocked: predicted by what `predict` would apply to new scans, and shown apart.
    unlocked = start(nodules, out, unlock_test=True)
    section = unlocked.results["locked_test"]
    assert {key: unlocked.results[key] for key in development} == development
    table = pd.read_parquet(out / "locked_test" / "predictions.parquet")
    assert sorted(table["case_id"]) == list(splits.locked)
    (area,) = [row for row in section["estimates"] if (row["model"], row["metric"]) == ("image", "auroc")]
    assert area["value"] == pytest.approx(roc_auc_score(table["label"], table["score"]))
    assert {row["aggregation"] for row in section["estimates"]} == {"locked test set"}
    assert section["comparisons"][0]["aggregation"] == "locked test set"
    thresholds = [
        json.loads((out / "folds" / f"0-{fold}" / "threshold.json").read_text())["models"] for fold in (0, 1)
    ]
    for model, suffix in (("image", ""), ("both", "_both")):
        mean = np.mean([fold[model]["threshold"] for fold in thresholds])
        assert table[f"threshold{suffix}"].to_numpy() == pytest.approx(mean)
        calls = (table[f"score{suffix}"] >= table[f"threshold{suffix}"]).astype(int)
        assert (table[f"prediction{suffix}"] == calls).all()
    cohort = pd.read_csv(nodules.parent / "cohort.csv", dtype=str)
    scans = cohort[cohort["case_id"].isin(splits.locked)]
    scans.to_csv(nodules.parent / "new.csv", index=False)
    again = mv.predict(out, nodules.parent / "new.csv", out=tmp_path / "predicted", device="cpu")
    both = table.merge(again, on="case_id", suffixes=("", "_again"))
    assert len(both) == len(table)
    np.testing.assert_allclose(both["score"], both["score_again"], atol=1e-5)
    np.testing.assert_allclose(both["threshold"], both["threshold_again"])

    # Nothing is opened again, with the flag or without it.
    for flag in (True, False):
        assert start(nodules, out, unlock_test=flag).results["locked_test"] == section
    record = json.loads((out / "record.json").read_text())
    assert [unlock["study_sha256"] for unlock in record["unlocks"]] == [record["study_sha256"]] * 2
    assert record["unlocks"][0]["opened"] <= record["unlocks"][1]["opened"]
    assert record["unlocks"][0]["test_sha256"] == splits.locked_sha256
    assert set(record["locked_inputs"]) == set(map(str, files))

    # A changed study may unlock again, and everybody sees that it did.
    changed = start(nodules, out, "training.epochs=2", fresh=True, unlock_test=True)
    record = json.loads((out / "record.json").read_text())
    assert len(record["unlocks"]) == 3
    assert len({unlock["study_sha256"] for unlock in record["unlocks"]}) == 2
    page = changed.report.read_text(encoding="utf-8")
    assert "for the 3rd time in this run folder" in page
    assert "no longer unseen" in page
    assert "for the 3rd time" in mv.report(out).read_text(encoding="utf-8")
    assert "Locked test set" in (out / "tables" / "balance.csv").read_text()


def test_masks_of_a_locked_test_set_are_predicted_apart(organ, tmp_path):
    done = mv.run(
        organ,
        ["training.epochs=1", "split={folds: 2, test: {kind: hash, fraction: 0.3}}"],
        out=tmp_path / "run",
        device="cpu",
        unlock_test=True,
        quiet=True,
    )
    locked = Splits.from_json((done.path / "splits.json").read_text()).locked
    assert 0 < len(locked) < 8
    masks = {
        path.name.removesuffix(".nii.gz") for path in (done.path / "locked_test" / "segmentations").iterdir()
    }
    assert masks == set(locked)
    assert not {path.name.removesuffix(".nii.gz") for path in (done.path / "segmentations").iterdir()} & masks
    scores = pd.read_parquet(done.path / "locked_test" / "segmentation.parquet")
    (mean,) = [
        row
        for row in done.results["locked_test"]["estimates"]
        if (row["structure"], row["metric"]) == ("anterior", "dice") and "mean" in row["aggregation"]
    ]
    assert mean["aggregation"] == "locked test set, mean over cases"
    assert mean["value"] == pytest.approx(scores.loc[scores["structure"] == "anterior", "dice"].mean())
    assert "anterior: Dice, mean over cases" in (done.path / "tables" / "locked_test.csv").read_text()


def test_a_locked_scan_that_was_learned_from_is_found_when_it_is_opened(organ, tmp_path):
    settings = ["training.epochs=1", "split={folds: 2, test: {kind: hash, fraction: 0.3}}"]
    opened = mv.check(organ, settings).opened
    learned, locked = next(iter(opened.development)), next(iter(opened.locked))
    shutil.copy(learned.image, locked.image)
    mv.run(organ, settings, out=tmp_path / "run", device="cpu", quiet=True)
    with pytest.raises(LeakageError) as caught:
        mv.run(organ, settings, out=tmp_path / "run", device="cpu", unlock_test=True, quiet=True)
    assert locked.patient_id in str(caught.value)
    assert not (tmp_path / "run" / "locked_test").exists()


def test_a_damaged_list_of_unlocks_is_not_overwritten(tmp_path):
    folder = RunFolder(tmp_path)
    assert read_unlocks(folder) == []
    folder.record.write_text('{"unlocks": [{"opened": "2026-11-23"}]}')
    assert read_unlocks(folder) == [{"opened": "2026-11-23"}]
    for text in ("{", "{}", "[1]"):
        folder.unlocks.write_text(text)
        with pytest.raises(RunError, match="says when the locked test set was opened"):
            read_unlocks(folder)
