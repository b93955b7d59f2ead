"""The main job on small cohorts: what it writes, that it repeats, and what it refuses."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, roc_auc_score
from torch import nn

import medvision as mv
from medvision.errors import CohortError, LeakageError, RunError


def estimate(results, **wanted):
    found = [row for row in results["estimates"] if all(row[key] == value for key, value in wanted.items())]
    assert len(found) == 1, found
    return found[0]


def outcome(folder: Path) -> dict[str, bytes]:
    names = ["predictions.parquet", "results.json", "splits.json"]
    return {name: (folder / name).read_bytes() for name in names}


def test_every_case_is_predicted_once_by_models_that_did_not_see_its_patient(finished_nodules):
    folder = finished_nodules.path
    predictions = pd.read_parquet(folder / "predictions.parquet")
    cohort = pd.read_parquet(folder / "cohort.parquet").set_index("case_id")
    assert sorted(predictions["case_id"]) == sorted(cohort.index)
    for part in json.loads((folder / "splits.json").read_text())["parts"]:
        rows = predictions[predictions["fold"] == part["fold"]]
        assert set(rows["case_id"]) == set(part["test"])
        assert not set(rows["patient_id"]) & set(cohort.loc[part["train"], "patient_id"])


def test_results_are_those_that_scikit_learn_computes_from_the_predictions(finished_nodules):
    table = pd.read_parquet(finished_nodules.path / "predictions.parquet")
    results = json.loads((finished_nodules.path / "results.json").read_text())
    for model, suffix in (("image", ""), ("diameter", "_diameter"), ("both", "_both")):
        areas = [roc_auc_score(rows["label"], rows[f"score{suffix}"]) for _, rows in table.groupby("fold")]
        averaged = estimate(results, model=model, metric="auroc", aggregation="fold-averaged")
        assert averaged["value"] == pytest.approx(np.mean(areas), abs=1e-12)
        pooled = estimate(results, model=model, metric="auroc", aggregation="pooled out-of-fold")
        assert pooled["value"] == pytest.approx(roc_auc_score(table["label"], table[f"score{suffix}"]))
        tn, fp, fn, tp = confusion_matrix(table["label"], table[f"prediction{suffix}"]).ravel()
        assert results["confusion"][model] == {"tp": tp, "fp": fp, "fn": fn, "tn": tn}
        sensitivity = estimate(results, model=model, metric="sensitivity")
        assert sensitivity["value"] == pytest.approx(tp / (tp + fn))
        assert sensitivity["n_units"] == tp + fn


def test_each_fold_applies_its_own_stored_threshold(finished_nodules):
    table = pd.read_parquet(finished_nodules.path / "predictions.parquet")
    for fold, rows in table.groupby("fold"):
        stored = json.loads((finished_nodules.path / "folds" / f"0-{fold}" / "threshold.json").read_text())
        for model, suffix in (("image", ""), ("both", "_both")):
            threshold = stored["models"][model]["threshold"]
            assert (rows[f"threshold{suffix}"] == threshold).all()
            expected = (rows[f"score{suffix}"] >= threshold).astype(int)
            assert (rows[f"prediction{suffix}"] == expected).all()


def test_comparisons_cover_every_pair_and_are_adjusted_by_holm(finished_nodules):
    comparisons = json.loads((finished_nodules.path / "results.json").read_text())["comparisons"]
    pairs = {(row["a"], row["b"]) for row in comparisons}
    assert pairs == {("image", "diameter"), ("image", "both"), ("diameter", "both")}
    ordered = sorted(comparisons, key=lambda row: row["p"])
    holm = np.maximum.accumulate([min(1, row["p"] * (3 - rank)) for rank, row in enumerate(ordered)])
    assert [row["p_adjusted"] for row in ordered] == pytest.approx(list(holm))


def test_the_record_names_versions_hashes_and_times(finished_nodules):
    record = json.loads((finished_nodules.path / "record.json").read_text())
    assert record["versions"]["torch"]
    assert all(len(digest) == 64 for digest in record["inputs"].values())
    assert len(record["folds"]) == 2
    assert record["seconds"] > 0
    assert record["starts"][0]["stopped"] >= record["starts"][0]["started"]


def test_masks_come_out_in_the_scans_own_geometry_and_their_dice_is_the_stored_one(finished_organ):
    folder = finished_organ.path
    scores = pd.read_parquet(folder / "segmentation.parquet").set_index(["case_id", "structure"])
    cohort = pd.read_parquet(folder / "cohort.parquet").set_index("case_id")
    masks = pd.read_parquet(folder / "predictions.parquet").set_index("case_id")
    assert len(masks) == len(cohort) == 8
    assert not (folder / "folds" / "0-0" / "member-0.ckpt").exists()
    for case_id, row in masks.iterrows():
        predicted, reference = nibabel.load(folder / row["mask"]), nibabel.load(cohort.loc[case_id, "mask"])
        assert predicted.shape == reference.shape
        assert np.allclose(predicted.affine, reference.affine, atol=1e-3)
        a, b = (np.asarray(image.dataobj) for image in (predicted, reference))
        assert set(np.unique(a)) <= {0, 1, 2}
        for name, value in (("anterior", 1), ("posterior", 2)):
            dice = 2 * ((a == value) & (b == value)).sum() / ((a == value).sum() + (b == value).sum())
            assert scores.loc[(case_id, name), "dice"] == pytest.approx(dice)


def test_segmentation_results_are_the_mean_and_median_over_cases(finished_organ):
    scores = pd.read_parquet(finished_organ.path / "segmentation.parquet")
    for structure, rows in scores.groupby("structure"):
        mean = estimate(
            finished_organ.results, metric="dice", structure=structure, aggregation="mean over cases"
        )
        assert mean["value"] == pytest.approx(rows["dice"].mean())
        assert mean["low"] <= mean["value"] <= mean["high"]
        assert mean["n_patients"] == 8
    overall = estimate(
        finished_organ.results, metric="dice", structure=None, aggregation="mean over patients"
    )
    by_patient = scores.groupby(["patient_id", "structure"])["dice"].mean().groupby("patient_id").mean()
    assert overall["value"] == pytest.approx(by_patient.mean())


def test_the_report_is_there_and_opens_offline(finished_nodules, finished_organ):
    for run in (finished_nodules, finished_organ):
        page = run.report.read_text(encoding="utf-8")
        assert 'src="http' not in page
        assert len(list((run.path / "figures").glob("*.svg"))) >= 4
        assert len(list((run.path / "tables").glob("*.tex"))) >= 3


@pytest.mark.parametrize("workers", [0, 2])
def test_the_same_study_gives_the_same_bytes(finished_nodules, nodules, tmp_path, workers):
    again = mv.run(nodules, [f"training.workers={workers}"], out=tmp_path / "again", device="cpu", quiet=True)
    assert outcome(again.path) == outcome(finished_nodules.path)


def test_the_same_segmentation_gives_the_same_bytes_and_masks(finished_organ, organ, tmp_path):
    again = mv.run(organ, out=tmp_path / "again", device="cpu", quiet=True)
    assert outcome(again.path) == outcome(finished_organ.path)
    for mask in (finished_organ.path / "segmentations").iterdir():
        assert (again.path / "segmentations" / mask.name).read_bytes() == mask.read_bytes()


@pytest.mark.parametrize("name", ["nodules", "organ"])
def test_sixteen_bits_give_the_same_bytes_too(name, request, tmp_path):
    settings = ["training.precision=bf16", "training.epochs=2"]
    options = {"folds": [0], "device": "cpu", "quiet": True}
    study = request.getfixturevalue(name)
    first, second = (
        mv.run(study, [*settings, f"training.workers={n}"], out=tmp_path / f"{n}", **options) for n in (0, 2)
    )
    assert outcome(first.path) == outcome(second.path)


def test_folds_can_be_trained_one_after_another(finished_nodules, nodules, tmp_path):
    first = mv.run(nodules, out=tmp_path / "run", folds=[1], device="cpu", quiet=True)
    assert first.finished == (1, 2)
    assert "only 1 of 2 folds" in first.results["notes"][0]
    before = (tmp_path / "run" / "folds" / "0-1" / "member-0.pt").stat().st_mtime_ns
    whole = mv.run(nodules, out=tmp_path / "run", device="cpu", quiet=True)
    assert whole.finished == (2, 2)
    assert (tmp_path / "run" / "folds" / "0-1" / "member-0.pt").stat().st_mtime_ns == before
    assert outcome(whole.path) == outcome(finished_nodules.path)


def test_a_fold_that_is_not_there_is_refused(nodules, tmp_path):
    with pytest.raises(RunError, match="the study has the folds 0 to 1"):
        mv.run(nodules, out=tmp_path / "run", folds=[2], quiet=True)


def test_a_folder_of_other_settings_is_refused_until_fresh(nodules, tmp_path):
    options = {"out": tmp_path / "run", "folds": [0], "device": "cpu", "quiet": True}
    mv.run(nodules, ["training.epochs=1"], **options)
    with pytest.raises(RunError, match=r"training.epochs: was 1, is now 2"):
        mv.run(nodules, ["training.epochs=2"], **options)
    mv.run(nodules, ["training.epochs=1", "training.workers=1"], **options)
    assert mv.run(nodules, ["training.epochs=2"], fresh=True, **options).finished == (1, 2)


def test_an_input_file_that_changed_since_the_start_is_named(organ, tmp_path):
    options = {"out": tmp_path / "run", "folds": [0], "device": "cpu", "quiet": True}
    mv.run(organ, ["training.epochs=1"], **options)
    image = next((organ.parent / "imagesTr").iterdir())
    loaded = nibabel.load(image)
    nibabel.save(nibabel.Nifti1Image(np.asarray(loaded.dataobj) + 1, loaded.affine), image)
    with pytest.raises(RunError, match=f"{image.name}: its content changed since the run began"):
        mv.run(organ, ["training.epochs=1"], **options)
    assert (tmp_path / "run" / "results.json").exists()


def test_a_network_of_ones_own_is_trained_and_the_folder_remembers_it(nodules, tmp_path):
    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.AdaptiveAvgPool3d(2), nn.Flatten(), nn.Linear(8, 1))

        def forward(self, images):
            return self.layers(images)

    options = {"out": tmp_path / "run", "folds": [0], "device": "cpu", "quiet": True}
    done = mv.run(nodules, model=Small(), **options)
    assert done.finished == (1, 2)
    with pytest.raises(RunError, match="passed from Python: Small"):
        mv.run(nodules, **options)


def test_the_same_scan_under_two_patients_stops_before_training(nodules, tmp_path):
    table = pd.read_csv(nodules.parent / "cohort.csv")
    twin = table.iloc[[0]].assign(patient_id="SOMEBODY", case_id="twin")
    pd.concat([table, twin]).to_csv(nodules.parent / "cohort.csv", index=False)
    with pytest.raises(LeakageError, match="SOMEBODY"):
        mv.run(nodules, out=tmp_path / "run", quiet=True)
    assert not (tmp_path / "run" / "folds").exists()


def test_a_threshold_rule_that_nothing_meets_is_one_sentence(nodules, tmp_path):
    with pytest.raises(mv.MedvisionError, match="fold 1, model"):
        mv.run(
            nodules,
            [
                "evaluation.threshold=sensitivity>=1",
                "evaluation.threshold=fixed:0.5",
                "evaluation.threshold=specificity>=1",
            ],
            out=tmp_path / "run",
            folds=[0],
            device="cpu",
            quiet=True,
        )


def test_images_that_hold_nothing_are_named_together(organ, tmp_path):
    images = sorted((organ.parent / "imagesTr").iterdir())
    for image, value in ((images[0], 3.0), (images[1], np.nan)):
        loaded = nibabel.load(image)
        nibabel.save(nibabel.Nifti1Image(np.full(loaded.shape, value, np.float32), loaded.affine), image)
    with pytest.raises(CohortError) as caught:
        mv.run(organ, out=tmp_path / "run", quiet=True)
    text = str(caught.value)
    assert "2 of 8 cases" in text
    assert "every voxel is 3" in text
    assert "NaN" in text
