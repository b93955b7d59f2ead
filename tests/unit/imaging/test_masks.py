"""Masks stored as arrays of whole numbers, and what all formats share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medvision.errors import GeometryError, MedvisionError, SeriesError
from medvision.imaging import Geometry, Volume, inspect, reorient, save_nifti, save_seg
from medvision.imaging.masks import check_mask, load_mask, load_mask_stack
from medvision.imaging.segments import Segment
from medvision.imaging.volume import Provenance
from medvision.testing import thorax_phantom, write_dicom_series, write_rtstruct
from medvision.testing.strategies import geometries, masks

GRID = Geometry((5, 6, 7), np.diag([-0.7, -0.7, 2.0, 1.0]))


def nifti(tmp_path: Path, array: np.ndarray, grid: Geometry = GRID) -> Path:
    return save_nifti(tmp_path / "mask.nii.gz", array, grid)


@pytest.fixture
def array() -> np.ndarray:
    found = np.zeros(GRID.shape, np.int16)
    found[1, 2, 3], found[2:4, 1:3, 5] = 7, 300
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(masks(labels=3), geometries(right_handed=False), st.sampled_from(["RAS", "LPS", "SRA", "ILP", "PIR"]))
def test_an_orientation_is_undone_exactly(tmp_path, array, drawn, axes) -> None:
    image = Volume(array, Geometry(array.shape, drawn.affine))
    turned = reorient(image, axes)
    path = save_nifti(tmp_path / "m.nii", turned.array, turned.geometry)
    check_mask(path, image)
    mask = load_mask(path, image)
    assert np.array_equal(mask.array, array)
    assert mask.geometry == image.geometry
    stack, values = load_mask_stack(path, image.geometry)
    assert values == tuple(np.unique(array[array > 0]).tolist())
    assert stack.shape == (len(values), *array.shape)
    assert all(np.array_equal(one, array == value) for one, value in zip(stack, values, strict=True))


def test_values_stay_and_get_their_names(tmp_path, array) -> None:
    mask = load_mask(nifti(tmp_path, array), GRID, labels={"liver": 7, "tumour": 300, "cyst": 2})
    assert np.array_equal(mask.array, array)
    assert mask.array.dtype == np.uint16
    assert {value: one.label for value, one in mask.segments.items()} == {
        7: "liver",
        300: "tumour",
        2: "cyst",
    }
    assert load_mask(nifti(tmp_path, array), GRID).segments[7] == Segment(7)
    assert repr(load_mask(nifti(tmp_path, np.zeros(GRID.shape, "u1")), GRID)).endswith("empty")


def test_a_number_gets_the_value_asked_for(tmp_path, array) -> None:
    mask = load_mask(nifti(tmp_path, array), GRID, labels={300: 1, 7: 2})
    assert np.array_equal(mask.array, np.select([array == 300, array == 7], [1, 2]))


@pytest.mark.parametrize("value", [0, -1, 70000])
def test_a_value_that_a_mask_cannot_have_is_refused(tmp_path, array, value) -> None:
    for use in (load_mask, load_mask_stack, check_mask):
        with pytest.raises(SeriesError, match=f"'liver' cannot have the value {value}"):
            use(nifti(tmp_path, array), GRID, labels={"liver": value})


def test_a_value_without_a_name_is_refused(tmp_path, array) -> None:
    with pytest.raises(SeriesError, match=r"the mask has the value 300, but only these are named: liver 7"):
        load_mask(nifti(tmp_path, array), GRID, labels={"liver": 7})


@pytest.mark.parametrize("value", [0.5, np.nan, -1, 70000])
def test_values_that_are_no_labels_are_refused(tmp_path, value) -> None:
    array = np.zeros(GRID.shape, np.float32)
    array[1, 1, 1] = value
    with pytest.raises(SeriesError, match="no labels"):
        load_mask(nifti(tmp_path, array), GRID)
    array[1, 1, 1] = 3
    assert load_mask(nifti(tmp_path, array), GRID).array[1, 1, 1] == 3


@pytest.mark.parametrize(
    ("grid", "match"),
    [
        (Geometry((5, 6, 6), GRID.affine), "covers only 5×6×6 of the image's 5×6×7 voxels"),
        (Geometry((5, 6, 8), GRID.affine), r"reaches outside the image by 1 voxels \(2.0 mm\) along k"),
        (Geometry((5, 6, 7), GRID.affine @ np.diag([1, 1, 0.5, 1])), "0.70×0.70×1.00 mm where the image has"),
    ],
)
def test_other_grids_are_refused(tmp_path, grid, match) -> None:
    path = nifti(tmp_path, np.zeros(grid.shape, np.uint8), grid)
    for use in (load_mask, check_mask, load_mask_stack):
        with pytest.raises(GeometryError, match=match):
            use(path, GRID)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_half_a_voxel_is_refused(tmp_path, array, axis) -> None:
    affine = np.array(GRID.affine)
    affine[:3, 3] += affine[:3, axis] / 2
    path = nifti(tmp_path, array, Geometry(GRID.shape, affine))
    with pytest.raises(
        GeometryError, match=rf"mask.nii.gz is shifted by .* \(0.50 voxel\) along {'ijk'[axis]}"
    ):
        load_mask(path, GRID)


def test_the_image_may_be_a_path_a_header_or_a_geometry(tmp_path, array) -> None:
    path = nifti(tmp_path, array)
    image = save_nifti(tmp_path / "image.nii", np.zeros(GRID.shape, np.float32), GRID)
    for one in (image, str(image), inspect(image), GRID):
        assert np.array_equal(load_mask(path, one).array, array)


def test_a_dicom_series_of_whole_numbers_is_a_mask_too(tmp_path) -> None:
    ct = write_dicom_series(thorax_phantom(3, shape=(24, 20, 12), lesions=0), tmp_path / "ct")
    with pytest.raises(SeriesError, match=r"values -\d+…\d+ are no labels"):
        load_mask(tmp_path / "ct", ct)


def test_a_folder_with_one_dicom_mask_is_read_and_with_two_refused(tmp_path) -> None:
    ct = write_dicom_series(thorax_phantom(3, shape=(24, 20, 12), lesions=0), tmp_path / "ct")
    grid = inspect(ct).geometry
    square = grid.index_to_mm([[3.5, 3.5, 2], [9.5, 3.5, 2], [9.5, 9.5, 2], [3.5, 9.5, 2]])
    (tmp_path / "rs").mkdir()
    write_rtstruct(tmp_path / "rs" / "a.dcm", ct, {"box": [square]})
    assert load_mask(tmp_path / "rs", ct).array.sum() == 36
    write_rtstruct(tmp_path / "rs" / "b.dcm", ct, {"box": [square]})
    with pytest.raises(SeriesError, match="2 files, the first a DICOM mask; give the one"):
        load_mask(tmp_path / "rs", ct)


@pytest.mark.parametrize("kind", ["seg", "rtstruct", "header"])
def test_gigabytes_of_zeros_behind_a_dicom_mask_are_not_read(tmp_path, kind) -> None:
    files = write_dicom_series(thorax_phantom(1, shape=(48, 48, 16), lesions=1), tmp_path / "ct")
    path = tmp_path / "mask.dcm"
    if kind == "seg":
        array = np.zeros((48, 48, 16), np.uint8)
        array[10:20, 12:22, 3:9] = 1
        mask = Volume(array, inspect(files).geometry, "SEG", Provenance(files=()))
        save_seg(path, mask, files, {1: "liver"}, algorithm="MANUAL")
    elif kind == "rtstruct":
        write_rtstruct(path, files, {"GTV": [[[0, 0, 0], [9, 0, 0], [9, 9, 0]]]})
    else:
        path.write_bytes(bytes(128) + b"DICM")
    with path.open("r+b") as file:
        file.truncate(10 << 30)
    if kind == "seg":
        assert load_mask(path, files).array.sum() == array.sum()
    else:
        with pytest.raises(SeriesError, match=r"cut short or damaged"):
            load_mask(path, files)


def test_a_file_that_may_not_be_read_is_a_sentence(tmp_path, array, monkeypatch) -> None:
    path = tmp_path / "mask.dcm"
    path.write_bytes(b"")

    def refused(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(SeriesError, match=r"mask\.dcm: not a DICOM file"):
        load_mask(path, GRID)


def test_what_is_no_mask_is_refused_as_a_scan_would_be(tmp_path) -> None:
    (tmp_path / "a.dcm").write_bytes(b"\x08\x00" + bytes(200))
    with pytest.raises(SeriesError):
        load_mask(tmp_path / "a.dcm", GRID)
    (tmp_path / "a.dcm").write_bytes(bytes(128) + b"DICM\x02\x00\x00\x00UL\x04\x00\x01")
    with pytest.raises(SeriesError):
        load_mask(tmp_path / "a.dcm", GRID)
    with pytest.raises(SeriesError, match="no such file"):
        load_mask(tmp_path / "b.dcm", GRID)


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP", "RTSTRUCT"])
def test_a_damaged_file_gives_a_mask_or_a_sentence(tmp_path, kind) -> None:
    ct = write_dicom_series(thorax_phantom(3, shape=(24, 20, 12), lesions=0), tmp_path / "ct")
    header, random = inspect(ct), np.random.default_rng(7)
    square = header.geometry.index_to_mm([[3.5, 3.5, 2], [9.5, 3.5, 2], [9.5, 9.5, 2], [3.5, 9.5, 2]])
    path, damaged = tmp_path / "mask.dcm", tmp_path / "damaged.dcm"
    if kind == "RTSTRUCT":
        write_rtstruct(path, ct, {"box": [square]})
    else:
        array = np.zeros(header.shape, np.uint8)
        array[3:9, 3:9, 2:5] = 1
        save_seg(path, Volume(array, header.geometry), ct, {1: "box"}, algorithm="MANUAL", kind=kind)
    whole, refused = path.read_bytes(), 0
    for _ in range(60):
        data = bytearray(whole)
        for place in random.integers(128, len(data), random.integers(1, 12)):
            data[place] = random.integers(256)
        damaged.write_bytes(data)
        try:
            mask = load_mask(damaged, header)
        except MedvisionError:
            refused += 1
        else:
            assert mask.geometry == header.geometry
    assert refused > 10
