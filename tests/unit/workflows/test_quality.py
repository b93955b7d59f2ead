"""`medvision check --data`: what it finds, writes, remembers and refuses."""

import subprocess
import sys

import nibabel
import numpy as np
import pandas as pd
import pytest

from medvision.cli import main
from medvision.errors import CohortError, LeakageError
from medvision.imaging import load_volume
from medvision.workflows import copies, quality_case
from medvision.workflows.quality import check_data


def rows(study):
    return pd.read_csv(study.parent / "cohort.csv", dtype=str)


def write(study, table):
    table.to_csv(study.parent / "cohort.csv", index=False)


def tables(study):
    folder = study.parent / "quality"
    return {name: pd.read_csv(folder / f"{name}.csv") for name in ("quality", "duplicates", "shortcuts")}


def mirrored(study, patient, label=None):
    """Add a flipped, windowed copy of the first scan, stored as NIfTI, under a patient."""
    table = rows(study)
    first = table.iloc[[0]]
    scan, mask = (load_volume(study.parent / first[name].iloc[0]) for name in ("image", "mask"))
    for name, volume in (("copy", scan), ("copy_mask", mask)):
        array = np.asarray(volume.array)[::-1]
        array = array.clip(-900, 300) if name == "copy" else array
        nibabel.save(nibabel.Nifti1Image(array, volume.affine), study.parent / f"{name}.nii.gz")
    new = first.assign(
        case_id="twin", patient_id=patient, image="copy.nii.gz", mask="copy_mask.nii.gz",
        label=label or first["label"],
    )  # fmt: skip
    write(study, pd.concat([table, new]))


def test_a_good_cohort_is_measured_and_written(nodules):
    found = check_data(nodules)
    table = rows(nodules)
    assert f"{len(table)} of {len(table)} nodules read" in str(found)
    written = tables(nodules)
    assert sorted(written["quality"]["case_id"]) == sorted(table["case_id"])
    assert written["quality"]["rank"].tolist() == list(range(1, len(table) + 1))
    assert (written["quality"]["oddness"].diff().dropna() <= 0).all()
    one = written["quality"].set_index("case_id").loc[table["case_id"][0]]
    mask = load_volume(nodules.parent / table["mask"][0])
    volume = np.count_nonzero(mask.array) * np.prod(mask.spacing_mm)
    assert one["mask_mm3"] == pytest.approx(volume)
    assert one["orientation"] == "LPS" or len(one["orientation"]) == 3
    assert written["duplicates"].empty
    page = found.page.read_text(encoding="utf-8")
    assert page.count("data:image/png;base64") == len(table)
    assert "http" not in page.split("<style>")[0] + page.split("</style>")[1]


def test_forbidden_columns_and_header_fields_are_among_the_shortcuts(nodules):
    check_data(nodules)
    shortcuts = tables(nodules)["shortcuts"]
    rating = shortcuts[shortcuts["field"] == "reader_rating"]
    assert set(rating["source"]) == {"forbidden column"}
    assert rating["auc"].max() > 0.7
    fields = set(shortcuts["field"])
    assert {"diameter_mm", "matrix_i", "age", "sex"} & fields >= {"diameter_mm", "age"}
    assert {"label", "case_id", "patient_id", "image", "mask"} & fields == set()


def test_a_second_check_reads_no_scan_and_compares_none(nodules, monkeypatch):
    first = check_data(nodules)

    def refuse(*words, **named):
        raise AssertionError("read again")

    monkeypatch.setattr(quality_case, "load_volume", refuse)
    monkeypatch.setattr(copies, "find_lookalikes", refuse)
    again = check_data(nodules)
    assert str(again) == str(first)
    assert again.page.read_bytes() == first.page.read_bytes()


def test_a_damaged_memory_is_made_anew(nodules, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDVISION_CACHE", str(tmp_path / "own"))
    first = check_data(nodules)
    for entry in (tmp_path / "own" / "quality").iterdir():
        entry.write_bytes(entry.read_bytes()[:40])
    assert str(check_data(nodules)) == str(first)


def test_a_mirrored_copy_under_another_patient_is_leakage_and_the_page_is_there(nodules):
    mirrored(nodules, "SOMEBODY")
    with pytest.raises(LeakageError, match="case twin of patient SOMEBODY") as caught:
        check_data(nodules)
    assert "mirrored left–right" in str(caught.value)
    pairs = tables(nodules)["duplicates"]
    assert set(pairs["kind"]) == {"near"}
    assert pairs["crosses_patient"].all()
    assert "SOMEBODY" in (nodules.parent / "quality" / "quality.html").read_text(encoding="utf-8")


def test_a_copy_under_the_same_patient_is_told_and_not_refused(nodules):
    mirrored(nodules, rows(nodules)["patient_id"][0])
    found = check_data(nodules)
    assert {pair.second for pair in found.copies.pairs} >= {"twin"}
    assert not any(pair.leaks for pair in found.copies.pairs)


def test_the_same_scan_as_dicom_and_nifti_is_an_exact_copy(nodules):
    table = rows(nodules)
    scan = load_volume(nodules.parent / table["image"][0])
    nibabel.save(nibabel.Nifti1Image(scan.array, scan.affine), nodules.parent / "same.nii.gz")
    write(nodules, pd.concat([table, table.iloc[[0]].assign(
        case_id="twin", patient_id="SOMEBODY", image="same.nii.gz"
    )]))  # fmt: skip
    with pytest.raises(LeakageError, match="the same voxels"):
        check_data(nodules)
    assert "exact" in set(tables(nodules)["duplicates"]["kind"])


def test_one_image_with_two_labels_is_refused(nodules):
    table = rows(nodules)
    first = table.iloc[0]
    other = {"benign": "malignant", "malignant": "benign"}[first["label"]]
    scan = load_volume(nodules.parent / first["image"])
    nibabel.save(nibabel.Nifti1Image(scan.array, scan.affine), nodules.parent / "same.nii.gz")
    mask = load_volume(nodules.parent / first["mask"])
    nibabel.save(nibabel.Nifti1Image(mask.array, mask.affine), nodules.parent / "same_mask.nii.gz")
    twin = first.to_frame().T.assign(
        case_id="twin", label=other, image="same.nii.gz", mask="same_mask.nii.gz"
    )
    write(nodules, pd.concat([table, twin]))
    with pytest.raises(CohortError, match=r"^1 pair of one scan with two labels; mend") as caught:
        check_data(nodules)
    assert "case twin" in str(caught.value)
    assert "labelled" in str(caught.value)


def test_scans_that_cannot_be_read_are_named_and_the_others_measured(nodules):
    table = rows(nodules)
    for file in sorted((nodules.parent / table["image"][0]).iterdir())[:1]:
        file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(CohortError, match="cannot be read") as caught:
        check_data(nodules)
    assert f"patient {table['patient_id'][0]}" in str(caught.value)
    written = tables(nodules)["quality"]
    assert len(written) == len(table)
    assert written["problem"].notna().sum() == (table["image"] == table["image"][0]).sum()


def test_odd_scans_come_first_with_what_is_odd(organ):
    names = sorted((organ.parent / "imagesTr").iterdir())
    loaded = nibabel.load(names[0])
    array = np.asarray(loaded.dataobj).astype(np.float32)
    array[:, :, :6] = np.nan
    nibabel.save(nibabel.Nifti1Image(array, loaded.affine), names[0])
    mask = nibabel.load(organ.parent / "labelsTr" / names[1].name)
    nibabel.save(
        nibabel.Nifti1Image(np.zeros(mask.shape, np.uint8), mask.affine),
        organ.parent / "labelsTr" / names[1].name,
    )
    found = check_data(organ)
    odd = {name: found.oddness.z.loc[name] for name in found.outliers}
    broken, empty = (name.name.removesuffix(".nii.gz") for name in names[:2])
    assert odd[broken]["not_finite"] > 3.5 or odd[broken]["constant_slices"] > 3.5
    assert found.measures.loc[broken, "constant_slices"] == 6
    assert found.measures.loc[empty, "mask_empty"] == 1
    page = found.page.read_text(encoding="utf-8")
    assert f"1 case with an empty mask: {empty}" in page
    assert "values that are not finite" in page
    assert (found.shortcuts, found.mixed) == ((), {})


def test_a_mask_of_another_grid_is_a_problem_of_its_case(organ):
    mask = sorted((organ.parent / "labelsTr").iterdir())[0]
    loaded = nibabel.load(mask)
    nibabel.save(nibabel.Nifti1Image(np.asarray(loaded.dataobj)[:-1], loaded.affine), mask)
    with pytest.raises(CohortError, match=r"^1 case cannot be read; mend"):
        check_data(organ)


def test_mixed_labels_are_a_problem_only_where_the_label_is_the_patients(nodules, edited):
    found = check_data(nodules)
    assert found.mixed
    assert "That may be so, since a case is a nodule" in found.page.read_text(encoding="utf-8")
    edited(nodules, "unit: nodule", "unit: patient")
    assert "so one of them is wrong" in check_data(nodules).page.read_text(encoding="utf-8")


def test_the_command_line_prints_writes_and_leaves_with_two_for_leakage(
    nodules, capsys, tmp_path, monkeypatch
):
    monkeypatch.setattr("medvision.interrupt.stop_on_interrupt", lambda advice: None)
    out = tmp_path / "elsewhere"
    words = ["check", str(nodules), "--data", "--out", str(out), "--quiet"]
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert "nodules read" in text
    assert "nothing wrong found" in text
    assert {file.name for file in out.iterdir()} == {
        "quality.html", "quality.csv", "duplicates.csv", "shortcuts.csv"
    }  # fmt: skip
    mirrored(nodules, "SOMEBODY")
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_names_from_headers_stay_out_of_the_page_and_tables(nodules):
    import pydicom

    table = rows(nodules)
    file = sorted((nodules.parent / table["image"][0]).iterdir())[0]
    header = pydicom.dcmread(file, stop_before_pixels=True)
    check_data(nodules)
    for written in (nodules.parent / "quality").iterdir():
        text = written.read_text(encoding="utf-8")
        assert str(header.PatientName) not in text
        assert str(header.get("StudyDate") or "no date") not in text


def test_checking_data_loads_no_deep_learning_library(nodules):
    code = (
        "import sys; from medvision.workflows.quality import check_data; check_data(sys.argv[1]);"
        "print([name for name in ('torch', 'monai', 'lightning') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(nodules)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.data
def test_the_diameter_of_real_nodules_is_found(repository, data_dir, monkeypatch):
    """Lung nodules: the data's own description says that the diameter alone reaches an AUC of 0.91."""
    from medvision.workflows.header_fields import case_fields
    from medvision.workflows.opened import open_study
    from medvision.workflows.shortcuts import find_shortcuts

    monkeypatch.setenv("MEDVISION_TEST_DATA", str(data_dir))
    opened = open_study(repository / "experiments" / "lung_nodules" / "study.yaml")
    cases = list(opened.cohort)
    header = quality_case._examine(cases[0].image, None)
    fields = case_fields(opened, cases, dict.fromkeys((case.case_id for case in cases), header))
    table = opened.cohort.table
    found = find_shortcuts(fields, table["label"].tolist(), table["patient_id"].tolist(), seed=1)
    best = found[0]
    assert (best.field, best.strong) == ("diameter_mm", True)
    assert best.area.value == pytest.approx(0.91, abs=0.005)
    assert best.area.low > 0.85
    assert "malignancy_rating" in {each.field for each in found if each.strong}
