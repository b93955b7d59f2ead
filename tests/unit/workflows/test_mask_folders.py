"""Two folders of masks: files, grids and patients; what is scored, and what is written and printed."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from medvision.cli import main
from medvision.errors import EvaluationError, GeometryError
from medvision.evaluation import lesionwise_scores, summarise_lesions
from medvision.imaging import Volume, inspect, save_nifti, save_seg
from medvision.testing import thorax_phantom, write_dicom_series
from medvision.workflows.evaluate import Evaluation, evaluate_masks
from medvision.workflows.evaluation_tables import evaluation_tables, show_tables
from medvision.workflows.mask_tables import write_mask_rows

LABELS = {"met": 1, "oedema": 2}


def save(path: Path, mask: np.ndarray, *, shift_mm: float = 0.0, axes: str = "RAS") -> None:
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[0, 3] = shift_mm
    path.parent.mkdir(exist_ok=True)
    image = nib.Nifti1Image(mask.astype(np.uint8), affine)
    wanted = nib.orientations.axcodes2ornt(tuple(axes))
    turn = nib.orientations.ornt_transform(nib.orientations.io_orientation(affine), wanted)
    nib.save(image.as_reoriented(turn), path)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Six cases of three patients: lesions found, missed, split and invented; the last case has none."""
    rng = np.random.default_rng(0)
    for number in range(6):
        mask = np.zeros((14, 12, 10), dtype=np.uint8)
        called = mask.copy()
        for _ in range(0 if number == 5 else 3):
            corner = rng.integers(0, 8, 3)
            place = tuple(slice(int(c), int(c) + 2) for c in corner)
            mask[place] = 1
            called[tuple(slice(s.start, s.stop + 1) for s in place)] = 1 if rng.random() < 0.7 else 0
        if number < 5:
            called[13, 11, 9] = 1
            mask[0:2, 10:12, 0:4] = called[0:2, 10:12, 1:5] = 2
        save(tmp_path / "reference" / f"case{number}.nii.gz", mask)
        save(tmp_path / "prediction" / f"case{number}.nii.gz", called)
    return tmp_path / "reference", tmp_path / "prediction"


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    table = pd.DataFrame({"case_id": [f"case{i}" for i in range(6)], "patient_id": ["007"] * 2 + ["008"] * 4})
    table.to_csv(tmp_path / "cases.csv", index=False)
    return tmp_path / "cases.csv"


def found_in(folders: tuple[Path, Path], **options: object) -> Evaluation:
    return evaluate_masks(*folders, labels=LABELS, nsd_tolerance_mm=1.0, **options)


def record(found: Evaluation, metric: str, group: str) -> dict[str, object]:
    return next(r for r in found.estimates if (r["metric"], r["group"]) == (metric, group))


def test_lesions_are_those_of_the_function(folders, patients) -> None:
    found = found_in(folders, patients=patients, lesions={"connectivity": 6, "min_volume_mm3": 4})
    tables = []
    for number in range(6):
        pair = [np.asarray(nib.load(folder / f"case{number}.nii.gz").dataobj) for folder in folders]
        one = lesionwise_scores(
            *pair, (1, 1, 2), labels=LABELS, connectivity=6, min_volume_mm3=4, case=f"case{number}"
        )
        tables.append(one.cases.assign(patient_id="007" if number < 2 else "008"))
        rows = found.lesions.query(f"case_id == 'case{number}'")
        assert rows["dice"].tolist() == one.lesions["dice"].tolist()
        assert rows["x_mm"].tolist() == rows["centre_i"].tolist()
        assert rows["z_mm"].tolist() == (2 * rows["centre_k"]).tolist()
    for row in summarise_lesions(pd.concat(tables)):
        own = record(found, f"{row.metric} ({row.summary})", row.structure)
        assert (own["value"], own["low"]) == pytest.approx(
            (row.estimate.to_dict()["value"], row.estimate.to_dict()["low"])
        )
    assert set(found.components["patient_id"]) == {"007", "008"}


def test_presence_quartiles_and_the_mean_of_structures(folders) -> None:
    found = found_in(folders)
    assert found.structures[0] == {
        "structure": "met", "both": 5, "reference_only": 0, "prediction_only": 0, "neither": 1,
    }  # fmt: skip
    assert record(found, "presence_specificity", "met")["value"] == 1.0
    dice = found.cases.query("structure == 'met'")["dice"].dropna()
    assert record(found, "dice (median)", "met")["quartiles"] == pytest.approx(
        list(np.quantile(dice, [0.25, 0.75]))
    )
    both = found.cases.groupby("case_id")["dice"].mean().dropna()
    assert record(found, "dice (mean)", "mean of structures")["value"] == pytest.approx(both.mean())
    assert record(found, "dice (median)", "mean of structures")["quartiles"] == pytest.approx(
        list(np.quantile(both, [0.25, 0.75]))
    )
    assert "quartiles" not in record(found, "dice (mean)", "met")
    assert any("each is taken for a patient of its own" in note for note in found.notes)
    assert any("both empty in 1 cases, such as case5; nothing is there" in note for note in found.notes)


def test_every_case_on_another_grid_is_named_at_once(folders) -> None:
    mask = np.zeros((14, 12, 10))
    save(folders[1] / "case1.nii.gz", mask, shift_mm=5)
    save(folders[1] / "case4.nii.gz", mask[1:])
    (folders[0] / "case2.nii.gz").write_bytes(b"nothing")
    with pytest.raises(GeometryError, match="3 of 6 cases") as error:
        found_in(folders)
    assert [problem.partition(":")[0] for problem in error.value.problems] == ["case1", "case2", "case4"]
    for case in ("case1", "case4"):
        save(folders[1] / f"{case}.nii.gz", mask)
    with pytest.raises(EvaluationError, match="1 of 6 cases"):
        found_in(folders)


def test_axes_in_another_order_are_turned(folders) -> None:
    expected = found_in(folders, lesions={})
    for path in folders[1].iterdir():
        image = nib.load(path)
        save(path, np.asarray(image.dataobj), axes="PSL")
    turned = found_in(folders, lesions={})
    pd.testing.assert_frame_equal(turned.cases, expected.cases)


def test_all_that_does_not_match_is_listed(folders) -> None:
    for number in range(4):
        (folders[1] / f"case{number}.nii.gz").rename(folders[1] / f"other{number}.nii.gz")
    with pytest.raises(EvaluationError, match="4 of 6 references") as error:
        found_in(folders)
    assert error.value.problems == (
        *(f"case{i}" for i in range(4)), *(f"only in prediction: other{i}" for i in range(4)),
    )  # fmt: skip


def test_a_case_twice_is_refused(folders) -> None:
    save(folders[0] / "case1.nii", np.zeros((14, 12, 10)))
    with pytest.raises(EvaluationError, match="two masks of a case") as error:
        found_in(folders)
    assert error.value.problems == ("case1: case1.nii and case1.nii.gz",)


def test_patients_come_from_a_table(folders, patients) -> None:
    found = found_in(folders, patients=patients)
    assert found.cases["patient_id"].unique().tolist() == ["007", "008"]
    assert any("6 cases of 2 patients" in note for note in found.notes)
    table = pd.read_csv(patients, dtype=str)
    with pytest.raises(EvaluationError, match="have several patients") as error:
        found_in(folders, patients=pd.concat([table, table.assign(patient_id="009")]))
    assert len(error.value.problems) == 6
    with pytest.raises(EvaluationError, match="1 cases have no patient") as error:
        found_in(folders, patients=table.iloc[1:])
    assert error.value.problems == ("case0",)
    with pytest.raises(EvaluationError, match="patient_id"):
        found_in(folders, patients=table.rename(columns={"patient_id": "patient"}))


def test_a_dicom_seg_lies_in_the_grid_of_the_other_mask(tmp_path) -> None:
    pytest.importorskip("highdicom")
    write_dicom_series(thorax_phantom(3, shape=(24, 20, 12), lesions=0), tmp_path / "ct")
    grid = inspect(tmp_path / "ct").geometry
    mask = np.zeros(grid.shape, np.uint8)
    mask[2:9, 3:8, 2:7], mask[12:20, 5:15, 4:11] = 1, 2
    for name in ("nifti", "seg", "seg_too"):
        (tmp_path / name).mkdir()
    save_nifti(tmp_path / "nifti" / "a.nii.gz", mask, grid)
    for folder in ("seg", "seg_too"):
        segments = {1: "met", 2: "oedema"}
        save_seg(
            tmp_path / folder / "a.dcm", Volume(mask, grid), tmp_path / "ct", segments, algorithm="MANUAL"
        )
    for pair in (("nifti", "seg"), ("seg", "nifti")):
        found = found_in(tuple(tmp_path / name for name in pair))
        assert found.cases["dice"].tolist() == [1.0, 1.0]
        assert found.cases["volume_reference_ml"].gt(0).all()
    numbers = {"2": 1, "1": 2}  # by number, with values of their own
    swapped = evaluate_masks(tmp_path / "nifti", tmp_path / "seg", labels=numbers, nsd_tolerance_mm=1.0)
    assert swapped.cases["dice"].tolist() == [0.0, 0.0]
    whole = evaluate_masks(tmp_path / "nifti", tmp_path / "seg", labels={"all": [1, 2]}, nsd_tolerance_mm=1.0)
    assert whole.cases["dice"].tolist() == [1.0]
    with pytest.raises(EvaluationError, match="1 of 1 cases") as error:
        found_in((tmp_path / "seg", tmp_path / "seg_too"))
    assert "--reference SCAN" in error.value.problems[0]
    with pytest.raises(EvaluationError, match="1 of 1 cases") as error:
        evaluate_masks(tmp_path / "nifti", tmp_path / "seg", labels={"lung": 1}, nsd_tolerance_mm=1.0)
    assert "no segment 'lung'" in error.value.problems[0]


def test_tables_and_files(folders, patients, tmp_path) -> None:
    found = found_in(folders, patients=patients, lesions={"merge_within_mm": 1.5, "min_volume_mm3": 2})
    text = show_tables(evaluation_tables(found), tmp_path / "out", found.to_json(), "evaluation")
    write_mask_rows(found, tmp_path / "out")
    pages = [f"{name}.md" for name in ("evaluation", "structures", "lesion_summary")]
    written = "".join((tmp_path / "out" / page).read_text(encoding="utf-8") for page in pages)
    for said in ("Median [IQR]", "mean of structures", "Lesion-wise Dice", "In both", "dilated by 1.5 mm"):
        assert said in written
    assert "Structure" in text
    assert "† fewer than 10 patients" in written
    for name in ("evaluation", "structures", "lesion_summary"):
        for kind in ("csv", "md", "tex", "html"):
            assert (tmp_path / "out" / f"{name}.{kind}").read_text()
    lesions = pd.read_csv(tmp_path / "out" / "lesions.csv")
    assert len(lesions) == len(found.lesions)
    assert len(pd.read_csv(tmp_path / "out" / "cases.csv")) == 12
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["structures"]


def test_undefined_scores_are_said_in_the_tables(folders) -> None:
    nothing = evaluate_masks(*folders, labels={"absent": 9}, nsd_tolerance_mm=1.0, lesions={})
    scores, presence, lesions = (table.to_markdown() for table in evaluation_tables(nothing))
    assert "undefined (no units) | undefined | 0 |" in scores
    assert "| absent | 0 | 0 | 0 | 6 |" in presence
    assert "undefined (no units)" in lesions
    median = next(r for r in nothing.estimates if r["metric"] == "dice (median)")
    assert median["quartiles"] == [None, None]
    json.loads(nothing.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return int(left.value.code)


@pytest.fixture
def words(folders, monkeypatch) -> list[object]:
    monkeypatch.setattr("medvision.interrupt.stop_on_interrupt", lambda advice: None)
    return ["evaluate", "--reference", folders[0], "--prediction", folders[1], "--labels", "1:met,2:oedema"]


def test_the_command_line_shows_progress_and_prints_json(words, patients, capsys, tmp_path) -> None:
    lesions = ["--lesions", "--connectivity", 6, "--lesion-rule", "iou>=0.1", "--patients", patients]
    assert run(*words, *lesions, "--json", "--out", tmp_path / "out") == 0
    out, progress = capsys.readouterr()
    content = json.loads(out)
    assert {"cases", "lesions", "components", "structures"} <= set(content)
    assert content["cases"][0]["patient_id"] == "007"
    assert "masks · 6/6" in progress
    assert (tmp_path / "out" / "components.csv").is_file()
    assert run(*words, "--quiet") == 0
    assert capsys.readouterr().err == ""


def test_a_name_at_several_values_joins_them(words, capsys) -> None:
    joined = [*words[:-1], "1:met,2:oedema,1:whole,2:whole"]
    assert run(*joined, "--json", "--quiet") == 0
    rows = pd.DataFrame(json.loads(capsys.readouterr().out)["cases"]).query("case_id == 'case0'")
    volumes = rows.set_index("structure")["volume_reference_ml"]
    assert volumes["whole"] == pytest.approx(volumes["met"] + volumes["oedema"])
    assert run(*words[:-1], "0:background", "--quiet") == 2
    assert "values from 1 on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--connectivity", "6"], "--connectivity is said of lesions; add --lesions"),
        (["--lesions", "--connectivity", "7"], "connectivity=7 is not known"),
        (["--lesions", "--lesion-rule", "dice"], "is no hit rule"),
    ],
)
def test_wrong_options_are_one_sentence(words, more, said, capsys) -> None:
    assert run(*words, *more, "--quiet") == 2
    assert said in capsys.readouterr().err


def test_options_of_masks_are_refused_beside_a_table(capsys) -> None:
    assert run("evaluate", "predictions.csv", "--lesions") == 2
    assert "--lesions is said of masks" in capsys.readouterr().err
