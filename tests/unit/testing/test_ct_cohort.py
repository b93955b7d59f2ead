from __future__ import annotations

import hashlib
import json

import nibabel as nib
import numpy as np
import pandas as pd
import pydicom
import pytest

from medvision.errors import CohortError
from medvision.testing import write_ct_cohort

SMALL = {"shape": (64, 64, 24), "diameters_mm": (6.0, 9.0)}


def hashes(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ct")
    path = write_ct_cohort(folder, patients=8, seed=4, **SMALL)
    return folder, pd.read_csv(path)


def test_the_table_has_a_row_for_each_nodule(cohort):
    folder, table = cohort
    assert list(table.columns) == [
        "patient_id",
        "case_id",
        "image",
        "mask",
        "label",
        "diameter_mm",
        "age",
        "sex",
        "scanner",
        "reader_rating",
        "lesion_i",
        "lesion_j",
        "lesion_k",
    ]
    assert table["patient_id"].nunique() == 8
    assert table["case_id"].is_unique
    assert table.groupby("patient_id").size().between(1, 4).all()
    assert len(list((folder / "masks").iterdir())) == len(table)
    assert set(table["label"]) == {"benign", "malignant"}
    assert (table["label"] == "malignant").sum() == round(len(table) / 2)
    assert table["reader_rating"].between(1, 5).all()
    assert table["age"].between(45, 84).all()
    assert not table.isna().any().any()


def test_masks_lie_in_the_geometry_of_the_series(cohort, read_series):
    folder, table = cohort
    seen = set()
    for row in table.itertuples():
        array, affine = read_series(folder / row.image)
        mask = nib.load(folder / row.mask)
        assert mask.shape == array.shape == (64, 64, 24)
        np.testing.assert_allclose(mask.affine, affine, atol=1e-4)
        voxels = np.argwhere(np.asarray(mask.dataobj))
        place = (row.lesion_i, row.lesion_j, row.lesion_k)
        np.testing.assert_allclose(voxels.mean(axis=0), place, atol=1.5)
        volume = len(voxels) * np.prod(mask.header.get_zooms())
        assert row.diameter_mm == pytest.approx((6 * volume / np.pi) ** (1 / 3), abs=0.01)
        ring = np.zeros(array.shape, bool)
        ring[tuple(slice(a - 3, b + 4) for a, b in zip(voxels.min(0), voxels.max(0), strict=True))] = True
        inside = np.asarray(mask.dataobj) > 0
        assert array[inside].mean() > np.median(array[ring & ~inside]) + 150
        seen.add(nib.aff2axcodes(affine))
    assert len(seen) > 1  # patients lie differently


def test_headers_agree_with_the_table_and_differ_between_patients(cohort):
    folder, table = cohort
    first = table.drop_duplicates("patient_id")
    studies, syntaxes = set(), set()
    for row in first.itertuples():
        slices = [pydicom.dcmread(p, stop_before_pixels=True) for p in (folder / row.image).iterdir()]
        assert {ds.PatientID for ds in slices} == {row.patient_id}
        assert {(ds.PatientSex, int(ds.PatientAge[:3])) for ds in slices} == {(row.sex, row.age)}
        assert {ds.ManufacturerModelName for ds in slices} == {f"Phantom {row.scanner}"}
        studies |= {ds.StudyInstanceUID for ds in slices}
        syntaxes |= {ds.file_meta.TransferSyntaxUID for ds in slices}
    assert len(studies) == 8
    assert len(syntaxes) > 1


def test_the_same_arguments_give_the_same_bytes(cohort, tmp_path):
    folder, _ = cohort
    write_ct_cohort(tmp_path, patients=8, seed=4, **SMALL)
    assert hashes(tmp_path) == hashes(folder)


def test_a_finished_cohort_is_left_alone(tmp_path):
    calls = []
    write_ct_cohort(tmp_path, patients=2, progress=lambda *done: calls.append(done), **SMALL)
    assert calls == [(1, 2), (2, 2)]
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    write_ct_cohort(tmp_path, patients=2, progress=lambda *done: calls.append(done), **SMALL)
    assert calls == [(1, 2), (2, 2)]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == times


def test_an_interrupted_cohort_is_written_anew(tmp_path):
    write_ct_cohort(tmp_path / "whole", patients=3, **SMALL)

    class StoppedError(Exception):
        pass

    def stop(done, total):
        if done == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        write_ct_cohort(tmp_path / "cut", patients=3, progress=stop, **SMALL)
    assert not (tmp_path / "cut/cohort.csv").exists()
    assert not json.loads((tmp_path / "cut/phantom.json").read_text())["finished"]
    write_ct_cohort(tmp_path / "cut", patients=3, **SMALL)
    assert hashes(tmp_path / "cut") == hashes(tmp_path / "whole")


def test_another_cohort_is_replaced_only_when_asked(tmp_path):
    write_ct_cohort(tmp_path, patients=2, seed=1, **SMALL)
    with pytest.raises(CohortError, match="holds a phantom cohort of other arguments") as error:
        write_ct_cohort(tmp_path, patients=2, seed=2, **SMALL)
    assert error.value.problems == ("seed: 1 there, 2 asked for",)
    path = write_ct_cohort(tmp_path, patients=2, seed=2, overwrite=True, **SMALL)
    assert pd.read_csv(path)["patient_id"].nunique() == 2


def test_other_peoples_files_are_never_touched(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/mine.txt").write_text("mine")
    with pytest.raises(CohortError, match="is not empty and holds no phantom cohort"):
        write_ct_cohort(tmp_path, patients=2, overwrite=True, **SMALL)
    assert (tmp_path / "images/mine.txt").read_text() == "mine"


def test_faults_break_the_chosen_patients_only(tmp_path, cohort):
    folder, _ = cohort
    faults = {0: "missing_slice", 2: "mask_shape", 3: "burned_in_label"}
    write_ct_cohort(tmp_path, patients=8, seed=4, faults=faults, **SMALL)
    before, after = hashes(folder), hashes(tmp_path)
    changed = {path for path in {*before, *after} - {"phantom.json"} if before.get(path) != after.get(path)}
    patients = {path.split("/")[1].split(".")[0][:12] for path in changed}
    assert patients == {"PHANTOM-0001", "PHANTOM-0003", "PHANTOM-0004"}
    assert sum(path.startswith("images/PHANTOM-0001") for path in changed) == 1
    assert [path for path in changed if "PHANTOM-0003" in path] == ["masks/PHANTOM-0003-1.nii.gz"]
    assert sum(path.startswith("images/PHANTOM-0004") for path in changed) == 24


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"patients": 1}, "patients must be at least 2"),
        ({"patients": 2, "faults": {5: "nan"}}, "fault 'nan' is for patient 5, but patients are 0 to 1"),
        ({"patients": 2, "faults": {0: "flood"}}, "there is no fault 'flood'"),
        ({"patients": 2, "prevalence": 1.0}, "prevalence must lie between 0 and 1"),
    ],
)
def test_impossible_cohorts_are_refused_before_anything_is_written(tmp_path, arguments, sentence):
    with pytest.raises(CohortError) as error:
        write_ct_cohort(tmp_path / "new", **arguments)
    assert sentence in str(error.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("prevalence", [0.2, 0.5, 0.8])
def test_prevalence_is_exact_and_both_labels_occur(prevalence, tmp_path):
    table = pd.read_csv(
        write_ct_cohort(tmp_path, patients=4, prevalence=prevalence, shape=(48, 48, 20), diameters_mm=(5, 6))
    )
    assert (table["label"] == "malignant").sum() == round(prevalence * len(table))
