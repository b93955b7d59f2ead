from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydicom import dcmread

from medvision.cli import main
from medvision.cohort import read_manifest
from medvision.config.selection import Selection
from medvision.errors import ConfigError, MedvisionError, SeriesError
from medvision.imaging import load_volume
from medvision.reporting.tables.flow import open_units_table
from medvision.testing import Patient, apply_fault, thorax_phantom, write_dicom_series
from medvision.workflows import select as select_module
from medvision.workflows.conditions import in_brief, steps_of
from medvision.workflows.inventory import COLUMNS, inventory_table
from medvision.workflows.scan import Scan, scan
from medvision.workflows.select import select


def series(folder: Path, patient: str, *, depth: int = 16, number: int = 1, kernel: str = "STANDARD") -> None:
    phantom = thorax_phantom(number, shape=(48, 40, depth), lesions=1, diameters_mm=(6, 8))
    for file in write_dicom_series(phantom, folder, patient=Patient(patient), series_number=number):
        dataset = dcmread(file)
        dataset.Manufacturer, dataset.ConvolutionKernel = "GE MEDICAL SYSTEMS", kernel
        dataset.StudyInstanceUID = f"1.2.3.{len(patient)}{ord(patient[-1])}"
        dataset.save_as(file)


@pytest.fixture
def found(tmp_path: Path) -> Scan:
    export = tmp_path / "export"
    series(export / "a/soft", "A")
    series(export / "a/sharp", "A", number=2, kernel="LUNG")
    series(export / "a/short", "A", depth=14, number=3)
    series(export / "b/mixed", "B")
    apply_fault(export / "b/mixed", "mixed_series")
    series(export / "c/one", "C")
    series(export / "c/two", "C", number=2)
    series(export / "d/broken", "D")
    apply_fault(export / "d/broken", "missing_slice")
    shutil.copytree(export / "a/soft", export / "copy")
    return scan(export, out=tmp_path / "inventory")


RULES = Selection.model_validate(
    {"name": "soft", "where": {"modality": ["CT"], "kernel": "soft", "slice_spacing_mm": {"at_most": 3}}}
)


def test_one_complete_series_for_each_patient(found: Scan) -> None:
    chosen = select(found, RULES)
    cohort = read_manifest(chosen.path, case="case_id", covariates=["kernel", "slices"])
    assert len(cohort) == 2
    assert sorted(Path(case.image).name for case in cohort)[1] == "soft"
    for case, row in zip(cohort, chosen.manifest.to_dict("records"), strict=True):
        volume = load_volume(case.image)
        assert volume.provenance.series_uid == row["series_uid"]
        assert volume.shape[2] == row["slices"] == 16
        assert case.patient_id.startswith("P-")
    assert str(chosen) == "2 series taken; patients without one: 1 have none that fits, 1 a tie"
    by_reason = chosen.selected.left_out["reason"].value_counts().to_dict()
    assert by_reason == {
        "kernel sharp": 1,
        "the same images once more": 1,
        "another series is preferred": 1,
        "other slice spacing": 1,  # every other slice of B, the second series in its folder
        "a tie: no preference decides": 2,
        "slices missing": 1,
    }


def test_a_folder_of_links_where_a_folder_holds_two_series(found: Scan) -> None:
    chosen = select(found, RULES)
    linked = [Path(image) for image in chosen.manifest["image"] if "inventory" in image]
    assert len(linked) == 1
    assert len(list(linked[0].iterdir())) == 16
    with pytest.raises(SeriesError, match="2 series"):
        load_volume(next(linked[0].iterdir()).resolve().parent)
    assert np.isfinite(load_volume(linked[0]).array).all()
    select(found, RULES)  # again, over what is there


def test_what_is_written(found: Scan) -> None:
    chosen = select(found, RULES)
    names = sorted(
        str(p.relative_to(chosen.folder)) for p in chosen.folder.rglob("*") if "series" not in p.parts
    )
    assert names[:6] == ["flow.pdf", "flow.png", "flow.svg", "left_out.csv", "manifest.csv", "series"] or set(
        names
    ) >= {
        "flow.pdf",
        "flow.png",
        "flow.svg",
        "left_out.csv",
        "manifest.csv",
        "tables/flow.md",
        "tables/open.csv",
    }
    svg = (chosen.folder / "flow.svg").read_text()
    assert "<svg" in svg
    table = pd.read_csv(chosen.folder / "tables/flow.csv")
    assert table.iloc[0].tolist()[:4] == ["Series in the export", "9", 4, 4]
    left_out = pd.read_csv(chosen.folder / "left_out.csv")
    assert len(left_out) + len(chosen.manifest) == len(found.table)
    opened = open_units_table(chosen.selected)
    assert [row[2].split(" S-")[0] for row in opened.rows] == [
        "a tie between",
        "no series left at: slice spacing ≤ 3 mm",
    ]


def test_a_series_that_reading_refuses_is_not_in_the_manifest(
    found: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(image: Path) -> None:
        raise SeriesError(f"{image}: patient A cannot be read")

    monkeypatch.setattr(select_module, "inspect", refuse)
    with pytest.raises(MedvisionError, match="no series of the inventory fits"):
        select(found, RULES)
    flow = (found.folder / "soft/tables/flow.csv").read_text()
    assert "reading it is refused,−2" in flow
    assert "patient A" not in flow


def test_a_series_that_is_read_as_another_is_not_in_the_manifest(found: Scan) -> None:
    whole = found.table[found.table["folder"].str.endswith("a/soft") & found.table["complete"]].iloc[0]
    assert select_module._complaint((Path(whole["folder"]), whole["series_uid"], 16)) == ""
    assert "another series" in select_module._complaint((Path(whole["folder"]), "1.2.3", 16))
    assert "another series" in select_module._complaint((Path(whole["folder"]), whole["series_uid"], 15))


def test_links_that_cannot_be_made(found: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(MedvisionError, match="no links here"):
        select(found, RULES)


def test_a_folder_whose_name_no_table_can_hold(tmp_path: Path) -> None:
    odd = tmp_path / "export" / os.fsdecode(b"M\xfcller ")
    series(odd, "A")
    chosen = select(scan(tmp_path / "export", out=tmp_path / "out"), RULES)
    (case,) = read_manifest(chosen.path, case="case_id")
    assert load_volume(case.image).shape[2] == 16


def inventory(**changes: object) -> pd.DataFrame:
    row: dict[str, object] = {name: "" for name, kind in COLUMNS.items() if kind == "str"}
    row |= {
        "patient": "P", "study": "E", "series": "S", "kind": "image", "modality": "CT", "slices": 200,
        "orientation": "axial", "complete": True, "slice_spacing_mm": 1.0, "pixel_spacing_mm": 0.7,
        "thickness_mm": 1.5, "study_date": "20190517", "kernel": "B30f", "kernel_class": "soft",
        "description": "Thorax 1.0", "contrast": "Iomeprol",
    }  # fmt: skip
    return inventory_table([row | changes], show_patient=False)


AXIAL = {"orientation": ["axial"]}
SINCE, NO_PART = "study from 2020-01-01 to the last", "no body part"
UNTIL = "study from the first to 2020-01-01"
BOUNDS = {"at_least": 2, "at_most": 3}


@pytest.mark.parametrize(
    ("where", "changes", "step", "reason"),
    [
        ({}, {"kind": "localiser"}, "original image", "localiser"),
        ({}, {"kind": "derived"}, "original image", "derived image"),
        ({}, {"patient": ""}, "patient known", "no PatientID"),
        ({}, {"duplicate_of": "S-1"}, "no copy", "the same images once more"),
        ({}, {"complete": False, "why_not": "gantry tilt: it leans"}, "complete volume", "gantry tilt"),
        ({"modality": ["MR"]}, {}, "MR", "modality CT"),
        ({"study_date": {"first": "2020-01-01"}}, {}, SINCE, "study before 2020-01-01"),
        ({"study_date": {"last": "2020-01-01"}}, {"study_date": "20200102"}, UNTIL, "study after 2020-01-01"),
        ({"study_date": {"last": "2020-01-01"}}, {"study_date": ""}, UNTIL, "no study date"),
        ({"description": {"contains": ["abdomen"]}}, {}, "description with abdomen", "other description"),
        ({"description": {"without": ["THORAX"]}}, {}, "description without THORAX", "other description"),
        ({"body_part": {"contains": ["x"], "without": ["y"]}}, {}, "body part with x, without y", NO_PART),
        ({"orientation": ["sagittal"]}, {}, "sagittal", "axial"),
        (AXIAL | {"oblique": "refused"}, {"orientation": "oblique axial"}, "axial", "oblique axial"),
        (AXIAL, {"orientation": "", "why_not": "mixed matrix: 1"}, "axial", "mixed matrix"),
        ({"slice_spacing_mm": {"at_most": 0.5}}, {}, "slice spacing ≤ 0.5 mm", "other slice spacing"),
        ({"slices": {"at_least": 201}}, {}, "≥ 201 slices", "other number of slices"),
        ({"thickness_mm": BOUNDS}, {}, "slice thickness 2 to 3 mm", "other slice thickness"),
        ({"thickness_mm": {"at_least": 1}}, {"thickness_mm": None}, "slice thickness ≥ 1 mm", "not stated"),
        ({"kernel": "sharp"}, {}, "sharp kernel", "kernel soft"),
        ({"kernel": "soft"}, {"kernel_class": ""}, "soft kernel", "kernel of unknown class"),
        ({"kernel_name": {"contains": ["B31"]}}, {}, "kernel with B31", "other kernel"),
        ({"sequence": {"contains": ["GR"]}}, {}, "sequence with GR", "no sequence"),
        ({"contrast": "no"}, {}, "no contrast agent stated", "contrast agent stated"),
        ({"contrast": "yes"}, {"contrast": ""}, "contrast agent stated", "no contrast agent stated"),
    ],
)  # fmt: skip
def test_every_condition_leaves_out_with_its_reason(
    where: dict[str, object], changes: dict[str, object], step: str, reason: str
) -> None:
    rules = Selection.model_validate({"name": "a", "where": where})
    failed = [each for each in steps_of(rules, inventory(**changes)) if not each.passes.all()]
    assert failed[0].name == step
    told = failed[0].reasons
    assert told is not None
    assert told.iloc[0] == reason


def test_a_series_that_meets_every_condition() -> None:
    where = {
        "modality": ["CT"], "study_date": {"first": "2019-05-17", "last": "2019-05-17"},
        "description": {"contains": ["thorax", "chest"], "without": ["lung"]}, "orientation": ["axial"],
        "slice_spacing_mm": {"at_most": 1}, "slices": {"at_least": 200}, "kernel": "soft", "contrast": "yes",
    }  # fmt: skip
    steps = steps_of(Selection.model_validate({"name": "a", "where": where}), inventory())
    assert all(step.passes.all() for step in steps)
    assert len(steps) == 12


def test_a_refusal_that_has_no_brief_name_is_cut_at_its_first_pause() -> None:
    assert in_brief("mixed orientation: 1\\0 in 3 (image 1)") == "mixed orientation"


def test_the_command_line(found: Scan, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("name: soft\nwhere: {kernel: soft}\nprefer: [most_slices, smallest_pixels]\n")
    with pytest.raises(SystemExit) as left:
        main(
            [
                "scan",
                str(found.root),
                "--out",
                str(found.folder),
                "--rules",
                str(rules),
                "--thumbnails",
                "--quiet",
            ]
        )
    told = capsys.readouterr().out
    assert left.value.code == 0
    assert "160 files" not in told or "0 of them read now" in told
    assert "manifest.csv" in told
    rules.write_text("nome: soft\n")
    with pytest.raises(SystemExit) as left:
        main(["scan", str(found.root), "--rules", str(rules)])
    assert left.value.code == 2
    assert "did you mean 'name'?" in capsys.readouterr().err
    with pytest.raises(ConfigError):
        select(found, rules)
