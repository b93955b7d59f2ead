"""What `medvision check` finds before training, each as one sentence that names file, line or patient."""

import subprocess
import sys

import nibabel
import numpy as np
import pandas as pd
import pytest

import medvision as mv
from medvision.errors import CohortError, ConfigError, LeakageError, MedvisionError, TrainingError
from medvision.testing import apply_fault


def rows(study):
    return pd.read_csv(study.parent / "cohort.csv", dtype=str)


def write(study, table):
    table.to_csv(study.parent / "cohort.csv", index=False)


def refused(study, *overrides, deep=False):
    with pytest.raises(MedvisionError) as caught:
        mv.check(study, overrides, deep=deep, device="cpu")
    return str(caught.value)


def test_a_good_study_is_described(nodules, organ):
    text = str(mv.check(nodules))
    assert "nothing wrong found" in text
    assert "of 12 patients" in text
    assert "8 scans of 8 patients" in str(mv.check(organ))


def test_voxels_that_are_longer_than_the_scans_are_said_where_masks_come_back(nodules, organ):
    text = str(mv.check(organ, ["preprocessing.spacing_mm=[2, 1, 1]"]))
    assert "  voxels    longer than those of 8 of 8 scans, up to 2 times: masks come back" in text
    assert "longer than those" not in str(mv.check(organ, ["preprocessing.spacing_mm=[1.005, 1, 0.5]"]))
    assert "longer than those" not in str(mv.check(organ, ["preprocessing.spacing_mm=null"]))
    assert "longer than those" not in str(mv.check(nodules, ["preprocessing.spacing_mm=[9, 9, 9]"]))


def test_deep_reads_every_voxel_and_computes_a_step(organ):
    assert "one step and one validation" in str(mv.check(organ, deep=True, device="cpu"))


def test_check_loads_no_deep_learning_library(nodules):
    code = (
        "import sys, medvision as mv; mv.check(sys.argv[1]);"
        "heavy = ('torch', 'monai', 'lightning', 'sklearn', 'scipy.stats');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(nodules)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_error_of_a_study_file_comes_at_once_with_its_line(nodules, edited):
    edited(nodules, "epochs: 3", "epochs: many")
    edited(nodules, "depth: 10", "dephts: 10")
    edited(nodules, "window_hu: [-1000, 400]", "window_hu: [-100000, 400]")
    text = refused(nodules)
    for words in ("study.yaml:17:", "dephts", "depth", "study.yaml:19:", "many", "Hounsfield"):
        assert words in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop(columns="image"), "no column 'image'"),
        (lambda t: t.assign(image=["nowhere", *t["image"][1:]]), "nowhere"),
        (lambda t: t.assign(mask=["nowhere.nii.gz", *t["mask"][1:]]), "nowhere.nii.gz"),
        (lambda t: t.assign(label=["", *t["label"][1:]]), "cohort.csv:2"),
        (lambda t: t.assign(label=["unsure", *t["label"][1:]]), "unsure"),
        (lambda t: t.assign(label="benign"), "malignant"),
        (lambda t: t.assign(case_id="same"), "same"),
        (lambda t: t.assign(patient_id=["", *t["patient_id"][1:]]), "cohort.csv:2"),
        (lambda t: t.assign(diameter_mm=["big", *t["diameter_mm"][1:]]), "big"),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_row(nodules, change, words):
    write(nodules, change(rows(nodules)))
    with pytest.raises(CohortError) as caught:
        mv.check(nodules)
    assert words in str(caught.value)


def test_a_class_with_fewer_patients_than_folds_is_refused_with_the_arithmetic(nodules):
    table = rows(nodules)
    first = table["patient_id"][table["label"] == "malignant"].iloc[0]
    write(nodules, table[(table["label"] == "benign") | (table["patient_id"] == first)])
    text = refused(nodules)
    assert "1 patient" in text
    assert "2 folds" in text


def test_one_scan_under_two_patients_is_leakage(nodules):
    table = rows(nodules)
    twin = table.iloc[[0]].assign(patient_id="SOMEBODY", case_id="twin")
    write(nodules, pd.concat([table, twin]))
    with pytest.raises(LeakageError, match="SOMEBODY"):
        mv.check(nodules)


def test_a_forbidden_column_is_refused_as_an_input(nodules, edited):
    edited(nodules, "covariates: [diameter_mm, sex]", "covariates: [diameter_mm, sex, reader_rating]")
    edited(
        nodules,
        "{name: diameter, covariates: [diameter_mm]}",
        "{name: diameter, covariates: [reader_rating]}",
    )
    with pytest.raises(ConfigError, match="reader_rating"):
        mv.check(nodules)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("missing_slice", "missing"),
        ("duplicated_position", "no header field tells whole volumes apart"),
        ("mixed_series", "2 series"),
        ("gantry_tilt", "tilt"),
        ("truncated_file", "cut short"),
        ("not_dicom", "not a DICOM file"),
        ("wrong_patient", "patient"),
        ("missing_position", "position"),
    ],
)
def test_a_broken_series_is_named_with_case_and_patient(nodules, fault, words):
    table = rows(nodules)
    apply_fault(nodules.parent / table["image"][0], fault, seed=1)
    text = refused(nodules)
    assert f"of patient {table['patient_id'][0]}" in text
    assert words.lower() in text.lower()


def test_an_empty_folder_is_named(nodules):
    table = rows(nodules)
    for file in (nodules.parent / table["image"][0]).iterdir():
        file.unlink()
    text = refused(nodules)
    assert f"of patient {table['patient_id'][0]}" in text
    assert "no DICOM file in it (0 other files)" in text


def change_mask(organ, change):
    mask = sorted((organ.parent / "labelsTr").iterdir())[0]
    loaded = nibabel.load(mask)
    array, affine = change(np.asarray(loaded.dataobj).copy(), loaded.affine.copy())
    nibabel.save(nibabel.Nifti1Image(array, affine), mask)
    return mask


def shifted(array, affine):
    affine[0, 3] += 0.5
    return array, affine


def test_a_mask_of_another_shape_or_place_is_refused(organ):
    name = change_mask(organ, lambda array, affine: (array[:-1], affine)).name
    assert name in refused(organ)
    change_mask(organ, shifted)
    assert name in refused(organ)


def test_mask_values_that_the_study_does_not_name_are_refused(organ):
    def unknown(array, affine):
        array[0, 0, 0] = 7
        return array, affine

    change_mask(organ, unknown)
    text = refused(organ, deep=True)
    assert "value 7" in text
    assert "anterior 1, posterior 2" in text


def test_a_patch_larger_than_the_volume_is_refused_unless_padded(organ):
    text = refused(organ, "training.pad_small=false", "training.patch_voxels=[64, 64, 64]", deep=True)
    assert "64×64×64 is larger than 8 of 8" in text
    assert "pad_small" in text


def test_volumes_of_different_sizes_need_patches_to_share_a_batch(organ):
    mask = sorted((organ.parent / "labelsTr").iterdir())[0]
    image = organ.parent / "imagesTr" / mask.name
    for path in (mask, image):
        loaded = nibabel.load(path)
        nibabel.save(nibabel.Nifti1Image(np.asarray(loaded.dataobj)[:, :, :-6], loaded.affine), path)
    assert "cannot share a batch" in refused(organ, "training.patch_voxels=null", deep=True)


def test_a_batch_that_cannot_fit_is_refused_before_training(nodules):
    with pytest.raises(TrainingError, match=r"GiB are free; lower training.batch_size"):
        mv.check(nodules, ["training.batch_size=100000000"])


def test_what_repairs_a_series_is_said_in_the_study(nodules):
    table = rows(nodules)
    apply_fault(nodules.parent / table["image"][0], "missing_slice")
    assert "on_gap='fill'" in refused(nodules)
    assert "nothing wrong found" in str(mv.check(nodules, ["preprocessing.reading.on_gap=fill"]))
    text = refused(nodules, "preprocessing.reading.on_gap=fil")
    assert "did you mean" in text or "fill" in text
