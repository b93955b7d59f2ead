"""What a fold learns before its networks comes from its training part, is stored, and is used again."""

import json

import nibabel
import numpy as np
import pandas as pd
import pytest
import torch

import medvision as mv
from medvision.config import Preprocessing
from medvision.errors import CohortError
from medvision.store import LIMIT_VARIABLE
from medvision.transforms.prepare import prepare, standardised
from medvision.transforms.standard import HistogramStandard
from medvision.workflows.cases import hash_inputs
from medvision.workflows.fitted import Fitted, prepare_folds
from medvision.workflows.masks import View, labelled, structure_shares
from medvision.workflows.members import Network
from medvision.workflows.opened import open_study
from medvision.workflows.progress import Silence

NYUL = "intensity: {kind: nyul, percentiles: [1, 50, 99]}"


def stretch(study, factor=2.0):
    """Give the scans of every second case another voxel size and another scale of intensities."""
    for number, path in enumerate(sorted((study.parent / "imagesTr").glob("*.nii.gz"))):
        if number % 2:
            for folder in ("imagesTr", "labelsTr"):
                file = study.parent / folder / path.name
                image = nibabel.load(file)
                array = np.asarray(image.dataobj)
                array = array.astype(np.float32) * 5 + 100 if folder == "imagesTr" else array
                affine = image.affine @ np.diag([1, 1, factor, 1])
                file.unlink()
                nibabel.save(nibabel.Nifti1Image(array, affine), file)


@pytest.fixture
def varied(organ, edited):
    """A segmentation of scans that differ, with everything that a fold can learn."""
    edited(organ, "intensity: {kind: zscore}", NYUL)
    edited(organ, "spacing_mm: [2.5, 2.5, 2.5]", "spacing_mm: median")
    stretch(organ)
    return organ


def folds_of(study):
    opened = open_study(study)
    return opened, prepare_folds(
        opened, hash_inputs(opened.development, Silence()), Silence(), opened.splits.parts
    )


def test_each_fold_learns_from_its_training_part_alone(varied):
    opened, folds = folds_of(varied)
    images = {case.case_id: case.image for case in opened.cohort}
    for part in opened.splits.parts:
        found = folds[part.repeat, part.fold]
        own = [mv.load_volume(images[case]).geometry.reoriented("LPS").spacing_mm for case in part.train]
        assert found.fitted.spacing_mm == pytest.approx(np.median(own, axis=0), abs=1e-3)
        steps = Preprocessing.model_validate(
            opened.study.preprocessing.model_dump() | {"spacing_mm": found.fitted.spacing_mm}
        )
        alone = [prepare(images[case], None, steps, {}) for case in part.train]
        standard = HistogramStandard.learn([each.landmarks for each in alone])
        assert found.fitted.standard.landmarks == pytest.approx(standard.landmarks)
        assert np.allclose(
            found.cases[part.train[0]].image(), standard.apply(alone[0].image, alone[0].landmarks)
        )
        assert found.fingerprint["cases"] == len(part.train)
        assert found.fingerprint["spacing_mm"]["median"] == pytest.approx(np.median(own, axis=0), abs=1e-3)


def test_a_changed_test_case_changes_nothing_that_the_fold_learned(varied):
    opened, before = folds_of(varied)
    part = opened.splits.parts[0]
    case = next(each for each in opened.cohort if each.case_id == part.test[0])
    image = nibabel.load(case.image)
    array = np.asarray(image.dataobj).astype(np.float32) ** 2
    case.image.unlink()
    nibabel.save(nibabel.Nifti1Image(array, image.affine), case.image)
    _, after = folds_of(varied)
    assert after[0, 0].fitted == before[0, 0].fitted
    assert after[0, 0].fingerprint == before[0, 0].fingerprint
    assert after[0, 1].fitted != before[0, 1].fitted


def test_a_run_stores_what_its_folds_learned_and_predicts_with_it(varied, tmp_path):
    done = mv.run(varied, out=tmp_path / "run", device="cpu", quiet=True)
    for place in sorted((tmp_path / "run").glob("folds/*")):
        fitted = Fitted.read(place)
        assert fitted.standard.landmarks[0] == -1
        assert json.loads((place / "fingerprint.json").read_text())["cases"] == 4
    text = done.report.read_text(encoding="utf-8")
    assert "standard histogram that was learned on the training part" in text
    assert "Computed on the training part of each fold alone" in text
    scan = sorted((varied.parent / "imagesTr").iterdir())[1]
    mv.predict(tmp_path / "run", scan, out=tmp_path / "out", device="cpu")
    mask = nibabel.load(next((tmp_path / "out").glob("*.nii.gz")))
    assert mask.shape == nibabel.load(scan).shape
    assert np.allclose(mask.affine, nibabel.load(scan).affine, atol=1e-3)


def test_folds_of_older_runs_learned_nothing(tmp_path):
    assert Fitted.read(tmp_path) == Fitted()


def test_a_structure_that_resampling_removes_is_said(organ, edited):
    edited(organ, "spacing_mm: [2.5, 2.5, 2.5]", "spacing_mm: [40, 40, 40]")

    class Listener(Silence):
        said: list[str] = []  # noqa: RUF012 - one test, one list

        def say(self, text):
            self.said.append(text)

    edited(organ, "patch_voxels: [16, 16, 16]", "patch_voxels: [4, 4, 4]")
    opened = open_study(organ)
    folds = prepare_folds(opened, hash_inputs(opened.development, Silence()), Listener(), opened.splits.parts)
    assert any("is gone from" in text for text in Listener.said)
    structures = folds[0, 0].fingerprint["structures"]
    assert any(found["gone_from"] for found in structures.values())


def test_a_cache_that_cannot_be_within_its_limit_is_said(organ, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDVISION_CACHE", str(tmp_path / "small"))
    monkeypatch.setenv(LIMIT_VARIABLE, "1 kB")
    said = []
    listener = Silence()
    listener.say = said.append
    opened = open_study(organ)
    prepare_folds(opened, hash_inputs(opened.development, listener), listener, opened.splits.parts)
    assert any("over MEDVISION_CACHE_LIMIT" in text for text in said)


def test_a_region_is_read_from_its_column_and_asked_for_in_prediction(nodules, edited, tmp_path):
    table = pd.read_csv(nodules.parent / "cohort.csv")
    table["lung"] = table["mask"]
    table.to_csv(nodules.parent / "cohort.csv", index=False)
    edited(nodules, "  mask: mask\n", "  mask: mask\n  region: lung\n")
    edited(
        nodules,
        "intensity: {kind: window, window_hu: [-1000, 400]}",
        "intensity: {kind: zscore, foreground: {kind: given}}",
    )
    edited(nodules, "epochs: 3", "epochs: 1")
    opened, folds = folds_of(nodules)
    case = next(iter(opened.cohort))
    image = folds[0, 0].cases[case.case_id].image()
    steps = opened.study.preprocessing
    again = prepare(case.image, case.mask, steps, {}, region=case.region)
    assert np.array_equal(image, again.image)
    done = mv.run(nodules, out=tmp_path / "run", device="cpu", quiet=True)
    manifest = table.assign(region=[str(nodules.parent / name) for name in table["lung"]])
    manifest["image"] = [str(nodules.parent / name) for name in manifest["image"]]
    manifest["mask"] = [str(nodules.parent / name) for name in manifest["mask"]]
    manifest.head(2).to_csv(tmp_path / "new.csv", index=False)
    assert len(mv.predict(done.path, tmp_path / "new.csv", out=tmp_path / "out", device="cpu")) == 2
    nothing = table.assign(image=manifest["image"], mask=manifest["mask"]).drop(columns="lung").head(1)
    nothing.to_csv(tmp_path / "none.csv", index=False)
    with pytest.raises(CohortError, match="region"):
        mv.predict(done.path, tmp_path / "none.csv", out=tmp_path / "out", device="cpu")


def test_locked_cases_teach_no_fold_and_are_seen_as_each_fold_learned(varied, tmp_path):
    settings = ["training.epochs=1", "split={folds: 2, test: {kind: hash, fraction: 0.3}}"]
    opened = open_study(varied, settings)
    files = {path: path.read_bytes() for case in opened.locked for path in (case.image, case.mask)}
    for path in files:
        path.write_bytes(b"locked")
    mv.run(varied, settings, out=tmp_path / "run", device="cpu", quiet=True)
    folds = sorted((tmp_path / "run").glob("folds/*"))
    learned = [Fitted.read(place) for place in folds]
    assert len({fitted.spacing_mm for fitted in learned}) == 2
    assert len({fitted.standard for fitted in learned}) == 2

    for path, content in files.items():
        path.write_bytes(content)
    mv.run(varied, settings, out=tmp_path / "run", device="cpu", quiet=True, unlock_test=True)
    assert [Fitted.read(place) for place in folds] == learned
    new = mv.predict(
        tmp_path / "run", [case.image for case in opened.locked], out=tmp_path / "out", device="cpu"
    )
    assert len(new) == len(opened.locked) > 0
    network = Network(opened.study)
    for case in opened.locked:
        shares = []
        for place, fitted in zip(folds, learned, strict=True):
            seen = standardised(prepare(case.image, None, fitted.settings(opened.study), {}), fitted.standard)
            for stored in place.glob("member-*.pt"):
                member = network.with_weights(torch.load(stored, weights_only=True)["weights"], stored)
                view = View([member], seen.image, seen.affine)
                shares.append(structure_shares([view], opened.study, seen.scan, torch.device("cpu")))
        expected = labelled(np.mean(shares, axis=0), opened.study)
        found = nibabel.load(tmp_path / "run" / "locked_test" / "segmentations" / f"{case.case_id}.nii.gz")
        assert np.mean(np.asarray(found.dataobj) == expected) > 0.999  # ties may round the other way
        predicted = nibabel.load(tmp_path / "out" / f"{case.case_id}.nii.gz")
        assert np.mean(np.asarray(predicted.dataobj) == expected) > 0.999
        assert np.allclose(found.affine, nibabel.load(case.image).affine, atol=1e-3)
