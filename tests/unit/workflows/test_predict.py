"""A finished run applied to scans it has not seen."""

import nibabel
import numpy as np
import pandas as pd
import pytest
import torch

import medvision as mv
from medvision.errors import PredictionError, TrainingError
from medvision.testing import brain_phantom, write_dicom_series


def test_a_dicom_series_gets_a_mask_in_its_own_geometry(finished_organ, tmp_path):
    phantom = brain_phantom(3, shape=(36, 32, 28), orientation="sagittal")
    write_dicom_series(phantom, tmp_path / "scan")
    table = mv.predict(finished_organ.path, tmp_path / "scan", out=tmp_path / "out", device="cpu")
    mask = nibabel.load(tmp_path / "out" / "scan.nii.gz")
    volume = mv.load_volume(tmp_path / "scan")
    assert mask.shape == volume.array.shape
    assert np.allclose(mask.affine, volume.affine, atol=1e-3)
    values = np.asarray(mask.dataobj)
    assert table["anterior_ml"][0] == pytest.approx((values == 1).sum() * np.prod(volume.spacing_mm) / 1000)
    assert pd.read_csv(tmp_path / "out" / "predictions.csv")["mask"][0] == "scan.nii.gz"


def test_the_same_scan_as_dicom_and_nifti_gets_the_same_mask(finished_organ, tmp_path):
    phantom = brain_phantom(4, shape=(32, 32, 32))
    write_dicom_series(phantom, tmp_path / "series")
    mv.convert(tmp_path / "series", tmp_path / "volume.nii.gz")
    mv.predict(
        finished_organ.path,
        [tmp_path / "series", tmp_path / "volume.nii.gz"],
        out=tmp_path / "out",
        device="cpu",
    )
    first, second = (nibabel.load(tmp_path / "out" / f"{name}.nii.gz") for name in ("series", "volume"))
    assert np.array_equal(np.asarray(first.dataobj), np.asarray(second.dataobj))


def test_a_manifest_is_scored_by_all_folds_and_their_mean_threshold(finished_nodules, nodules, tmp_path):
    table = mv.predict(
        finished_nodules.path, nodules.parent / "cohort.csv", out=tmp_path / "out", device="cpu"
    )
    stored = pd.read_parquet(finished_nodules.path / "predictions.parquet")
    assert len(table) == len(stored)
    assert table["score"].between(0, 1).all()
    assert table["threshold"][0] == pytest.approx(stored.groupby("fold")["threshold"].first().mean())
    assert (table["prediction"] == (table["score"] >= table["threshold"])).all()


def test_a_run_that_crops_around_masks_says_that_it_needs_them(finished_nodules, nodules, tmp_path):
    image = nodules.parent / pd.read_csv(nodules.parent / "cohort.csv")["image"][0]
    with pytest.raises(PredictionError, match="crops around a mask"):
        mv.predict(finished_nodules.path, image, out=tmp_path / "out")


def test_scans_that_cannot_be_read_do_not_stop_the_others(finished_organ, organ, tmp_path):
    good = sorted((organ.parent / "imagesTr").iterdir())[0]
    (tmp_path / "empty").mkdir()
    with pytest.raises(PredictionError, match="1 of 2 scans"):
        mv.predict(finished_organ.path, [tmp_path / "empty", good], out=tmp_path / "out", device="cpu")
    assert len(pd.read_csv(tmp_path / "out" / "predictions.csv")) == 1


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(PredictionError, match="no run folder"):
        mv.predict(tmp_path, tmp_path / "scan.nii.gz", out=tmp_path / "out")


def test_two_inputs_of_one_name_are_refused(finished_organ, tmp_path):
    inputs = [tmp_path / "a" / "scan.nii.gz", tmp_path / "b" / "scan.nii.gz"]
    with pytest.raises(PredictionError, match="several inputs are named scan"):
        mv.predict(finished_organ.path, inputs, out=tmp_path / "out")


def test_a_checkpoint_of_another_model_is_refused(organ, tmp_path):
    done = mv.run(organ, ["training.epochs=1"], out=tmp_path / "run", folds=[0], device="cpu", quiet=True)
    stored = done.path / "folds" / "0-0" / "member-0.pt"
    torch.save({**torch.load(stored), "weights": torch.nn.Linear(1, 1).state_dict()}, stored)
    scan = sorted((organ.parent / "imagesTr").iterdir())[0]
    with pytest.raises(TrainingError, match="weights of another model"):
        mv.predict(done.path, scan, out=tmp_path / "out", device="cpu")
