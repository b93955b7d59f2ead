"""Tables of cases: what is read, and what is refused with everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from medvision.cohort import Case, read_manifest
from medvision.errors import CohortError, LeakageError

RIGHT = """\
patient_id,image,mask,cancer,age,site
007,a.nii,am.nii,1,40,01
007,b.nii,bm.nii,0,40,02
8,c.nii,cm.nii,0,,03
"""


def test_a_right_table(manifest, tmp_path):
    path = manifest(RIGHT)
    cohort = read_manifest(path, mask="mask", label="cancer", covariates=["age"], stratify_by=["site"])
    assert list(cohort.table.columns) == ["case_id", "patient_id", "image", "mask", "label", "age", "site"]
    assert cohort.table["patient_id"].tolist() == ["007", "007", "8"]
    assert cohort.table["case_id"].tolist() == ["007_1", "007_2", "8_1"]
    assert cohort.table["label"].dtype == "int64"
    assert cohort.table["site"].tolist() == ["01", "02", "03"]
    assert cohort.places == ("cohort.csv:2", "cohort.csv:3", "cohort.csv:4")
    first = next(iter(cohort))
    assert first == Case(
        "007_1", "007", tmp_path / "a.nii", tmp_path / "am.nii", 1, {"age": 40.0, "site": "01"}
    )
    assert cohort.source == path
    assert len(cohort) == 3


def test_cases_are_named_after_patients_that_have_one_each(manifest):
    cohort = read_manifest(manifest("patient_id,image\n007,a.nii\n8,b.nii\n"))
    assert cohort.table["case_id"].tolist() == ["007", "8"]
    assert cohort.table["label"].tolist() == [None, None]
    assert cohort.table["mask"].tolist() == [None, None]
    assert [case.label for case in cohort] == [None, None]


def test_a_folder_is_an_image(manifest, tmp_path):
    (tmp_path / "series").mkdir()
    path = tmp_path / "cohort.csv"
    path.write_text("patient_id,image\n1,series\n")
    assert next(iter(read_manifest(path))).image == tmp_path / "series"


def test_paths_are_relative_to_the_table(manifest, tmp_path, monkeypatch):
    manifest("patient_id,image\n1,deep/a.nii\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    cohort = read_manifest(Path("../cohort.csv"))
    assert next(iter(cohort)).image == tmp_path / "deep" / "a.nii"


def test_a_table_behind_a_link_to_its_folder(manifest, tmp_path):
    (tmp_path / "real" / "study").mkdir(parents=True)
    (tmp_path / "real" / "a.nii").write_bytes(b"")
    (tmp_path / "real" / "study" / "cohort.csv").write_text("patient_id,image\n1,../a.nii\n")
    (tmp_path / "link").symlink_to(tmp_path / "real" / "study")
    assert read_manifest(tmp_path / "link" / "cohort.csv").table["patient_id"].tolist() == ["1"]


@pytest.mark.parametrize("name", ["cohort.parquet", "cohort.xlsx"])
def test_other_formats_say_the_same(manifest, tmp_path, name):
    read = {"mask": "mask", "label": "cancer", "covariates": ["age"], "stratify_by": ["site"]}
    expected = read_manifest(manifest(RIGHT), **read).table
    frame = pd.read_csv(tmp_path / "cohort.csv", dtype={"patient_id": str, "site": str})
    if name.endswith("xlsx"):
        pytest.importorskip("openpyxl")
        frame.to_excel(tmp_path / name, index=False)
    else:
        frame.to_parquet(tmp_path / name, index=False)
    pd.testing.assert_frame_equal(read_manifest(tmp_path / name, **read).table, expected)


def test_numbers_as_patients_in_parquet(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"")
    (tmp_path / "b.nii").write_bytes(b"")
    frame = pd.DataFrame({"patient_id": [7.0, 8.0], "image": ["a.nii", "b.nii"]})
    frame.to_parquet(tmp_path / "cohort.parquet")
    assert read_manifest(tmp_path / "cohort.parquet").table["patient_id"].tolist() == ["7", "8"]


def test_one_letter_in_two_forms_of_unicode_is_one(manifest):
    path = manifest("patient_id,image\nM\u00fcller,a.nii\nMu\u0308ller,b.nii\n")
    assert read_manifest(path).table["patient_id"].tolist() == ["M\u00fcller"] * 2


@pytest.mark.parametrize(
    ("one", "other"),
    [("P1", "p1"), ("7", "7.0"), ("7", "007"), ("P-1", "P\u20131"), ("P1", "P\u200b1"), ("A 1", "A  1")],
)
def test_patients_that_differ_only_in_how_they_are_written_are_refused(manifest, one, other):
    path = manifest(f"patient_id,image\n{one},a.nii\nB,b.nii\n{other},c.nii\n")
    with pytest.raises(CohortError) as caught:
        read_manifest(path)
    (problem,) = caught.value.problems
    assert f"{one!r} (cohort.csv:2)" in problem
    assert f"{other!r} (cohort.csv:4)" in problem


@pytest.mark.parametrize("names", ["P1 P2 P10 P01", "1 2 10 100", "a-1 a_1 a1", "1.5 15 1.50"])
def test_patients_that_are_written_differently_are_several(manifest, names):
    rows = "".join(f"{name},{place}.nii\n" for place, name in enumerate(names.split()))
    assert read_manifest(manifest(f"patient_id,image\n{rows}")).table["patient_id"].tolist() == names.split()


def test_columns_in_the_index_of_a_parquet_table(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"")
    frame = pd.DataFrame({"patient_id": ["007"], "image": ["a.nii"]}).set_index("patient_id")
    frame.to_parquet(tmp_path / "cohort.parquet")
    assert read_manifest(tmp_path / "cohort.parquet").table["patient_id"].tolist() == ["007"]


def test_forbidden_columns_are_not_in_the_result(manifest):
    cohort = read_manifest(manifest(RIGHT), label="cancer", covariates=["age"], forbidden=["site"])
    assert "site" not in cohort.table.columns
    assert "site" not in next(iter(cohort)).covariates


def problems(path, error=CohortError, **read):
    with pytest.raises(error) as caught:
        read_manifest(path, **read)
    return list(caught.value.problems) or [caught.value.message]


def test_all_problems_at_once(manifest, tmp_path):
    path = manifest(
        "patient_id,image,mask,cancer\n"
        "1,a.nii,am.nii,1\n"
        ",b.nii,bm.nii,0\n"
        "3,c.nii,,0\n"
        "4,d.nii,dm.nii,\n"
        "5,e.nii,em.nii,maybe\n"
        "6,,fm.nii,0\n"
        "7,g.nii,gm.nii,0\n",
        absent=("c.nii", "gm.nii"),
    )
    found = problems(path, mask="mask", label="cancer", positive=1, negative=0, folds=2)
    assert found == [
        "cohort.csv:5 (patient 4): the label 'cancer' is empty",
        "cohort.csv:6 (patient 5): the label 'cancer' is 'maybe', neither 1 nor 0",
        "class 1 has 1 patient, and 2 folds need at least 2",
        "cohort.csv:7 (patient 6): no image",
        f"cohort.csv:4 (patient 3): there is no image {tmp_path / 'c.nii'}",
        "cohort.csv:4 (patient 3): no mask",
        f"cohort.csv:8 (patient 7): there is no mask {tmp_path / 'gm.nii'}",
        "cohort.csv:3 (patient ?): no patient",
    ]


def test_a_missing_column_and_the_right_word(manifest):
    found = problems(manifest("patient,image,canser\n1,a.nii,1\n"), label="cancer", covariates=["years"])
    columns = "(columns: patient, image, canser)"
    assert found == [
        f"cohort.csv: no column 'years' for a covariate {columns}",
        f"cohort.csv: no column 'patient_id' for the patient; did you mean 'patient'? {columns}",
        f"cohort.csv: no column 'cancer' for the label; did you mean 'canser'? {columns}",
    ]


@pytest.mark.parametrize("empty", ["", " ", "NA", "nan", "None", "null", "N/A"])
def test_a_patient_without_a_name(manifest, empty):
    found = problems(manifest(f"patient_id,image\n{empty},a.nii\n2,b.nii\n"))
    assert len(found) == 1
    assert found[0].endswith(": no patient")


def test_a_path_that_no_file_can_have_is_a_missing_file(tmp_path):
    (tmp_path / "cohort.csv").write_text(f"patient_id,image\n7,{'x' * 300}.nii\n")
    with pytest.raises(CohortError, match="there is no image"):
        read_manifest(tmp_path / "cohort.csv")


def test_cases_that_stand_there_twice(manifest):
    path = manifest("patient_id,name,image\n1,x,a.nii\n2,y,b.nii\n3,x,c.nii\n")
    assert problems(path, case="name") == [
        "cohort.csv:4 (patient 3): the case 'x' stands here twice; the first is cohort.csv:2 (patient 1)"
    ]


@pytest.mark.parametrize("name", ["a/b", "a\\b", "..", "", "a\x07b"])
def test_cases_that_cannot_name_a_file(tmp_path, name):
    (tmp_path / "a.nii").write_bytes(b"")
    pd.DataFrame({"patient_id": ["1"], "name": [name], "image": ["a.nii"]}).to_parquet(
        tmp_path / "cohort.parquet"
    )
    found = problems(tmp_path / "cohort.parquet", case="name")
    assert len(found) == 1
    assert "cannot name a file" in found[0]


def test_one_image_under_two_patients_is_a_leak(manifest, tmp_path):
    path = manifest("patient_id,image\n1,a.nii\n2,./a.nii\n")
    assert problems(path, LeakageError) == [
        f"cohort.csv:3 (patient 2): the image {tmp_path / 'a.nii'} is also that of cohort.csv:2 (patient 1)"
    ]


def test_a_leak_is_raised_as_one_among_other_problems(manifest):
    path = manifest("patient_id,image\n1,a.nii\n2,a.nii\n,b.nii\n")
    assert len(problems(path, LeakageError)) == 2


def test_one_image_with_several_masks_is_several_cases(manifest):
    path = manifest("patient_id,image,mask\n1,a.nii,m1.nii\n1,a.nii,m2.nii\n")
    assert len(read_manifest(path, mask="mask")) == 2


def test_one_image_twice_without_masks_is_a_duplicate(manifest, tmp_path):
    path = manifest("patient_id,image,mask\n1,a.nii,m1.nii\n1,a.nii,m1.nii\n")
    twice = f"cohort.csv:3 (patient 1): the same image as cohort.csv:2 (patient 1): {tmp_path / 'a.nii'}"
    assert problems(path) == [twice]
    assert problems(path, mask="mask") == [twice.replace("the same image", "the same image and mask")]


def test_forbidden_columns_that_are_asked_for(manifest):
    path = manifest(RIGHT)
    assert problems(path, label="cancer", covariates=["age"], forbidden=["age", "mask"], mask="mask") == [
        "cohort.csv: the column 'age' is forbidden and is asked for as a covariate",
        "cohort.csv: the column 'mask' is forbidden and is asked for as the mask",
    ]


def test_a_forbidden_column_that_is_not_there_guards_nothing(manifest):
    assert problems(manifest(RIGHT), forbidden=["sight"]) == [
        "cohort.csv: no column 'sight', which is forbidden; did you mean 'site'?"
    ]


def test_the_label_is_no_covariate(manifest):
    assert problems(manifest(RIGHT), label="cancer", covariates=["cancer"]) == [
        "cohort.csv: the label 'cancer' cannot be a covariate too"
    ]


def test_a_covariate_must_not_be_taken_for_a_standard_column(manifest):
    path = manifest("patient_id,scan,label\n1,a.nii,x\n2,b.nii,y\n")
    assert problems(path, image="scan", covariates=["label"]) == [
        "cohort.csv: a covariate cannot be called 'label'; rename the column"
    ]


def test_many_problems_of_one_kind_are_counted(manifest):
    rows = "".join(f"{row},a{row}.nii\n" for row in range(100))
    path = manifest(f"patient_id,image\n{rows}", absent=tuple(f"a{row}.nii" for row in range(100)))
    found = problems(path)
    assert len(found) == 21
    assert found[-1] == "… and 80 more of this kind"


@pytest.mark.data
def test_the_nodules(data_dir):
    cohort = read_manifest(
        data_dir / "lidc_nodules" / "cohort.csv",
        mask="mask",
        label="malignant",
        covariates=["diameter_mm"],
        forbidden=["malignancy_rating"],
        folds=5,
    )
    # The README beside the data: 725 nodules of 393 patients, 249 malignant.
    assert len(cohort) == 725
    assert cohort.table["patient_id"].nunique() == 393
    assert cohort.table["label"].sum() == 249


def _rows(folder, *patients):
    for number, _ in enumerate(patients):
        (folder / f"{number}.nii").write_bytes(b"")
    rows = [f"{name},{number}.nii,{number % 2}" for number, name in enumerate(patients)]
    (folder / "cohort.csv").write_text("\n".join(["patient_id,image,label", *rows]), encoding="utf-8")
    return folder / "cohort.csv"


def test_a_name_typed_in_two_ways_is_one_patient(tmp_path):
    path = _rows(tmp_path, "Jos\u00e9", "Jose\u0301", "Ana", " Ana ")
    assert read_manifest(path, label="label").table["patient_id"].tolist() == ["José", "José", "Ana", "Ana"]


def test_other_names_are_other_patients(tmp_path):
    found = read_manifest(_rows(tmp_path, "p1", "p01", "p10", "1", "10", "100"), label="label")
    assert found.table["patient_id"].nunique() == 6
