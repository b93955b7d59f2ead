"""The Decathlon's layout."""

from __future__ import annotations

import json

import pytest

from medvision.cohort import read_msd
from medvision.errors import CohortError


@pytest.fixture
def dataset(tmp_path):
    def write(absent=(), **changes):
        pairs = [
            {"image": f"./imagesTr/h_{n}.nii.gz", "label": f"./labelsTr/h_{n}.nii.gz"} for n in ("001", "002")
        ]
        content = {
            "labels": {"0": "background", "1": "Anterior", "2": "Posterior part"},
            "training": pairs,
        } | changes
        for pair in pairs:
            for file in pair.values():
                path = tmp_path / file
                path.parent.mkdir(exist_ok=True)
                if path.name not in absent:
                    path.write_bytes(b"")
        path = tmp_path / "dataset.json"
        path.write_text(json.dumps(content))
        return path

    return write


LABELS = {"anterior": 1, "posterior_part": 2}


def test_a_right_dataset(dataset, tmp_path):
    cohort = read_msd(dataset(), labels=LABELS)
    cases = list(cohort)
    assert [case.case_id for case in cases] == ["h_001", "h_002"]
    assert [case.patient_id for case in cases] == ["h_001", "h_002"]
    assert cases[0].image == tmp_path / "imagesTr" / "h_001.nii.gz"
    assert cases[0].mask == tmp_path / "labelsTr" / "h_001.nii.gz"
    assert cases[0].label is None


def test_patients_may_be_told(dataset):
    cohort = read_msd(dataset(), labels=LABELS, patients={"h_001": "p", "h_002": "p"})
    assert cohort.table["patient_id"].tolist() == ["p", "p"]
    with pytest.raises(CohortError, match="no patient is given for the case 'h_002'"):
        read_msd(dataset(), labels=LABELS, patients={"h_001": "p"})


def test_structures_may_be_left_out(dataset):
    assert len(read_msd(dataset(), labels={"Anterior": 1})) == 2


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ({"anterior": 2}, "'anterior' is declared with the value 2, but dataset.json says 1"),
        ({"anterior": 1, "tumour": 3}, "dataset.json has no structure 'tumour' (declared with the value 3)"),
        ({"tail": 1}, "dataset.json has no structure 'tail' (declared with the value 1)"),
    ],
)
def test_structures_that_differ(dataset, labels, problem):
    with pytest.raises(CohortError) as caught:
        read_msd(dataset(), labels=labels)
    assert caught.value.problems[0].startswith(problem)


def test_a_swapped_pair_is_two_problems(dataset):
    with pytest.raises(CohortError) as caught:
        read_msd(dataset(), labels={"anterior": 2, "posterior part": 1})
    assert len(caught.value.problems) == 2


def test_the_other_way_of_writing_labels(dataset):
    # nnU-Net's dataset.json maps names to values.
    path = dataset(labels={"background": 0, "Anterior": 1, "Posterior part": 2})
    assert len(read_msd(path, labels=LABELS)) == 2
    with pytest.raises(CohortError, match=r"dataset\.json says 1"):
        read_msd(path, labels={"anterior": 2})


def test_missing_files(dataset, tmp_path):
    second = "dataset.json: training[1] (patient h_002)"
    with pytest.raises(CohortError) as caught:
        read_msd(dataset(absent=("h_002.nii.gz",)), labels=LABELS)
    assert list(caught.value.problems) == [
        f"{second}: there is no image {tmp_path / 'imagesTr' / 'h_002.nii.gz'}",
        f"{second}: there is no mask {tmp_path / 'labelsTr' / 'h_002.nii.gz'}",
    ]


def test_one_image_for_two_cases(dataset):
    pair = {"image": "./imagesTr/h_001.nii.gz", "label": "./labelsTr/h_001.nii.gz"}
    with pytest.raises(CohortError, match="stands here twice"):
        read_msd(dataset(training=[pair, pair]), labels=LABELS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"training": []}, "training is missing or lists no case"),
        ({"training": [{"image": "a.nii"}]}, r"training\[0\] needs an image and a label"),
        ({"training": ["a.nii"]}, r"training\[0\] needs an image and a label"),
        ({"labels": None}, "labels is missing or of another form"),
        ({"labels": {"1": ["a", "b"]}}, "labels is missing or of another form"),
    ],
)
def test_other_forms(dataset, changes, words):
    with pytest.raises(CohortError, match=words):
        read_msd(dataset(**changes), labels=LABELS)


@pytest.mark.parametrize(
    ("text", "words"), [("{", r"dataset\.json:1:2: is no JSON"), ("[]", "expected an object")]
)
def test_what_is_no_dataset(tmp_path, text, words):
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(CohortError, match=words):
        read_msd(tmp_path / "dataset.json", labels=LABELS)
    with pytest.raises(CohortError, match="there is no"):
        read_msd(tmp_path / "absent.json", labels=LABELS)


@pytest.mark.data
def test_the_hippocampi(data_dir):
    cohort = read_msd(data_dir / "hippocampus" / "dataset.json", labels={"anterior": 1, "posterior": 2})
    assert len(cohort) == 196
    assert next(iter(cohort)).case_id == "hippocampus_004"
