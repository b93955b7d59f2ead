from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from medvision.errors import CohortError
from medvision.testing import write_mr_cohort


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mr")
    return folder, json.loads(write_mr_cohort(folder, patients=5, seed=3).read_text())


def test_the_description_names_every_file(cohort):
    folder, description = cohort
    assert description["numTraining"] == len(description["training"]) == 5
    assert description["labels"] == {"0": "background", "1": "anterior", "2": "posterior"}
    assert description["modality"] == {"0": "MRI"}
    for case in description["training"]:
        image, mask = nib.load(folder / case["image"]), nib.load(folder / case["label"])
        assert image.shape == mask.shape == (40, 48, 40)
        np.testing.assert_array_equal(image.affine, mask.affine)
        assert set(np.unique(np.asarray(mask.dataobj))) == {0, 1, 2}
    named = {case[key][2:] for case in description["training"] for key in ("image", "label")}
    assert {p.relative_to(folder).as_posix() for p in folder.glob("*Tr/*")} == named


def test_the_manifest_says_the_same(cohort):
    folder, description = cohort
    table = pd.read_csv(folder / "manifest.csv")
    assert [f"./{path}" for path in table["image"]] == [case["image"] for case in description["training"]]
    assert table["patient_id"].is_unique
    for row in table.itertuples():
        mask = nib.load(folder / row.mask)
        counts = np.bincount(np.asarray(mask.dataobj).ravel(), minlength=3)
        voxel_ml = float(np.prod(mask.header.get_zooms())) / 1000
        np.testing.assert_allclose([row.anterior_ml, row.posterior_ml], counts[1:] * voxel_ml, atol=0.001)


def test_scans_differ_in_brightness_and_orientation(cohort):
    folder, description = cohort
    images = [nib.load(folder / case["image"]) for case in description["training"]]
    medians = [np.median(np.asarray(image.dataobj)) for image in images]
    assert max(medians) > 1.5 * min(medians)
    assert len({tuple(np.round(image.affine[:3, 1], 4)) for image in images}) == 5


def test_written_once_and_repeatable(cohort, tmp_path):
    folder, _ = cohort
    again = write_mr_cohort(tmp_path, patients=5, seed=3)
    for path in folder.rglob("*.*"):
        assert (tmp_path / path.relative_to(folder)).read_bytes() == path.read_bytes()
    time = again.stat().st_mtime_ns
    write_mr_cohort(tmp_path, patients=5, seed=3)
    assert again.stat().st_mtime_ns == time
    with pytest.raises(CohortError, match="other arguments"):
        write_mr_cohort(tmp_path, patients=4, seed=3)


def test_a_cohort_of_the_other_kind_is_replaced_whole(tmp_path):
    write_mr_cohort(tmp_path, patients=2, shape=(32, 48, 32))
    (tmp_path / "notes.txt").write_text("mine")
    write_mr_cohort(tmp_path, patients=3, shape=(32, 48, 32), overwrite=True)
    assert len(list((tmp_path / "imagesTr").iterdir())) == 3
    assert (tmp_path / "notes.txt").exists()


def test_faults_break_image_or_mask(tmp_path):
    faults = {0: "nan", 1: "mask_affine"}
    write_mr_cohort(tmp_path, patients=3, shape=(32, 48, 32), faults=faults)
    table = pd.read_csv(tmp_path / "manifest.csv")
    assert np.isnan(np.asarray(nib.load(tmp_path / table["image"][0]).dataobj)).any()
    image, mask = (nib.load(tmp_path / table[part][1]).affine for part in ("image", "mask"))
    np.testing.assert_allclose(mask[:3, 3] - image[:3, 3], 5, atol=1e-4)
    image, mask = (nib.load(tmp_path / table[part][2]).affine for part in ("image", "mask"))
    np.testing.assert_array_equal(image, mask)
