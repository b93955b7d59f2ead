from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from medvision.errors import SeriesError
from medvision.imaging.blocks import ElementsError
from medvision.imaging.header import read_slices
from medvision.imaging.judging import judge, pack, unpack
from medvision.imaging.kernels import kernel_class
from medvision.imaging.kinds import kind_of
from medvision.imaging.series import read_series
from medvision.imaging.survey import survey_file, without_names

Series = Callable[..., list[Path]]


def fields(one: Any) -> dict[str, object]:
    found = {name: getattr(one, name) for name in one.__dataclass_fields__}
    plain = {name: dict(found.pop(name)) for name in ("same", "keys")}
    return plain | {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in found.items()}


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"syntax": ImplicitVRLittleEndian},
        {"syntax": ExplicitVRBigEndian},
        {"syntax": DeflatedExplicitVRLittleEndian},
        {"RescaleSlope": 2, "RescaleIntercept": -1000.5, "EchoTime": [9.5, 10], "ConvolutionKernel": "B30f"},
        {"SpacingBetweenSlices": 3, "InstanceNumber": None, "NumberOfTemporalPositions": 2},
        {"PixelRepresentation": 1, "BitsStored": 12, "Units": "BQML", "RescaleType": "HU"},
        {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"},
        {"PhotometricInterpretation": "PALETTE COLOR"},
        {"NumberOfFrames": 4},
        {"ModalityLUTSequence": Sequence([Dataset()])},
        {"BitsStored": None},
        {"ImageType": ["ORIGINAL", "PRIMARY", "MOSAIC"]},
        {"ImageType": ["ORIGINAL", "PRIMARY", "MOSAIC"], "SpacingBetweenSlices": 3},
    ],
)
def test_slices_are_those_of_the_reader(series: Series, elements: dict[str, Any]) -> None:
    (file,) = series(count=1, **elements)
    assert [fields(one) for one in survey_file(file).slices] == [fields(one) for one in read_slices(file)]


def test_a_file_cut_short_is_refused_as_the_reader_refuses_it(series: Series) -> None:
    (file,) = series(count=1)
    file.write_bytes(file.read_bytes()[:-20])
    assert [fields(one) for one in survey_file(file).slices] == [fields(one) for one in read_slices(file)]


@pytest.mark.parametrize(
    "elements",
    [
        {"RescaleSlope": 0},
        {"PixelSpacing": [1, 2, 3]},
        {"SliceThickness": [1, 2]},
        {"BitsAllocated": None},
    ],
)
def test_a_header_that_is_not_understood(series: Series, elements: dict[str, Any]) -> None:
    (file,) = series(count=1, **elements)
    with pytest.raises(ElementsError):
        survey_file(file)
    with pytest.raises(SeriesError):
        read_slices(file)


def test_a_header_without_a_class_is_cut_short(series: Series) -> None:
    (file,) = series(count=1)
    dataset = dcmread(file)
    for name in ("SOPClassUID", "Rows", "Columns"):
        delattr(dataset, name)
    dataset.save_as(file)
    with pytest.raises(ElementsError, match="cut short"):
        survey_file(file)


def test_facts_are_given_once(series: Series) -> None:
    first, second = series(count=2, StudyDate="20200102", ScanningSequence=["GR", "EP"], SequenceName="x")
    found = survey_file(first)
    assert found.facts is not None
    assert (found.facts.study_date, found.facts.sequence, found.facts.thickness_mm) == (
        "20200102",
        "GR/EP x",
        2.5,
    )
    assert survey_file(second, known={found.series_uid}).facts is None


def test_descriptions_that_name_the_patient() -> None:
    assert without_names("CT Thorax Müller", "1", "MÜLLER^A") == "(names the patient)"
    assert without_names("id 4711-3", "4711") == "(names the patient)"
    assert without_names("CT of a leg", "a", "of^CT") == "CT of a leg"


@pytest.mark.parametrize(
    ("sop_class", "image_type", "kind"),
    [
        ("2", ["DERIVED", "PRIMARY"], "derived"),
        ("4", ["ORIGINAL"], "image"),
        ("128", [], "image"),
        ("7", ["DERIVED"], "secondary capture"),
        ("7.4", [], "secondary capture"),
        ("66.4", [], "segmentation"),
        ("481.3", [], "structure set"),
        ("481.2", [], "projection"),
        ("88.33", [], "report"),
        ("88.22", [], "report"),
        ("104.1", [], "report"),
        ("11.1", [], "presentation state"),
        ("1.1", [], "projection"),
        ("6.1", [], "projection"),
    ],
)
def test_kinds(sop_class: str, image_type: list[str], kind: str) -> None:
    assert kind_of(f"1.2.840.10008.5.1.4.1.1.{sop_class}", image_type, has_pixels=True) == kind


def test_an_object_without_pixels_is_no_image() -> None:
    assert kind_of("1.2.840.10008.5.1.4.1.1.2", [], has_pixels=False) == "other object"
    assert kind_of("1.2.3", [], has_pixels=True) == "image"


@pytest.mark.parametrize(
    ("manufacturer", "kernel", "expected"),
    [
        ("SIEMENS", "B30f", "soft"),
        ("Siemens Healthineers", "Br40d/3", "soft"),
        ("SIEMENS", "I70f", "sharp"),
        ("SIEMENS", "Bl57", "sharp"),
        ("SIEMENS", "STANDARD", ""),
        ("GE MEDICAL SYSTEMS", "standard", "soft"),
        ("GE MEDICAL SYSTEMS", "BONEPLUS", "sharp"),
        ("Philips", "B", "soft"),
        ("Philips", "YC", "sharp"),
        ("TOSHIBA", "FC08", "soft"),
        ("Canon Medical", "FC52", "sharp"),
        ("Canon Medical", "FC65", ""),
        ("TOSHIBA", "lung", ""),
        ("", "B30f", ""),
    ],
)
def test_kernels(manufacturer: str, kernel: str, expected: str) -> None:
    assert kernel_class(manufacturer, kernel) == expected


def test_what_is_written_down_is_judged_as_the_files_are(series: Series) -> None:
    files = series(count=6)
    slices = [one for file in files for one in survey_file(file).slices]
    found = judge(unpack(pack(slices, "P-1")))
    expected = read_series(files, "x").geometry
    assert found.geometry is not None
    assert np.allclose(found.geometry.affine, expected.affine)
    assert (found.why_not, found.volumes, found.warnings) == ("", 1, ())


def test_several_volumes_and_warnings_are_told(series: Series) -> None:
    def edit(ds: Dataset, k: int) -> None:
        ds.AcquisitionNumber = k % 2 + 1
        ds.ImagePositionPatient = [-10, -20, 30 + k // 2 * 2.5]

    files = series(count=6, edit=edit)
    found = judge(unpack(pack([one for file in files for one in survey_file(file).slices], "P-1")))
    assert found.volumes == 2
    assert found.geometry is not None
    assert found.geometry.shape == (6, 4, 3)
    assert found.why_not == "2 volumes at the same positions, told apart by AcquisitionNumber (1, 2)"
    rounded = series(count=5, SpacingBetweenSlices=1.25)
    found = judge([one for file in rounded for one in survey_file(file).slices])
    assert found.geometry is not None
    assert "slices may be missing at every step" in found.warnings[0]
    assert "this series" not in found.warnings[0]


def test_all_problems_are_told_in_one_sentence(series: Series) -> None:
    def edit(ds: Dataset, k: int) -> None:
        ds.Modality, ds.FrameOfReferenceUID = ("CT", "1.2") if k else ("MR", "1.3")

    slices = [one for file in series(count=4, edit=edit) for one in survey_file(file).slices]
    found = judge(unpack(pack(slices, "P-1")))
    assert "mixed modality" in found.why_not
    assert "; mixed frame of reference: F-" in found.why_not
    assert "1.2" not in found.why_not


def test_a_deflated_object_of_several_frames_is_judged_as_the_reader_judges_it(series: Series) -> None:
    (file,) = series(count=1, syntax=DeflatedExplicitVRLittleEndian, NumberOfFrames=4)
    (one,) = survey_file(file).slices
    assert "does not say where its frames lie" in one.refusal
