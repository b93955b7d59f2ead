"""A study proposed from every kind of source, checked as a user would check it."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from medvision.config import load_study
from medvision.errors import CohortError, MedvisionError
from medvision.imaging import load_volume, save_nifti
from medvision.testing import Patient, thorax_phantom, write_ct_cohort, write_dicom_series, write_mr_cohort
from medvision.workflows.check import check
from medvision.workflows.init import init
from medvision.workflows.scan import scan as scan_export


def scan(path, *, seed=0, shape=(24, 20, 18), spacing=(1.0, 1.0, 2.0), low=0):
    array = np.random.default_rng(seed).integers(low, 200, shape).astype(np.int16)
    return save_nifti(path, array, np.diag([*spacing, 1.0]))


def mask(path, *, shape=(24, 20, 18), spacing=(1.0, 1.0, 2.0), values=(1,)):
    array = np.zeros(shape, np.uint8)
    for place, value in enumerate(values):
        array[4 + 3 * place : 6 + 3 * place, 5:9, 5:9] = value
    return save_nifti(path, array, np.diag([*spacing, 1.0]))


def said(proposal, *parts):
    text = str(proposal)
    return all(part in text for part in parts)


@pytest.fixture
def folder(tmp_path):
    """Ten images in `images`, with masks of two structures for nine of them in `labels`."""
    for number in range(10):
        scan(tmp_path / "scans/images" / f"case_{number}.nii.gz", seed=number)
        if number:
            mask(tmp_path / "scans/labels" / f"case_{number}.nii.gz", values=(1, 3))
    return tmp_path / "scans"


def test_a_decathlon_folder_becomes_a_segmentation(tmp_path):
    data = write_mr_cohort(tmp_path / "mr", patients=6, shape=(32, 48, 32))
    proposal = init(data.parent, tmp_path / "study")
    study = load_study(proposal.study)
    assert study.cohort.kind == "msd"
    assert study.task.labels == {"anterior": 1, "posterior": 2}
    assert not (tmp_path / "study/manifest.csv").exists()
    assert said(proposal, "EVERY FILE IS TAKEN AS A PATIENT", "MR (as the source says)")
    assert "nothing wrong found" in str(check(proposal.study))


def test_a_decathlon_of_several_scans_a_patient_gets_a_manifest(tmp_path):
    data = write_mr_cohort(tmp_path / "mr", patients=6, shape=(32, 48, 32))
    content = json.loads(data.read_text())
    for place, pair in enumerate(content["training"]):
        for role, old in list(pair.items()):
            new = f"{old.rsplit('/', 1)[0]}/p{place // 2}_{place % 2}.nii.gz"
            shutil.move(data.parent / old, data.parent / new)
            pair[role] = new
    data.write_text(json.dumps(content))
    proposal = init(data, tmp_path / "study")
    assert proposal.patients == 3
    assert said(proposal, "p0_0, p0_1 → p0", "6 scans of 3 patients", "--patient file")
    assert check(proposal.study).opened.cohort.table["patient_id"].nunique() == 3
    alone = init(data, tmp_path / "alone", patient="file")
    assert alone.patients == 6


def test_a_table_of_dicom_series_is_used_as_it_is(tmp_path):
    table = write_ct_cohort(tmp_path / "ct", patients=10, shape=(80, 80, 24), diameters_mm=(6, 10))
    proposal = init(table, tmp_path / "study")
    study = load_study(proposal.study)
    assert (study.task.label, study.task.positive, study.task.negative) == ("label", "malignant", "benign")
    assert study.cohort.forbidden == ("reader_rating",)
    assert {"diameter_mm", "age", "sex", "scanner"} <= set(study.cohort.covariates)
    assert study.cohort.case == "case_id"
    assert study.preprocessing.crop.around == "mask"
    assert study.preprocessing.intensity.kind == "window"
    assert said(
        proposal, "CT (as the DICOM headers say)", "intensity = {kind: window, window_hu: [-1000.0, 1000.0]}"
    )
    assert "nothing wrong found" in str(check(proposal.study))


def test_a_folder_with_masks_becomes_a_segmentation_of_the_pairs(folder, tmp_path):
    proposal = init(folder, tmp_path / "study")
    study = load_study(proposal.study)
    assert study.task.labels == {"structure_1": 1, "structure_3": 3}
    table = pd.read_csv(proposal.manifest)
    assert list(table["case_id"]) == [f"case_{number}" for number in range(1, 10)]
    assert said(proposal, "1 images have no mask: case_0", "EVERY FILE IS TAKEN", "GIVE THEM NAMES")
    assert "nothing wrong found" in str(check(proposal.study))


def test_without_labels_the_manifest_waits_for_them_and_check_says_so(tmp_path):
    for number in range(12):
        scan(tmp_path / "scans" / f"p{number:02d}.nii.gz", seed=number, low=-1000)
    proposal = init(tmp_path / "scans", tmp_path / "study")
    assert said(proposal, "NO LABEL WAS FOUND", "as air is in HU")
    with pytest.raises(CohortError, match="the label 'label' is empty"):
        check(proposal.study)
    table = pd.read_csv(proposal.manifest)
    table.assign(label=[number % 2 for number in range(12)]).to_csv(proposal.manifest, index=False)
    assert "12 scans of 12 patients, 6 positive" in str(check(proposal.study))


def test_a_bids_tree_with_participants(tmp_path):
    root = tmp_path / "bids"
    for number in range(1, 9):
        for session in ("a", "b"):
            name = f"sub-{number:02d}_ses-{session}_T1w.nii.gz"
            scan(root / f"sub-{number:02d}/ses-{session}/anat/{name}", seed=10 * number + ord(session))
    scan(root / "sub-01/ses-a/func/sub-01_ses-a_task-rest_bold.nii.gz")
    people = pd.DataFrame({"participant_id": [f"sub-{n:02d}" for n in range(1, 9)]})
    people = people.assign(group=["patient", "control"] * 4, age=range(30, 38), name="x")
    people.to_csv(root / "participants.tsv", sep="\t", index=False)
    with pytest.raises(CohortError, match="2 kinds") as caught:
        init(root, tmp_path / "study")
    assert "anat/…_T1w: 16 images" in str(caught.value)
    proposal = init(root, tmp_path / "study", images="*_T1w.nii.gz")
    study = load_study(proposal.study)
    assert (study.task.label, study.task.positive) == ("group", "patient")
    assert study.cohort.covariates == ("age",)
    assert (proposal.cases, proposal.patients) == (16, 8)
    assert "nothing wrong found" in str(check(proposal.study))


def medmnist(path, *, shape=(8, 8, 8), classes=2, sizes=(12, 4, 6)):
    random = np.random.default_rng(1)
    arrays = {}
    for part, size in zip(("train", "val", "test"), sizes, strict=True):
        arrays[f"{part}_images"] = random.integers(0, 255, (size, *shape), dtype=np.uint8)
        arrays[f"{part}_labels"] = (np.arange(size) % classes).astype(np.uint8)[:, None]
    arrays["train_images"][3] = arrays["test_images"][2]
    arrays["train_images"][6] = arrays["train_images"][5]
    np.savez_compressed(path, **arrays)
    return arrays


@pytest.mark.parametrize("shape", [(8, 8, 8), (9, 8)])
def test_medmnist_keeps_the_official_split_and_says_what_is_unknown(tmp_path, shape):
    arrays = medmnist(tmp_path / "organ.npz", shape=shape)
    proposal = init(tmp_path / "organ.npz", tmp_path / "study")
    table = pd.read_csv(proposal.manifest)
    assert table["split"].value_counts().to_dict() == {"train": 10, "val": 4, "test": 6}
    assert {"train_00003", "train_00006"}.isdisjoint(table["case_id"])
    row = table.set_index("case_id").loc["test_00001"]
    written = load_volume(tmp_path / "study" / row["image"]).array
    original = arrays["test_images"][1]
    expected = original if original.ndim == 3 else original.T[:, :, None]
    assert np.array_equal(written, expected)
    assert row["label"] == 1
    assert said(
        proposal,
        "ONLY THE OFFICIAL SPLIT IS VALID",
        "train_00003 (is test_00002, of another label)",
        "train_00006 (is train_00005",
        "1 mm",
    )
    assert said(proposal, "one slice" if len(shape) == 2 else "--positive 0")
    assert "nothing wrong found" in str(check(proposal.study))


def test_medmnist_of_many_classes_needs_the_positive_one(tmp_path):
    medmnist(tmp_path / "organ.npz", classes=3)
    with pytest.raises(CohortError, match=r"3 classes \(0, 1, 2\)"):
        init(tmp_path / "organ.npz", tmp_path / "study")
    with pytest.raises(CohortError, match="no class '7'"):
        init(tmp_path / "organ.npz", tmp_path / "study", positive="7")
    proposal = init(tmp_path / "organ.npz", tmp_path / "study", positive="2")
    table = pd.read_csv(proposal.manifest).set_index("case_id")
    assert table.loc["test_00002", "label"] == 1
    assert table.loc["test_00001", "label"] == 0


def test_an_inventory_gives_its_complete_volumes(tmp_path):
    for number in range(6):
        scan(tmp_path / "export" / f"s{number}.nii.gz", seed=number)
    pd.DataFrame(
        {
            "patient": [f"P{number // 2}" for number in range(6)],
            "path": [f"export/s{number}.nii.gz" for number in range(6)],
            "complete": [True, True, False, True, True, True],
            "slices": [18, 18, 18, 1, 18, 18],
        }
    ).to_parquet(tmp_path / "inventory.parquet")
    proposal = init(tmp_path / "inventory.parquet", tmp_path / "study")
    table = pd.read_csv(proposal.manifest)
    assert list(table["image"]) == [f"../export/s{number}.nii.gz" for number in (0, 1, 4, 5)]
    assert list(table["patient_id"]) == ["P0", "P0", "P2", "P2"]
    assert said(proposal, "4 of 6 series are kept, those where complete is true and slices is over 1")
    with pytest.raises(CohortError, match="the label 'label' is empty"):
        check(proposal.study)


def test_what_a_scan_says_of_series_is_no_label(tmp_path):
    for number in range(3):
        write_dicom_series(
            thorax_phantom(number, shape=(48, 40, 16), lesions=1, diameters_mm=(6, 8)),
            tmp_path / "export" / str(number),
            patient=Patient(f"p{number}"),
        )
    found = scan_export(tmp_path / "export", out=tmp_path / "inventory")
    table = found.table.assign(kind=["image", "image", "derived"])
    table.to_parquet(found.inventory)
    proposal = init(found.inventory, tmp_path / "study")
    assert said(proposal, "no label was found")
    assert pd.read_csv(proposal.manifest)["label"].isna().all()
    assert proposal.cases == proposal.patients == 3
    assert "study" not in load_study(proposal.study).cohort.covariates


def table_of(tmp_path, **columns):
    for number in range(12):
        if not (tmp_path / f"s{number}.nii.gz").exists():
            scan(tmp_path / f"s{number}.nii.gz", seed=number)
    frame = pd.DataFrame(
        {"patient_id": [f"p{n}" for n in range(12)], "image": [f"s{n}.nii.gz" for n in range(12)]}
    )
    file = tmp_path / "cases.csv"
    frame.assign(**columns).to_csv(file, index=False)
    return file


def test_an_official_split_in_a_table_is_not_passed_over_in_silence(tmp_path):
    file = table_of(tmp_path, y=[0, 1] * 6, split=["Training", "val", "test"] * 4, fold=[0, 1, 2] * 4)
    proposal = init(file, tmp_path / "study")
    assert said(proposal, "THE SPLIT IN 'split' (Training, test, val) IS NOT FOLLOWED")
    assert not said(proposal, "'fold'")


def test_several_candidates_for_the_label_are_listed_not_guessed(tmp_path):
    half = [0, 1] * 6
    file = table_of(tmp_path, diagnosis=half, outcome=["dead", "alive"] * 6)
    with pytest.raises(CohortError, match="2 columns could be the label") as caught:
        init(file, tmp_path / "study")
    assert caught.value.problems == ("diagnosis: 0 or 1", "outcome: alive or dead")
    with pytest.raises(CohortError, match="say which is diseased with --positive"):
        init(file, tmp_path / "study", label="outcome")
    with pytest.raises(CohortError, match=r"never is 'gone' \(--positive\)"):
        init(file, tmp_path / "study", label="outcome", positive="gone")
    with pytest.raises(CohortError, match="did you mean 'outcome'"):
        init(file, tmp_path / "study", label="outcom")
    proposal = init(file, tmp_path / "study", label="outcome", positive="dead")
    study = load_study(proposal.study)
    assert study.cohort.forbidden == ("diagnosis",)
    assert "alone it tells 'outcome' with AUC 1.000" in proposal.study.read_text()
    assert "nothing wrong found" in str(check(proposal.study))


def test_columns_that_name_people_or_files_or_nothing_are_left_out_with_reasons(tmp_path):
    file = table_of(
        tmp_path,
        malignant=["yes", "no"] * 6,
        malignancy_score=range(12),
        patient_name=["x", "y"] * 6,
        study_date=["2020-01-02", "2021-03-04"] * 6,
        study_uid=range(12),
        fold=[1, 2, 3] * 4,
        constant=1,
        sparse=[1, 2, *[None] * 10],
        note=[f"free text {n}" for n in range(12)],
        diameter_mm=[3, 9, 4, 8, 5, 7, 3, 9, 4, 6, 7, 6],
    )
    proposal = init(file, tmp_path / "study")
    study = load_study(proposal.study)
    assert set(study.cohort.covariates) <= {"note", "diameter_mm"}
    assert "malignancy_score" in study.cohort.forbidden
    text = " ".join(proposal.study.read_text().replace("#", " ").split())
    for reason in (
        "patient_name (it may name a person)", "study_date (it is a date)", "study_uid (it is an identifier)",
        "fold (it names parts of a split)", "constant (it has one value)",
        "sparse (it is empty for more than half",
    ):  # fmt: skip
        assert reason in text
    assert study.task.positive == "yes"


def test_labels_that_cannot_be_used_are_said(tmp_path):
    with pytest.raises(CohortError, match="label has 3 values, and a classification takes two"):
        init(table_of(tmp_path, label=["a", "b", "c"] * 4), tmp_path / "study")
    with pytest.raises(CohortError, match=r"the label 'grade' has 3 values \(a, b, c\)"):
        init(table_of(tmp_path, grade=["a", "b", "c"] * 4), tmp_path / "study", label="grade")
    # pandas writes whole numbers beside empty cells as 1.0
    proposal = init(table_of(tmp_path, label=[1, 0] * 5 + [None, None]), tmp_path / "study")
    assert "2 CASES HAVE NO 'label'" in str(proposal)
    assert load_study(proposal.study).task.positive == 1


def test_what_must_not_be_guessed_is_refused(tmp_path, folder):
    file = table_of(tmp_path, y=[0, 1] * 6)
    frame = pd.read_csv(file)
    frame.rename(columns={"patient_id": "who"}).to_csv(tmp_path / "nobody.csv", index=False)
    with pytest.raises(CohortError, match="no column says who the patient is"):
        init(tmp_path / "nobody.csv", tmp_path / "study")
    assert init(tmp_path / "nobody.csv", tmp_path / "named", patient="who").patients == 12
    with pytest.raises(CohortError, match="no column 'whom' for --patient; did you mean 'who'"):
        init(tmp_path / "nobody.csv", tmp_path / "study", patient="whom")
    frame.assign(image="nowhere.nii").to_csv(tmp_path / "absent.csv", index=False)
    with pytest.raises(CohortError, match="no column names files that are there"):
        init(tmp_path / "absent.csv", tmp_path / "study")
    with pytest.raises(CohortError, match="no mask was found"):
        init(file, tmp_path / "study", task="segmentation")
    with pytest.raises(CohortError, match="there is no"):
        init(tmp_path / "nowhere", tmp_path / "study")
    (tmp_path / "a.docx").write_text("x")
    with pytest.raises(CohortError, match="a study begins with"):
        init(tmp_path / "a.docx", tmp_path / "study")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CohortError, match="no NIfTI in it; for a DICOM export"):
        init(tmp_path / "empty", tmp_path / "study")
    init(file, tmp_path / "study")
    with pytest.raises(MedvisionError, match="is there already"):
        init(file, tmp_path / "study")
    assert init(file, tmp_path / "study", overwrite=True).cases == 12
    assert init(folder, tmp_path / "asked", task="classification").cases == 10


def test_options_that_a_source_has_no_use_for_are_refused(tmp_path):
    medmnist(tmp_path / "organ.npz")
    with pytest.raises(CohortError, match="--images chooses files of a folder"):
        init(tmp_path / "organ.npz", tmp_path / "study", images="*")
    with pytest.raises(CohortError, match="MedMNIST names no patients"):
        init(tmp_path / "organ.npz", tmp_path / "study", patient="file")
    (tmp_path / "sub-01").mkdir()
    with pytest.raises(CohortError, match="are its subjects"):
        init(tmp_path, tmp_path / "study", patient="file")


def test_masks_that_are_no_masks_are_refused(tmp_path):
    for number in range(3):
        scan(tmp_path / "scans" / f"a{number}.nii.gz", seed=number)
        scan(tmp_path / "scans" / f"a{number}_mask.nii.gz", seed=number + 9)
    with pytest.raises(CohortError, match="masks hold a whole number from 1 to 255"):
        init(tmp_path / "scans", tmp_path / "study")


def test_two_columns_for_the_patient_are_listed(tmp_path):
    file = table_of(tmp_path, y=[0, 1] * 6)
    frame = pd.read_csv(file).rename(columns={"patient_id": "subject"})
    frame.assign(pid=range(12)).to_csv(tmp_path / "two.csv", index=False)
    with pytest.raises(CohortError, match="subject, pid could all be the patient"):
        init(tmp_path / "two.csv", tmp_path / "study")


def test_an_inventory_without_a_complete_volume_is_refused(tmp_path):
    file = table_of(tmp_path, complete=False, slices="many")
    with pytest.raises(CohortError, match="none of its 12 series is one where complete is true"):
        init(file, tmp_path / "study")


def test_a_dataset_json_has_no_labels_of_cases(tmp_path):
    data = write_mr_cohort(tmp_path / "mr", patients=4, shape=(32, 48, 32))
    with pytest.raises(CohortError, match="has masks but no labels of cases"):
        init(data, tmp_path / "study", label="x")


def test_nnunet_without_a_list_of_cases(tmp_path):
    for number in range(6):
        scan(tmp_path / "n/imagesTr" / f"c{number:03d}_0000.nii.gz", seed=number)
        mask(tmp_path / "n/labelsTr" / f"c{number:03d}.nii.gz")
    (tmp_path / "n/dataset.json").write_text(
        json.dumps({"labels": {"background": 0, "tumour": 1}, "channel_names": {"0": "CT"}})
    )
    proposal = init(tmp_path / "n", tmp_path / "study")
    assert load_study(proposal.study).task.labels == {"tumour": 1}
    assert "nothing wrong found" in str(check(proposal.study))


def test_images_that_are_refused_are_named(tmp_path):
    file = table_of(tmp_path, y=[0, 1] * 6)
    (tmp_path / "s3.nii.gz").write_bytes(b"broken")
    assert said(init(file, tmp_path / "study"), "1 OF 12 IMAGES LOOKED AT ARE REFUSED", "s3.nii.gz")


def test_large_images_get_coarser_voxels_and_a_loud_note(tmp_path):
    for number in range(4):
        scan(
            tmp_path / "scans" / f"p{number}.nii.gz",
            seed=number,
            shape=(140, 30, 30),
            spacing=(1, 1 + number / 9, 1),
        )
    proposal = init(tmp_path / "scans", tmp_path / "study")
    study = load_study(proposal.study)
    assert max(study.preprocessing.crop.size_voxels) <= 64
    assert study.preprocessing.spacing_mm[0] == pytest.approx(140 / 64, abs=0.01)
    assert said(proposal, "SMALL FINDINGS VANISH")


@pytest.mark.data
@pytest.mark.parametrize(
    ("source", "cases", "patients"),
    [
        ("hippocampus", 196, 196),
        ("lidc_nodules/cohort.csv", 725, 393),
        ("adrenalmnist3d/adrenalmnist3d.npz", 1584, None),
        ("breastmnist/breastmnist.npz", 779, None),  # 780, one of which stands in two parts
    ],
)
def test_real_sources_are_accepted_by_check(data_dir, tmp_path, source, cases, patients):
    proposal = init(data_dir / source, tmp_path / "study")
    assert proposal.cases == cases
    assert patients is None or proposal.patients == patients
    assert "nothing wrong found" in str(check(proposal.study))
    if "lidc" in source:
        study = load_study(proposal.study)
        assert "malignancy_rating" in study.cohort.forbidden
        assert said(proposal, "diameter_mm alone tells the label with AUC 0.91")
