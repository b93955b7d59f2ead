"""A folder with planted names, numbers, private tags and letters: all counted, none shown."""

import json
import subprocess
import sys

import numpy as np
import pytest
from pydicom import dcmread

from medvision.cli import main
from medvision.errors import MedvisionError
from medvision.imaging import save_nifti
from medvision.testing import Patient, Storage, thorax_phantom, write_dicom_series
from medvision.testing.burning import burn_text
from medvision.workflows.deidentification import check_deidentified

SECRETS = ("Doe", "Jane", "ZZ4711", "19570302", "Meadow Hospital", "SecretBlock")


def series(folder, seed=1, **patient):
    phantom = thorax_phantom(seed, shape=(96, 96, 16), lesions=1)
    return write_dicom_series(phantom, folder, patient=Patient(**patient), storage=Storage())


def change(path, **values):
    dataset = dcmread(path)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
    return dataset


@pytest.fixture
def clean(tmp_path):
    """A series from which everything but dates and UIDs was removed."""
    for path in series(tmp_path / "clean"):
        dataset = dcmread(path)
        for keyword in (
            "PatientName", "PatientID", "StudyID", "StudyDescription", "SeriesDescription",
            "DeviceSerialNumber",
            "SoftwareVersions", "PositionReferenceIndicator",
        ):  # fmt: skip
            setattr(dataset, keyword, "" if keyword not in {"PatientName", "PatientID"} else "ANONYMOUS")
        dataset.BurnedInAnnotation = "NO"
        dataset.save_as(path)
    return tmp_path / "clean"


@pytest.fixture
def export(tmp_path):
    folder = tmp_path / "export"
    for path in series(folder / "Doe_Jane/ZZ4711", patient_id="ZZ4711"):
        dataset = change(
            path, PatientName="Doe^Jane", PatientBirthDate="19570302", InstitutionName="Meadow Hospital",
            PatientIdentityRemoved="NO", StudyInstanceUID="1.2.840.113619.2.1",
            SeriesInstanceUID="1.2.840.113619.2.2",
        )  # fmt: skip
        dataset.private_block(0x0031, "SecretBlock", create=True).add_new(1, "LO", "Doe")
        dataset.save_as(path)
    save_nifti(folder / "scan_20240131.nii.gz", np.zeros((2, 2, 2)), np.eye(4))
    (folder / "scan.json").write_text(json.dumps({"PatientName": "Doe^Jane"}))
    (folder / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\x02\x00\x00\x00UL\x04\x00" + b"\xff" * 4)
    (folder / "letter.pdf").write_bytes(b"%PDF")
    return folder


def counts(found):
    return {entry.keyword: count.files for entry, count in found.tally.attributes.items()}


def test_everything_planted_is_counted_by_file(export):
    found = check_deidentified(export, frames=0)
    assert found.identifies
    files = counts(found)
    assert files["PatientName"] == 17  # 16 slices and a sidecar
    assert files["PatientBirthDate"] == files["InstitutionName"] == files["unknown creator"] == 16
    assert found.tally.flags["PatientIdentityRemoved", "NO"] == 16
    assert found.tally.roots["GE, as a scanner writes them"] == 16
    assert found.tally.names == {
        "the patient's name": 16,
        "the patient's number (PatientID)": 16,
        "a date": 1,
    }
    assert found.tally.formats["NIfTI"] == found.tally.formats["JSON"] == 1
    assert found.tally.formats["not checked: .pdf"] == 1


def test_nothing_of_a_patient_is_shown_unless_asked_for(export, tmp_path):
    hidden = check_deidentified(export, out=tmp_path / "hidden")
    texts = [str(hidden), repr(hidden.tally.flags), *(p.read_text() for p in (tmp_path / "hidden").iterdir())]
    for text in texts:
        assert not [secret for secret in SECRETS if secret in text.replace(str(export), "")]
    check_deidentified(export, out=tmp_path / "shown", show_patient=True)
    page = (tmp_path / "shown/deidentification.html").read_text()
    for secret in ("Doe^Jane", "ZZ4711", "Meadow Hospital"):
        assert secret in page
    assert {p.name for p in (tmp_path / "shown").iterdir()} == {
        "deidentification.html", "attributes.csv", "statements.csv", "text_regions.csv", "files.csv"
    }  # fmt: skip


def test_dummies_dates_and_uids_do_not_identify(clean):
    found = check_deidentified(clean)
    assert not found.identifies
    assert "no proof" in found.verdict()
    name = next(count for entry, count in found.tally.attributes.items() if entry.keyword == "PatientName")
    assert (name.files, name.dummies, len(name.digests)) == (16, 16, 1)
    assert counts(found)["StudyDate"] == 16
    assert found.looked_at == 3


def test_letters_in_pixels_are_found_and_prone_files_are_all_looked_at(clean):
    for path in sorted(clean.iterdir()):
        dataset = dcmread(path)
        pixels = burn_text(dataset.pixel_array.copy(), "JANEDOE", 3000)
        dataset.PixelData = pixels.tobytes()
        dataset.Modality = "US"
        del dataset.BurnedInAnnotation
        dataset.save_as(path)
    found = check_deidentified(clean, frames=1)
    assert found.looked_at == len(found.texts) == 16
    assert found.identifies
    assert "16 files of US" in str(found)


def test_a_stated_burned_in_annotation_identifies(clean):
    for path in clean.iterdir():
        change(path, BurnedInAnnotation="YES")
    assert check_deidentified(clean, frames=0).identifies


def test_pixels_that_cannot_be_decoded_are_counted(clean):
    path = sorted(clean.iterdir())[0]
    dataset = dcmread(path)
    dataset.PixelData = b"\0\0"
    dataset.save_as(path)
    found = check_deidentified(clean, frames=16)
    assert (found.undecoded, found.looked_at) == (1, 15)


def test_several_processes_find_the_same(export):
    for number in range(30):
        series(export / f"more/{number}", seed=1, patient_id=f"P{number}")
    one = check_deidentified(export, processes=1)
    two = check_deidentified(export, processes=2)
    assert counts(one) == counts(two)
    assert one.tally.flags == two.tally.flags
    assert (one.tally.series, one.looked_at) == (two.tally.series, two.looked_at)
    number = next(count for entry, count in two.tally.attributes.items() if entry.keyword == "PatientID")
    assert len(number.digests) == 31


def test_broken_and_looping_things_do_not_stop_it(export):
    (export / "loop").symlink_to(export)
    (export / "broken.nii").write_bytes(b"x" * 400)
    (export / "broken.json").write_text("{")
    (export / "deep.json").write_text("[" * 100_000)
    found = check_deidentified(export, frames=0)
    assert found.tally.formats["unreadable"] >= 3
    assert "unreadable: file " in found.tables()[3].to_csv()


def test_methods_that_files_state_are_named(clean):
    from pydicom import Dataset
    from pydicom.sequence import Sequence

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = "113101", "DCM"
    for path in clean.iterdir():
        change(path, DeidentificationMethodCodeSequence=Sequence([item]))
    statements = check_deidentified(clean, frames=0).tables()[1].to_csv()
    assert "Clean Pixel Data Option,113101,16" in statements
    assert "DeidentificationMethod,stated,16" in statements


def test_a_users_mistakes(tmp_path):
    with pytest.raises(MedvisionError, match="there is no folder"):
        check_deidentified(tmp_path / "nowhere")
    with pytest.raises(MedvisionError, match="no file in it"):
        check_deidentified(tmp_path)
    with pytest.raises(MedvisionError, match="--frames -1"):
        check_deidentified(tmp_path, frames=-1)
    (tmp_path / "a.txt").write_text("x")
    assert "nothing is known" in check_deidentified(tmp_path).verdict()


def test_the_command_line(export, clean, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("medvision.interrupt.stop_on_interrupt", lambda advice: None)
    for words, code in (
        ([str(export)], 0),
        ([str(export), "--strict", "--out", str(tmp_path / "out")], 1),
        ([str(clean), "--strict"], 0),
    ):  # fmt: skip
        with pytest.raises(SystemExit) as left:
            main(["check-deidentified", *words, "--frames", "0"])
        assert left.value.code == code
    printed = capsys.readouterr()
    assert "PatientBirthDate" in printed.out
    assert not [secret for secret in SECRETS if secret in printed.err]


def test_it_loads_no_deep_learning_library(clean):
    code = (
        "import sys; from medvision.workflows.deidentification import check_deidentified;"
        f"check_deidentified({str(clean)!r});"
        "print([name for name in ('torch', 'monai', 'lightning') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_warnings_that_quote_values_are_kept_away(clean, recwarn, caplog):
    for path in clean.iterdir():
        change(path, PatientName="Doe^Jane", SpecificCharacterSet="ISO_IR SECRET")
    dcmread(next(clean.iterdir())).PatientName.family_name  # noqa: B018 (decoding is what warns)
    assert "SECRET" in caplog.text
    recwarn.clear()
    caplog.clear()
    assert check_deidentified(clean, frames=0).identifies
    assert [*recwarn] == []
    assert caplog.text == ""
