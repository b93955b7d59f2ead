from __future__ import annotations

import json
import shutil
from zipfile import ZipFile

import nibabel
import numpy as np
import pandas as pd
import pytest
from pydicom import dcmread

import medvision as mv
from medvision.cli import main
from medvision.config import Preprocessing, RawIntensity, RegionCrop
from medvision.errors import MedvisionError
from medvision.imaging import Volume, inspect, load_mask, reorient, save_nifti, save_seg
from medvision.testing import thorax_phantom, write_dicom_series, write_rtstruct
from medvision.transforms.prepare import prepare
from medvision.workflows.convert_masks import convert_mask, parse_segments

SHAPE = (24, 20, 12)


@pytest.fixture(scope="module")
def ct(tmp_path_factory):
    """A folder with one CT."""
    folder = tmp_path_factory.mktemp("ct")
    write_dicom_series(thorax_phantom(3, shape=SHAPE, lesions=0), folder)
    return folder


@pytest.fixture
def blocks():
    array = np.zeros(SHAPE, np.uint8)
    array[2:9, 3:8, 2:7], array[12:20, 5:15, 4:11] = 1, 2
    return array


def run(*words) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return left.value.code


def test_nifti_to_seg_and_back_on_the_command_line(ct, blocks, tmp_path, capsys) -> None:
    grid = inspect(ct).geometry
    turned = reorient(Volume(blocks, grid), "RAS")
    source = save_nifti(tmp_path / "labels.nii.gz", turned.array, turned.geometry)
    seg, back = tmp_path / "seg.dcm", tmp_path / "back.nii.gz"
    named = ["--segments", "1:liver,2:tumour"]
    assert run("convert", source, seg, "--reference", ct, *named, "--algorithm", "automatic:nnU-Net") == 0
    assert dcmread(seg).SegmentSequence[0].SegmentAlgorithmName == "nnU-Net"
    assert run("convert", seg, back, "--reference", ct, "--sidecar") == 0
    assert capsys.readouterr().out.split() == [str(seg), str(back)]
    written = nibabel.load(back)
    assert np.array_equal(np.asarray(written.dataobj), blocks)
    assert written.affine == pytest.approx(grid.affine, abs=1e-4)
    labels = json.loads((tmp_path / "back.json").read_text("utf-8"))["labels"]
    assert labels["1"] == {
        "name": "liver",
        "number": 1,
        "type": {"value": "10200004", "scheme": "SCT", "meaning": "Liver"},
    }
    assert "PHANTOM" not in (tmp_path / "back.json").read_text("utf-8")
    assert run("convert", seg, back, "--reference", ct) == 2
    assert "is there already" in capsys.readouterr().err


def test_an_rtstruct_becomes_nifti_and_seg(ct, tmp_path) -> None:
    grid = inspect(ct).geometry
    square = grid.index_to_mm([[3.5, 3.5, 2], [9.5, 3.5, 2], [9.5, 9.5, 2], [3.5, 9.5, 2]])
    files = sorted(ct.iterdir())
    source = write_rtstruct(tmp_path / "rs.dcm", files, {"GTV": [square], "BODY": [square]})
    mask = convert_mask(source, tmp_path / "m.nii", reference=ct, segments="5:GTV")
    expected = np.zeros(SHAPE)
    expected[4:10, 4:10, 2] = 5
    assert np.array_equal(np.asarray(nibabel.load(mask).dataobj), expected)
    seg = convert_mask(source, tmp_path / "s.dcm", reference=ct, segments="1:1", algorithm="manual")
    assert load_mask(seg, ct, labels={"GTV": 5}).array.sum() == expected.sum()


def test_a_mask_without_its_scan_is_told_what_it_needs(ct, blocks, tmp_path, capsys) -> None:
    seg = save_seg(
        tmp_path / "s.dcm", Volume(blocks, inspect(ct).geometry), ct, {1: "a", 2: "b"}, algorithm="MANUAL"
    )
    assert run("convert", seg, tmp_path / "m.nii") == 2
    assert "name that scan with --reference" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["liver", "0:liver", "1:", "a:liver", "1:liver,,2:b"])
def test_segments_that_are_no_pairs_are_refused(text) -> None:
    with pytest.raises(MedvisionError, match="name the structures as value:name"):
        parse_segments(text)


def test_an_unknown_algorithm_is_refused_before_anything_is_read(tmp_path) -> None:
    with pytest.raises(MedvisionError, match="--algorithm magic: say how"):
        convert_mask(tmp_path / "no.dcm", tmp_path / "s.dcm", reference=tmp_path, algorithm="magic")


def test_a_seg_is_not_named_as_another_format(ct, blocks, tmp_path) -> None:
    mask = Volume(blocks, inspect(ct).geometry)
    for name in ("s.nrrd", "s.mha", "s.nii.gz", "s.json"):
        with pytest.raises(MedvisionError, match="the name of another format"):
            save_seg(tmp_path / name, mask, ct, {1: "a", 2: "b"}, algorithm="MANUAL")
    assert list(tmp_path.iterdir()) == []


def test_options_that_would_do_nothing_are_refused(ct, blocks, tmp_path, capsys) -> None:
    labels = save_nifti(tmp_path / "m.nii", blocks, inspect(ct).geometry)
    out, to_seg = tmp_path / "out.dcm", ("--segments", "1:a,2:b", "--algorithm", "manual")
    assert run("convert", ct, tmp_path / "out.nii", *to_seg) == 2
    assert "--segments and --algorithm are said of a mask; name its scan" in capsys.readouterr().err
    assert run("convert", labels, out, "--reference", ct, *to_seg, "--every-volume") == 2
    assert "--every-volume is said of a scan, not of a mask" in capsys.readouterr().err
    assert run("convert", labels, out, "--reference", ct, *to_seg, "--sidecar") == 2
    assert "--sidecar goes with a NIfTI" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [labels]


def test_the_reference_is_read_as_told_and_may_be_a_zip(blocks, tmp_path, capsys) -> None:
    for number in (1, 2):
        phantom = thorax_phantom(3, shape=SHAPE, lesions=0)
        files = write_dicom_series(phantom, tmp_path / "both" / str(number), series_number=number)
    uid, grid = inspect(files).provenance.series_uid, inspect(files).geometry
    labels = save_nifti(tmp_path / "m.nii", blocks, grid)
    zipped = shutil.make_archive(str(tmp_path / "both"), "zip", tmp_path / "both")
    words = ("--segments", "1:a,2:b", "--algorithm", "manual", "--series-uid", uid)
    assert run("convert", labels, tmp_path / "s.dcm", "--reference", zipped, *words) == 0, capsys.readouterr()
    assert dcmread(tmp_path / "s.dcm").ReferencedSeriesSequence[0].SeriesInstanceUID == uid
    with ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.write(tmp_path / "s.dcm", "s.dcm")
    back = ("convert", tmp_path / "s.zip", tmp_path / "b.nii", "--reference", tmp_path / "both")
    assert run(*back) == 2
    assert run(*back, "--series-uid", uid) == 0
    assert np.array_equal(np.asarray(nibabel.load(tmp_path / "b.nii").dataobj), blocks)


class TestStudy:
    """A study whose masks are DICOM SEG."""

    @pytest.fixture
    def study(self, tmp_path):
        rows = []
        for n in range(4):
            phantom = thorax_phantom(n, shape=(40, 36, 16), lesions=0)
            folder = tmp_path / f"ct{n}"
            write_dicom_series(phantom, folder)
            header = inspect(folder)
            array = np.zeros(header.shape, np.uint8)
            array[5:20, 5:20, 4 + n % 2 : 12] = 1
            array[22:30, 5:20, 6:9] = 2
            segments = {1: "Left lung", 2: "Nodule"} if n % 2 else {1: "Nodule", 2: "Left lung"}
            array = array if n % 2 else np.array([0, 2, 1], np.uint8)[array]
            save_seg(
                tmp_path / f"s{n}.dcm", Volume(array, header.geometry), folder, segments, algorithm="MANUAL"
            )
            rows.append({"patient_id": f"P{n}", "image": f"ct{n}", "mask": f"s{n}.dcm"})
        pd.DataFrame(rows).to_csv(tmp_path / "cohort.csv", index=False)
        (tmp_path / "study.yaml").write_text(
            "name: lungs\ncohort: {kind: manifest, path: cohort.csv, mask: mask}\n"
            "task: {kind: segmentation, labels: {left_lung: 1, nodule: 2}}\n"
            "split: {folds: 2}\nmodel: {kind: unet, channels: [4, 8], residual_units: 1}\n"
            "training: {epochs: 1, patch_voxels: [16, 16, 16]}\n"
        )
        return tmp_path / "study.yaml"

    def test_structures_are_found_by_name_whatever_their_number(self, study) -> None:
        assert "nothing wrong found" in str(mv.check(study))
        settings = Preprocessing(intensity=RawIntensity(kind="raw"))
        for n in range(4):
            folder = study.parent
            prepared = prepare(
                folder / f"ct{n}", folder / f"s{n}.dcm", settings, {"left_lung": 1, "nodule": 2}
            )
            counts = np.bincount(prepared.mask.ravel(), minlength=3)
            assert counts[1:].tolist() == [15 * 15 * (8 - n % 2), 8 * 15 * 3]

    def test_a_mask_of_another_patient_is_refused_by_check(self, study) -> None:
        table = pd.read_csv(study.parent / "cohort.csv")
        table.loc[0, "mask"], table.loc[1, "mask"] = table["mask"][1], table["mask"][0]
        table.to_csv(study.parent / "cohort.csv", index=False)
        with pytest.raises(MedvisionError, match="2 problems in the 4 cases") as caught:
            mv.check(study)
        assert str(caught.value).count("frame of reference") >= 2

    def test_a_misspelt_structure_is_refused_by_check(self, study) -> None:
        text = study.read_text().replace("nodule: 2", "nodul: 2")
        study.write_text(text)
        with pytest.raises(MedvisionError, match=r"no segment 'nodul'; did you mean 'Nodule'\?"):
            mv.check(study)

    def test_where_only_the_place_matters_structures_may_overlap(self, study) -> None:
        folder = study.parent
        prepared = prepare(
            folder / "ct0", folder / "s0.dcm", Preprocessing(intensity=RawIntensity(kind="raw")), {}
        )
        assert np.unique(prepared.mask).tolist() == [0, 1]
        assert prepared.mask.sum() == 15 * 15 * 8 + 8 * 15 * 3

    def test_a_region_may_be_a_seg_too(self, study) -> None:
        folder = study.parent
        steps = Preprocessing(
            crop=RegionCrop(kind="region", margin_mm=0.0), intensity=RawIntensity(kind="raw")
        )
        prepared = prepare(folder / "ct0", None, steps, {}, region=folder / "s0.dcm")
        assert prepared.mask is None
        assert prepared.image.shape == (1, 25, 15, 8)  # the box around both structures
        whole = prepare(folder / "ct0", None, Preprocessing(intensity=steps.intensity), {})
        corner = np.linalg.solve(whole.affine, prepared.affine)[:3, 3].round().astype(int)
        i, j, k = (slice(start, start + side) for start, side in zip(corner, (25, 15, 8), strict=True))
        assert np.array_equal(prepared.image, whole.image[:, i, j, k])

    def test_a_region_of_another_patient_is_refused_by_check(self, study) -> None:
        table = pd.read_csv(study.parent / "cohort.csv")
        table["lungs"] = table["mask"]
        table.to_csv(study.parent / "cohort.csv", index=False)
        text = study.read_text().replace("mask: mask}", "mask: mask, region: lungs}")
        study.write_text(text + "preprocessing: {crop: {kind: region}}\n")
        assert "nothing wrong found" in str(mv.check(study))
        table.loc[0, "lungs"], table.loc[1, "lungs"] = table["mask"][1], table["mask"][0]
        table.to_csv(study.parent / "cohort.csv", index=False)
        with pytest.raises(MedvisionError, match="2 problems in the 4 cases"):
            mv.check(study)
