from __future__ import annotations

import base64
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless, SecondaryCaptureImageStorage, generate_uid

from medvision.errors import MedvisionError, RunError, SeriesError
from medvision.imaging import inspect, load_volume
from medvision.testing import Patient, Storage, apply_fault, thorax_phantom, write_dicom_series
from medvision.testing.samples import sample
from medvision.workflows.export_walk import count_files, walk_export
from medvision.workflows.scan import scan
from medvision.workflows.scan_files import Pseudonyms, in_processes, read_facts
from medvision.workflows.scan_page import scan_export
from medvision.workflows.thumbnails import thumbnails

SHAPE = (48, 40, 16)


def series(folder: Path, *, patient: str = "MRN-4711", seed: int = 1, number: int = 1) -> tuple[Path, ...]:
    return write_dicom_series(
        thorax_phantom(seed, shape=SHAPE, lesions=1, diameters_mm=(6, 8)),
        folder,
        patient=Patient(patient),
        storage=Storage(12, False),
        series_number=number,
    )


def edited(file: Path, **elements: object) -> None:
    dataset = dcmread(file)
    for name, value in elements.items():
        setattr(dataset, name, value)
    dataset.save_as(file)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return tmp_path / "export"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "inventory"


def rows(table: pd.DataFrame, *columns: str) -> list[list[object]]:
    return table[list(columns)].to_numpy().tolist()


def test_one_row_a_series(export: Path, out: Path) -> None:
    files = series(export / "a")
    for file in files:
        edited(file, ContrastBolusAgent="Iomeprol", Manufacturer="SIEMENS", ConvolutionKernel="B30f")
    found = scan(export, out=out)
    (row,) = found.table.to_dict("records")
    header = inspect(export / "a")
    assert row["slices"] == header.shape[2] == 16
    assert (row["columns"], row["rows"]) == header.shape[:2]
    assert row["slice_spacing_mm"] == pytest.approx(header.spacing_mm[2], abs=1e-4)
    assert row["pixel_spacing_mm"] == pytest.approx(max(header.spacing_mm[:2]), abs=1e-4)
    assert (row["modality"], row["kind"], row["orientation"]) == ("CT", "image", "axial")
    assert (row["kernel"], row["kernel_class"], row["contrast"]) == ("B30f", "soft", "Iomeprol")
    assert row["transfer_syntax"] == "Explicit VR Little Endian"
    assert (row["complete"], row["why_not"], row["duplicate_of"]) == (True, "", "")
    assert row["series_uid"] == header.provenance.series_uid
    assert (row["files"], row["bytes"]) == (16, sum(file.stat().st_size for file in files))
    assert pd.read_parquet(found.inventory).equals(found.table)


FAULTS = {
    "missing_slice": "1 slice missing between image",
    "duplicated_position": "1 of 16 positions hold several images",
    "uneven_positions": "mixed slice spacing",
    "mixed_spacing": "mixed pixel spacing",
    "mixed_orientation": "mixed orientation",
    "mixed_shape": "mixed matrix",
    "gantry_tilt": "gantry tilt",
    "missing_position": "ImagePositionPatient is absent in 1 of 16 images",
    "wrong_patient": "mixed patient: P-",
    "truncated_file": "cut short or damaged",
    "not_dicom": "1 slice missing between image",
    "stray_file": "",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_complete_or_why_not_as_reading_says(export: Path, out: Path, fault: str) -> None:
    series(export / "a")
    apply_fault(export / "a", fault)  # type: ignore[arg-type]
    (row,) = scan(export, out=out).table.to_dict("records")
    assert FAULTS[fault] in row["why_not"]
    try:
        inspect(export / "a")
        refused = False
    except SeriesError:
        refused = True
    assert row["complete"] is not refused
    assert row["complete"] is (FAULTS[fault] == "")
    assert "MRN-4711" not in row["why_not"]


def test_several_volumes_have_the_geometry_of_the_first(export: Path, out: Path) -> None:
    for acquisition in (1, 2):
        for file in series(export / str(acquisition)):
            extra = {"SOPInstanceUID": generate_uid()} if acquisition == 2 else {}
            edited(file, AcquisitionNumber=acquisition, **extra)
    (row,) = scan(export, out=out).table.to_dict("records")
    assert (row["slices"], row["volumes"], row["complete"]) == (32, 2, False)
    assert (row["pixel_spacing_mm"], row["slice_spacing_mm"], row["orientation"]) == (1.2, 2.0, "axial")
    assert row["why_not"].endswith("told apart by AcquisitionNumber (1, 2)")
    for file in (export / "2").iterdir():
        edited(file, AcquisitionNumber=1)
    (row,) = scan(export, out=out).table.to_dict("records")
    assert pd.isna(row["volumes"])


@pytest.mark.parametrize("kind", ["dicom-mosaic", "dicom-enhanced"])
def test_the_picture_of_many_slices_in_one_file_is_the_middle_one(export: Path, out: Path, kind: str) -> None:
    export.mkdir()
    for name, content in sample(kind).items():
        (export / name).write_bytes(content)
    (uri,) = thumbnails(scan(export, out=out)).values()
    drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("L"), dtype=float)
    volume = load_volume(export)
    likeness = [np.corrcoef(drawn.T.ravel(), one.ravel())[0, 1] for one in np.moveaxis(volume.array, 2, 0)]
    assert drawn.T.shape == volume.array.shape[:2]
    assert int(np.argmax(likeness)) == volume.array.shape[2] // 2


def test_two_series_in_one_folder(export: Path, out: Path) -> None:
    series(export / "a")
    apply_fault(export / "a", "mixed_series")
    table = scan(export, out=out).table
    assert len(table) == 2
    assert sorted(table["slices"]) == [8, 16]
    assert table["folder"].nunique() == 1


def test_a_series_exported_twice_is_named_with_both_folders(export: Path, out: Path) -> None:
    series(export / "b" / "first")
    shutil.copytree(export / "b", export / "c")
    partly = export / "a"
    partly.mkdir()
    for file in sorted((export / "b/first").iterdir())[:5]:
        shutil.copy(file, partly / file.name)
    table = scan(export, out=out).table.sort_values("folder")
    original = table.loc[table["folder"].str.endswith("b/first")].iloc[0]
    assert original["complete"]
    assert original["duplicate_of"] == ""
    copies = table[table["duplicate_of"] != ""]
    assert copies["duplicate_of"].tolist() == [original["series"]] * 2
    assert [Path(folder).relative_to(export).as_posix() for folder in copies["folder"]] == ["a", "c/first"]
    assert copies["files"].tolist() == [5, 16]


def test_a_series_in_several_folders_is_one(export: Path, out: Path) -> None:
    files = series(export / "a")
    (export / "b").mkdir()
    for file in files[8:]:
        file.rename(export / "b" / file.name)
    (row,) = scan(export, out=out).table.to_dict("records")
    assert (row["slices"], row["complete"]) == (16, True)
    assert row["other_folders"].endswith("/b")


def test_the_same_image_twice_in_one_folder(export: Path, out: Path) -> None:
    (first, *_) = series(export / "a")
    shutil.copy(first, export / "a/again.dcm")
    (row,) = scan(export, out=out).table.to_dict("records")
    assert (row["slices"], row["files"], row["complete"]) == (16, 17, True)
    assert row["notes"] == "1 of its images are there more than once"


def test_what_is_no_volume_has_a_row_with_its_kind(export: Path, out: Path) -> None:
    scout, capture, *_ = series(export / "a")
    edited(scout, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], SeriesInstanceUID=generate_uid())
    edited(capture, SOPClassUID=SecondaryCaptureImageStorage, SeriesInstanceUID=generate_uid())
    report = Dataset()
    report.file_meta = dcmread(scout).file_meta
    report.SOPClassUID, report.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.67", generate_uid()
    report.SeriesInstanceUID, report.Modality, report.PatientID = generate_uid(), "SR", "MRN-4711"
    report.save_as(export / "a/report", enforce_file_format=True)
    table = scan(export, out=out).table
    assert sorted(table["kind"]) == ["dose report", "image", "localiser", "secondary capture"]
    assert not table.loc[table["kind"] != "image", "complete"].any()
    assert table["patient"].nunique() == 1


def test_patients_of_two_issuers_are_two_and_none_is_nobody(export: Path, out: Path) -> None:
    for number, issuer in enumerate(("A", "B", "A")):
        for file in series(export / str(number), seed=number):
            edited(file, IssuerOfPatientID=issuer)
    for file in series(export / "none", seed=5):
        edited(file, PatientID="")
    table = scan(export, out=out).table
    assert table["patient"].nunique() == 3
    assert (table["patient"] == "").sum() == 1


def test_a_number_without_issuer_belongs_to_the_only_issuer_that_uses_it(export: Path, out: Path) -> None:
    for number, issuer in enumerate(("A", "")):
        for file in series(export / str(number), seed=number + 1):
            edited(file, IssuerOfPatientID=issuer, StudyInstanceUID="1.2.3")
    table = scan(export, out=out).table
    assert table["patient"].nunique() == table["study"].nunique() == 1
    assert (table["notes"] == "").all()
    for file in series(export / "2", seed=3):
        edited(file, IssuerOfPatientID="B")
    table = scan(export, out=out).table
    assert table["patient"].nunique() == 3
    assert sorted(table["notes"]) == ["", "", "PatientID without issuer, which 2 issuers use"]


def test_a_copy_under_another_patient_is_noted(export: Path, out: Path) -> None:
    series(export / "a")
    shutil.copytree(export / "a", export / "b")
    for file in (export / "b").iterdir():
        edited(file, PatientID="another")
    table = scan(export, out=out).table.sort_values("folder")
    assert table["patient"].nunique() == 2
    assert table["notes"].tolist() == ["", "under another patient than these"]
    assert table["complete"].tolist() == [True, False]


def test_pseudonyms_stay_while_the_key_stays(export: Path, out: Path, tmp_path: Path) -> None:
    series(export / "a")
    first = scan(export, out=out).table.loc[0, "patient"]
    (out / "inventory.state").unlink()
    assert scan(export, out=out).table.loc[0, "patient"] == first
    assert scan(export, out=tmp_path / "elsewhere").table.loc[0, "patient"] != first
    assert (out / "inventory.key").stat().st_mode & 0o077 == 0
    (out / "inventory.key").write_text("no key")
    with pytest.raises(RunError, match="the key of the pseudonyms cannot be used"):
        scan(export, out=out)


def texts(out: Path) -> str:
    found = [p for p in out.rglob("*") if p.suffix in (".html", ".svg", ".md", ".tex", ".parquet", ".state")]
    return "\n".join(path.read_bytes().decode("latin-1") for path in found)


def test_no_name_and_no_number_of_a_patient_unless_asked_for(
    export: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The folder holds the number, as exports often do; the tables hold paths, the page does not.
    for file in series(export / "a"):
        edited(file, PatientName="Beispiel^Erika", SeriesDescription="Thorax BEISPIEL MRN-4711")
    (export / "a" / "broken.dcm").write_bytes(
        bytes(128) + b"DICM" + b"\x10\x00\x10\x00PN\xff\xffBeispiel^Erika"
    )
    told = "\n".join(scan_export(export, out=out, quiet=False))
    whole = texts(out) + told + "".join(capsys.readouterr())
    assert "Beispiel" not in whole
    assert "BEISPIEL" not in whole
    assert "MRN-4711" not in whole
    assert "(names the patient)" in whole
    assert str(export) not in (out / "inventory.html").read_text()
    list(scan_export(export, out=out, show_patient=True))
    page = (out / "inventory.html").read_text()
    assert "Beispiel^Erika" in page
    assert "MRN-4711" in page
    assert str(export / "a" / "broken.dcm") in page


def test_the_page_opens_without_a_network(export: Path, out: Path) -> None:
    for file in series(export / "a"):
        edited(file, SeriesDescription="<script>alert(1)</script>", PatientID="")
    list(scan_export(export, out=out, with_thumbnails=True))
    page = (out / "inventory.html").read_text()
    assert "<script>alert" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert "data:image/png;base64," in page
    assert "have no PatientID" in page


def test_a_second_scan_reads_only_what_is_new(export: Path, out: Path) -> None:
    files = series(export / "a")
    assert scan(export, out=out).read == 16
    before = scan(export, out=out)
    assert before.read == 0
    series(export / "b", patient="other", seed=2)
    edited(files[3], SeriesDescription="changed")
    after = scan(export, out=out)
    assert (after.read, after.files, len(after.table)) == (17, 32, 2)
    shutil.rmtree(export / "b")
    files[7].unlink()
    gone = scan(export, out=out)
    assert (gone.read, gone.files, len(gone.table)) == (0, 15, 1)
    assert "1 slice missing" in gone.table.loc[0, "why_not"]
    (export / "a" / "web.dcm").write_text("<html>log in</html>")
    assert "cannot be read" in scan(export, out=out).table.loc[0, "notes"]
    anew = scan(export, out=out.with_name("anew"))
    assert anew.table.drop(columns=["series", "patient", "study"]).equals(
        scan(export, out=out).table.drop(columns=["series", "patient", "study"])
    )


def as_scanned_anew(export: Path, out: Path) -> None:
    """A scan that goes on gives what one from the beginning gives with the same key."""
    anew = out.with_name("anew")
    shutil.rmtree(anew, ignore_errors=True)
    anew.mkdir()
    shutil.copy(out / "inventory.key", anew)
    pd.testing.assert_frame_equal(scan(export, out=out).table, scan(export, out=anew).table)


def test_what_a_series_says_follows_its_files(export: Path, out: Path) -> None:
    files = sorted(series(export / "a"))
    before = scan(export, out=out).table
    for file in files:
        edited(file, PatientID="another", StudyDate="20200102", SeriesDescription="new", SliceThickness=9)
    after = scan(export, out=out).table
    assert after.loc[0, "patient"] != before.loc[0, "patient"]
    assert rows(after, "study_date", "description", "thickness_mm") == [["20200102", "new", 9.0]]
    as_scanned_anew(export, out)
    edited(files[0], SeriesDescription="of the first alone")
    as_scanned_anew(export, out)
    files[0].unlink()
    assert scan(export, out=out).table.loc[0, "description"] == "new"
    as_scanned_anew(export, out)
    (export / "0").mkdir()
    shutil.copy(files[1], export / "0" / "again")
    edited(export / "0" / "again", SOPInstanceUID=generate_uid(), SeriesDescription="earlier by path")
    as_scanned_anew(export, out)


def test_a_copy_says_its_own_transfer_syntax(export: Path, out: Path) -> None:
    for file in series(export / "b"):
        dataset = dcmread(file)
        dataset.compress(RLELossless, generate_instance_uid=False)
        (export / "a").mkdir(exist_ok=True)
        if dataset.InstanceNumber > 3:
            dataset.save_as(export / "a" / file.name)
    table = scan(export, out=out).table.sort_values("folder")
    assert rows(table, "transfer_syntax", "complete") == [
        ["RLE Lossless", False],
        ["Explicit VR Little Endian", True],
    ]


def test_a_report_does_not_speak_for_the_images_of_its_series(export: Path, out: Path) -> None:
    first = min(series(export / "a"))
    report = Dataset()
    report.file_meta = dcmread(first).file_meta
    report.SOPClassUID, report.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.67", generate_uid()
    report.SeriesInstanceUID, report.Modality = dcmread(first).SeriesInstanceUID, "SR"
    report.save_as(export / "a" / "000", enforce_file_format=True)
    (row,) = scan(export, out=out).table.to_dict("records")
    assert (row["modality"], row["kind"]) == ("CT", "image")
    assert row["patient"] != ""


def test_a_file_that_is_gone_before_it_is_asked_speaks_for_nobody(tmp_path: Path) -> None:
    facts = json.loads(read_facts(Pseudonyms(b"key", show_patient=False), tmp_path / "gone"))
    assert (facts["patient"], facts["study"], facts["thickness_mm"]) == ("", "", None)


def test_a_damaged_state_is_begun_anew(export: Path, out: Path) -> None:
    series(export / "a")
    scan(export, out=out)
    (out / "inventory.state").write_bytes(b"SQLite format 3\0" + bytes(50))
    assert scan(export, out=out).read == 16
    with sqlite3.connect(out / "inventory.state") as db:
        db.execute("UPDATE settings SET value = '0' WHERE name = 'version'")
    db.close()
    assert scan(export, out=out).read == 16


def test_two_scans_at_once_are_refused(export: Path, out: Path) -> None:
    series(export / "a")
    with scan(export, out=out).state(), pytest.raises(RunError, match="in use by another scan"):
        scan(export, out=out)


def test_processes_give_what_one_process_gives(export: Path, out: Path) -> None:
    for number in range(3):
        series(export / str(number), seed=number)
    one = scan(export, out=out, workers=0)
    (out / "inventory.state").unlink()
    two = scan(export, out=out, workers=2)
    assert two.read == 48
    assert one.table.equals(two.table)


def test_hostile_names_links_and_files(export: Path, out: Path) -> None:
    deep = export
    for name in ("müller", "山田太郎", "x" * 200, "y" * 200):
        deep /= name
    files = series(deep)
    files[0].rename(deep / os.fsdecode(b"M\xfcller.dcm"))
    (export / "loop").symlink_to(export, target_is_directory=True)
    (export / "self").symlink_to(export / "self")
    (export / "gone").symlink_to(export / "nowhere")
    os.mkfifo(export / "pipe")
    (export / "archive.zip").write_bytes(b"PK")
    (export / "notes.txt").write_text("nothing")
    (export / "DICOMDIR").write_bytes(bytes(500))
    (export / ".hidden").write_bytes(bytes(500))
    (export / "bomb.dcm").write_bytes(bytes(128) + b"DICM" + b"\x08\x00\x05\x00UN\0\0\xff\xff\xff\x7f")
    found = scan(export, out=out)
    (row,) = found.table.to_dict("records")
    assert (row["slices"], row["complete"]) == (16, True)
    told = {
        Path(path).name: problem
        for path, problem in zip(found.problems["path"], found.problems["problem"], strict=True)
    }
    assert told == {
        "archive.zip": "an archive, not looked into; unpack it",
        "bomb.dcm": told["bomb.dcm"],
        "gone": told["gone"],
        "loop": "a link to a folder, not followed",
        "pipe": "no regular file",
        "self": told["self"],
    }
    assert "past the end of the file" in told["bomb.dcm"]
    assert pd.read_csv(out / "problems.csv").shape == (6, 2)


def test_a_folder_of_results_inside_the_export_is_not_read(export: Path) -> None:
    series(export / "a")
    scan(export, out=export / "out", quiet=True)
    shutil.copy(next((export / "a").iterdir()), export / "out" / "copy.dcm")
    assert scan(export, out=export / "out").files == 16


def test_arguments_that_make_no_sense(export: Path, out: Path) -> None:
    series(export / "a")
    with pytest.raises(MedvisionError, match="is the export itself"):
        scan(export, out=export / "a" / "..")
    with pytest.raises(MedvisionError, match="-1 processes cannot read"):
        scan(export, out=out, workers=-1)
    assert not out.exists()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MedvisionError, match="there is no such folder"):
        scan(tmp_path / "nothing", out=tmp_path / "out")


def test_a_folder_that_cannot_be_read_is_listed(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (export / "a").mkdir(parents=True)

    def refuse(path: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    (folder,) = walk_export(export, export / "out")
    assert folder.passed_over == {".": "the folder cannot be read (Permission denied)"}


def test_a_state_that_cannot_be_written(export: Path, tmp_path: Path) -> None:
    series(export / "a")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"cannot be (used|written)"):
        scan(export, out=tmp_path / "file" / "out")


def test_a_worker_that_is_ended_from_outside_is_told() -> None:
    with pytest.raises(RunError, match="ended from outside"):
        list(in_processes(os._exit, [1, 1], workers=1))


def test_pseudonyms_of_nothing() -> None:
    names = Pseudonyms(b"key", show_patient=False)
    assert names.patient("issuer", "") == ""
    assert names.of("S", "") == ""
    assert names.patient("", "1") == names.patient("", "1") != names.patient("x", "1")


def test_memory_is_flat_in_files(export: Path, out: Path, tmp_path: Path) -> None:
    files = series(export / "a")
    script = tmp_path / "once.py"
    script.write_text(
        "import resource, sys\nfrom medvision.workflows.scan import scan\n"
        "found = scan(sys.argv[1], out=sys.argv[2], workers=0)\n"
        "print(found.files, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )

    def peak(copies: int) -> tuple[int, int]:
        root = tmp_path / f"links{copies}"
        for copy in range(copies):
            folder = root / f"{copy // 50}" / f"{copy}"
            folder.mkdir(parents=True)
            for file in files:
                os.link(file, folder / file.name)
        done = subprocess.run(
            [sys.executable, str(script), str(root), str(tmp_path / f"out{copies}")],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        count, memory = done.stdout.split()
        return int(count), int(memory)

    few, many = peak(10), peak(300)
    assert (few[0], many[0]) == (160, 4800)
    assert many[1] - few[1] < 12  # MiB; 4,640 more files with their headers would be far more


def test_ctrl_c_leaves_a_scan_that_goes_on(export: Path, out: Path) -> None:
    files = series(export / "a")
    for copy in range(300):
        folder = export / f"copy{copy}"
        folder.mkdir()
        for file in files:
            os.link(file, folder / file.name)
    command = [
        sys.executable,
        "-m",
        "medvision",
        "scan",
        str(export),
        "--out",
        str(out),
        "--quiet",
        "--workers",
        "2",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (out / "inventory.state").exists() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(2)
    _, told = process.communicate(timeout=30)
    assert process.returncode in (130, 0)
    assert "Traceback" not in told
    found = scan(export, out=out)
    assert found.files == 301 * 16
    assert len(found.table) == 301


def test_a_report_in_the_series_of_its_images_is_passed_over(export: Path, out: Path) -> None:
    first, *_ = series(export / "a")
    dataset = dcmread(first)
    for name in ("Rows", "Columns", "PixelData"):
        delattr(dataset, name)
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.33", generate_uid()
    dataset.save_as(export / "a" / "report")
    (row,) = scan(export, out=out).table.to_dict("records")
    assert (row["kind"], row["slices"], row["files"], row["complete"]) == ("image", 16, 17, True)
    assert inspect(export / "a").shape[2] == 16


def test_a_series_of_mixed_kinds_is_no_volume(export: Path, out: Path) -> None:
    first, *_ = series(export / "a")
    edited(first, SOPClassUID=SecondaryCaptureImageStorage)
    (row,) = scan(export, out=out).table.to_dict("records")
    assert (row["kind"], row["complete"]) == ("image", False)
    assert row["why_not"] == "mixed kinds: 15 of kind image, 1 of kind secondary capture"


def test_a_series_that_cannot_be_drawn_has_no_picture(
    export: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series(export / "a")
    found = scan(export, out=out)
    assert list(thumbnails(found)) == found.table["series"].tolist()

    def refuse(file: Path, frames: list[int]) -> None:
        raise SeriesError(f"{file}: cannot be decoded")

    monkeypatch.setattr("medvision.workflows.thumbnails.stored_frames", refuse)
    assert thumbnails(found) == {}


def test_few_patients_are_remembered_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medvision.workflows.scan_files._MOST_REMEMBERED", 3)
    names = Pseudonyms(b"key", show_patient=False)
    first = [names.patient("", str(number)) for number in range(10)]
    assert len(names._patients) <= 3
    assert [names.patient("", str(number)) for number in range(10)] == first


def test_folders_that_cannot_be_read_are_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    assert count_files(tmp_path, tmp_path / "out") == 0


def test_a_scan_goes_on_past_mutated_files(export: Path, out: Path) -> None:
    files = series(export / "a")
    random = np.random.default_rng(7)
    whole = files[3].read_bytes()
    for number in range(400):
        changed = bytearray(whole[: random.integers(150, len(whole))] if number % 4 == 0 else whole)
        for _ in range(random.integers(1, 8)):
            at = int(random.integers(132, min(len(changed), 1400) - 4))
            changed[at : at + 4] = (b"\xff\xff\xff\xff", random.bytes(4), b"", random.bytes(30))[number % 4]
        folder = export / f"{number}"
        folder.mkdir()
        (folder / "mutated.dcm").write_bytes(changed)
    start = time.process_time()
    found = scan(export, out=out, workers=0)
    assert time.process_time() - start < 30
    assert found.files == 416
    assert 0 < len(found.problems) < 400
    original = found.table[found.table["folder"].str.endswith("/a")].iloc[0]
    assert original["slices"] >= 16
    list(scan_export(export, out=out))
