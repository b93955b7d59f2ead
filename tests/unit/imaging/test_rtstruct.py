"""Contours into an image: spheres, holes, oblique and tilted series, and what is refused."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.path import Path as Outline
from pydicom import dcmread
from pydicom.data import get_testdata_file

from medvision.errors import GeometryError, SeriesError
from medvision.imaging import Geometry, Volume, inspect, load_volume, reorient
from medvision.imaging.masks import check_mask, load_mask
from medvision.testing import thorax_phantom, write_dicom_series, write_rtstruct

SHAPE = (60, 50, 24)


@pytest.fixture(scope="module")
def ct(tmp_path_factory):
    """A CT of 60×50×24 voxels."""
    return write_dicom_series(thorax_phantom(3, shape=SHAPE, lesions=1), tmp_path_factory.mktemp("ct"))


def ring(grid: Geometry, k: float, radius: float, centre=(28.3, 24.7), count: int = 400) -> np.ndarray:
    """A circle in slice ``k``, radius and centre in voxels, as RAS mm."""
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    i, j = np.array(centre)[:, None] + radius * np.stack([np.cos(angles), np.sin(angles)])
    return grid.index_to_mm(np.stack([i, j, np.full(count, k)], axis=1))


def written(tmp_path: Path, ct, structures, **options) -> Path:
    return write_rtstruct(tmp_path / "rs.dcm", ct, structures, **options)


def test_a_sphere_has_its_volume(ct, tmp_path) -> None:
    grid = inspect(ct).geometry
    voxel, radius_mm, middle = np.array(grid.spacing_mm), 14.0, np.array([28.3, 24.7, 11.4])
    contours = []
    for k in range(SHAPE[2]):
        squared = radius_mm**2 - ((k - middle[2]) * voxel[2]) ** 2
        if squared > 0:
            angles = np.linspace(0, 2 * np.pi, 500, endpoint=False)
            plane = (
                np.sqrt(squared) * np.stack([np.cos(angles), np.sin(angles)], axis=1) / voxel[:2] + middle[:2]
            )
            contours.append(grid.index_to_mm(np.column_stack([plane, np.full(500, k)])))
    mask = load_mask(written(tmp_path, ct, {"sphere": contours}), ct)
    volume = mask.array.sum() * voxel.prod()
    assert volume == pytest.approx(4 / 3 * np.pi * radius_mm**3, rel=0.01)
    inside = np.linalg.norm((np.indices(SHAPE).reshape(3, -1).T - middle) * voxel, axis=1) < radius_mm
    agree = mask.array.ravel().astype(bool) == inside
    assert agree.mean() > 0.9999  # 500 corners lie inside of the circle by up to 0.0003 mm


def test_structures_have_their_roi_numbers_and_names_choose_them(ct, tmp_path) -> None:
    grid = inspect(ct).geometry
    path = written(tmp_path, ct, {"Lung L": [ring(grid, 4, 9)], "GTV": [ring(grid, 4, 3, (50, 40))]})
    mask = load_mask(path, ct)
    assert sorted(np.unique(mask.array)) == [0, 1, 2]
    assert {value: one.label for value, one in mask.segments.items()} == {1: "Lung L", 2: "GTV"}
    only = load_mask(path, ct, labels={"gtv": 7})
    assert np.array_equal(only.array == 7, mask.array == 2)
    with pytest.raises(
        SeriesError, match=r"no segment 'LungL'; did you mean 'Lung L'\?; it has 1 'Lung L', 2"
    ):
        load_mask(path, ct, labels={"LungL": 1})


@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_an_inner_contour_is_a_hole_and_an_island_in_it_is_none(ct, tmp_path, kind) -> None:
    grid = inspect(ct).geometry
    rings = [ring(grid, 7, radius, count=100 + 30 * radius) for radius in (15, 10, 5)]
    mask = load_mask(written(tmp_path, ct, {"wall": rings}, kind=kind), ct).array[:, :, 7]
    far = np.hypot(*(np.indices(SHAPE[:2]) - np.array([28.3, 24.7])[:, None, None]))
    assert np.array_equal(mask.astype(bool), (far < 15) & ~((far < 10) & ~(far < 5)))


def oblique(folder: Path, **options):
    phantom = thorax_phantom(5, shape=(40, 36, 12), lesions=1, **options)
    return write_dicom_series(phantom, folder)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(st.lists(st.tuples(st.floats(-3, 42), st.floats(-3, 42)), min_size=3, max_size=12), st.data())
def test_random_contours_on_turned_series_equal_matplotlib_in_millimetres(tmp_path, corners, data) -> None:
    turned = np.linalg.qr(np.array([[1, 0.2, 0.1], [-0.3, 1, 0.2], [0.1, -0.1, 1]]))[0]
    spacing = data.draw(st.tuples(st.floats(0.4, 2), st.floats(0.4, 2), st.floats(0.8, 5)))
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turned * spacing, (-31.5, 12.25, 60)
    affine[:3, 2] += data.draw(st.sampled_from([0.0, 0.3])) * affine[:3, 1]  # a gantry tilt
    grid = Geometry((40, 40, 6), affine)
    inside = np.clip(np.array(corners), 0.1, 38.9)
    points = grid.index_to_mm(np.column_stack([inside, np.full(len(inside), 4)]))
    file = _bare_rtstruct(tmp_path / "rs.dcm", points)
    mask = load_mask(file, grid).array
    # Matplotlib works on the millimetres in the plane, from another origin; it and the header's decimals
    # may differ where a centre lies on the outline.
    across, down = affine[:3, 0] / spacing[0], affine[:3, 1] / spacing[1]
    centres = grid.index_to_mm(np.argwhere(np.ones((40, 40, 1))) + np.array([0, 0, 4]))
    flat = [np.stack([(p - affine[:3, 3]) @ v for v in (across, down)], axis=1) for p in (points, centres)]
    # One even-odd ring; contains_points uses the same rule.
    expected = Outline(np.vstack([flat[0], flat[0][:1]]), closed=True).contains_points(flat[1])
    different = mask[:, :, 4].ravel().astype(bool) != expected
    near = _distance_to_outline(flat[0], flat[1]) < 1e-4
    assert not (different & ~near).any()
    assert mask.sum() == mask[:, :, 4].sum()


def _distance_to_outline(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    best = np.full(len(points), np.inf)
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = np.clip(((points - a) @ (b - a)) / max(float((b - a) @ (b - a)), 1e-12), 0, 1)
        best = np.minimum(best, np.linalg.norm(points - a - along[:, None] * (b - a), axis=1))
    return best


def _bare_rtstruct(path: Path, points: np.ndarray) -> Path:
    """One contour that refers to nothing: placed by geometry alone."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

    dataset, roi, drawn, contour = Dataset(), Dataset(), Dataset(), Dataset()
    contour.ContourGeometricType = "CLOSED_PLANAR"
    contour.ContourData = [f"{value:.10g}" for value in (points * [-1, -1, 1]).ravel()]
    drawn.ReferencedROINumber, drawn.ContourSequence = 1, [contour]
    roi.ROINumber, roi.ROIName = 1, "one"
    dataset.StructureSetROISequence, dataset.ROIContourSequence = [roi], [drawn]
    dataset.SOPClassUID, dataset.SOPInstanceUID = RTStructureSetStorage, generate_uid()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return path


def test_a_nifti_of_the_series_in_another_orientation_gets_the_same_voxels(ct, tmp_path) -> None:
    volume = load_volume(ct)
    path = written(tmp_path, ct, {"a": [ring(volume.geometry, k, 8) for k in (5, 6)]})
    there = load_mask(path, ct)
    turned = volume.geometry.reoriented("SAR")
    again = load_mask(path, turned)
    back = reorient(Volume(again.array, turned), volume.geometry.axcodes)
    assert np.array_equal(back.array, there.array)


class TestRefused:
    def refused(self, ct, tmp_path, contours, match, error=GeometryError, **options) -> None:
        path = written(tmp_path, ct, {"liver": contours}, **options)
        for use in (load_mask, check_mask):
            with pytest.raises(error, match=match):
                use(path, ct, labels={"liver": 1})

    def test_between_slices(self, ct, tmp_path) -> None:
        grid = inspect(ct).geometry
        half = grid.spacing_mm[2] / 2
        told = rf"ROI 1 'liver' has a contour between the image's slices, {half:.2f} mm from the nearest"
        self.refused(ct, tmp_path, [ring(grid, 4.5, 9)], told)

    def test_across_slices(self, ct, tmp_path) -> None:
        grid = inspect(ct).geometry
        leaning = ring(grid, 6, 9)
        leaning[:, 2] += np.linspace(0, 3, len(leaning))
        self.refused(ct, tmp_path, [leaning], r"leans 3.00 mm across the image's slices")

    def test_outside(self, ct, tmp_path) -> None:
        grid = inspect(ct).geometry
        mm = grid.spacing_mm
        self.refused(ct, tmp_path, [ring(grid, 30, 9)], rf"{6.5 * mm[2]:.1f} mm outside the image along k")
        beyond = ring(grid, 3, 9, (57.3, 20))
        self.refused(ct, tmp_path, [beyond], rf"{(66.3 - 59.5) * mm[0]:.1f} mm outside the image along i")

    def test_every_second_slice(self, ct, tmp_path) -> None:
        grid = inspect(ct).geometry
        self.refused(ct, tmp_path, [ring(grid, k, 9) for k in (2, 4, 6)], r"contours in only one of 2 slices")

    def test_every_second_slice_with_one_more_left_out(self, ct, tmp_path) -> None:
        rings = [ring(inspect(ct).geometry, k, 9) for k in (2, 4, 6, 10)]
        self.refused(ct, tmp_path, rings, r"contours in only one of 2 slices")

    def test_one_contour_twice_the_second_time_with_its_first_corner_at_the_end(self, ct, tmp_path) -> None:
        one = ring(inspect(ct).geometry, 4, 9)
        self.refused(ct, tmp_path, [one, np.vstack([one, one[:1]])], "one contour twice", SeriesError)

    def test_one_contour_twice(self, ct, tmp_path) -> None:
        grid = inspect(ct).geometry
        twice = [ring(grid, 4, 9), np.roll(ring(grid, 4, 9), 5, axis=0)[::-1]]
        self.refused(ct, tmp_path, twice, "one contour twice in slice 4", SeriesError)

    @pytest.mark.parametrize("kind", ["OPEN_PLANAR", "OPEN_NONPLANAR", "POINT"])
    def test_lines_and_points(self, ct, tmp_path, kind) -> None:
        contours = [ring(inspect(ct).geometry, 4, 9)]
        self.refused(
            ct, tmp_path, contours, f"drawn as {kind}, which encloses no region", SeriesError, kind=kind
        )

    def test_another_series_and_frame_of_reference(self, ct, tmp_path) -> None:
        grid = inspect(ct).geometry
        other = write_dicom_series(thorax_phantom(3, shape=SHAPE, lesions=1), tmp_path / "b", series_number=2)
        path = written(tmp_path, ct, {"liver": [ring(grid, 4, 9)]})
        mine, theirs = (inspect(files).provenance.series_uid for files in (ct, other))
        with pytest.raises(
            SeriesError, match=f"drawn on series {mine}, but the image is series {theirs}; .*all"
        ):
            load_mask(path, other)
        assert load_mask(path, other, allow_other_series=True).array.any()
        far = write_dicom_series(thorax_phantom(4, shape=SHAPE, lesions=1), tmp_path / "c")
        with pytest.raises(SeriesError, match="frame of reference"):
            load_mask(path, far, allow_other_series=True)

    def test_a_structure_in_another_frame_of_reference_beside_one_in_the_images(self, ct, tmp_path) -> None:
        grid = inspect(ct).geometry
        path = written(tmp_path, ct, {"liver": [ring(grid, 4, 9)], "pet": [ring(grid, 5, 9)]})
        dataset = dcmread(path)
        dataset.StructureSetROISequence[1].ReferencedFrameOfReferenceUID = "1.2.3"
        dataset.save_as(path)
        assert load_mask(path, ct, labels={"liver": 1}).array.any()
        for labels in (None, {"liver": 1, "pet": 2}):
            with pytest.raises(SeriesError, match=r"has structures in the frame of reference 1\.2\.3, but"):
                load_mask(path, ct, labels=labels)

    @pytest.mark.parametrize("series", [0, 2])
    def test_contours_that_name_images_of_another_series(self, ct, tmp_path, series) -> None:
        """Where the structure set names no series, or several, its contours tell on which it was drawn."""
        path = written(tmp_path, ct, {"liver": [ring(inspect(ct).geometry, 4, 9)]})
        dataset = dcmread(path)
        study = dataset.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
        contour = dataset.ROIContourSequence[0].ContourSequence[0]
        own, other = (study.RTReferencedSeriesSequence[0].ContourImageSequence[4], deepcopy(dataset))
        elsewhere = other.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
        elsewhere.RTReferencedSeriesSequence[0].SeriesInstanceUID = "1.2.3"
        study.RTReferencedSeriesSequence.append(elsewhere.RTReferencedSeriesSequence[0])
        study.RTReferencedSeriesSequence = study.RTReferencedSeriesSequence[:series]
        contour.ContourImageSequence = [own]
        dataset.save_as(path)
        assert load_mask(path, ct).array.any()
        contour.ContourImageSequence[0].ReferencedSOPInstanceUID = "1.2.3.4"
        dataset.save_as(path)
        with pytest.raises(SeriesError, match=r"was drawn on images such as 1\.2\.3\.4, none of them in"):
            load_mask(path, ct)
        assert load_mask(path, ct, allow_other_series=True).array.any()

    @pytest.mark.parametrize(
        ("sequence", "number"),
        [("StructureSetROISequence", "ROINumber"), ("ROIContourSequence", "ReferencedROINumber")],
    )
    def test_one_number_for_two_structures(self, ct, tmp_path, sequence, number) -> None:
        grid = inspect(ct).geometry
        path = written(tmp_path, ct, {"liver": [ring(grid, 4, 9)], "spleen": [ring(grid, 5, 3)]})
        dataset = dcmread(path)
        setattr(dataset[sequence].value[1], number, 1)
        dataset.save_as(path)
        with pytest.raises(SeriesError, match=f"two items of {sequence} have the ROI number 1"):
            load_mask(path, ct)

    def test_damaged(self, ct, tmp_path) -> None:
        path = written(tmp_path, ct, {"a": [ring(inspect(ct).geometry, 4, 9)]})
        dataset = dcmread(path)
        contour = dataset.ROIContourSequence[0].ContourSequence[0]
        contour.NumberOfContourPoints = 7
        dataset.save_as(path)
        with pytest.raises(SeriesError, match="a contour of 400 points that should have 7"):
            load_mask(path, ct)
        contour.NumberOfContourPoints, contour.ContourData = None, ["1", "2", "1e400"]
        dataset.save_as(path)
        with pytest.raises(SeriesError, match="points that are no numbers"):
            load_mask(path, ct)
        contour.ContourData = []
        dataset.save_as(path)
        with pytest.raises(SeriesError, match="cannot be understood"):
            load_mask(path, ct)
        del dataset.StructureSetROISequence
        dataset.save_as(path)
        with pytest.raises(SeriesError, match="without structures"):
            load_mask(path, ct)


def test_contours_without_a_structure_are_said(ct, tmp_path) -> None:
    grid = inspect(ct).geometry
    path = written(tmp_path, ct, {"a": [ring(grid, 4, 9)], "b": [ring(grid, 5, 9)]})
    dataset = dcmread(path)
    del dataset.StructureSetROISequence[1]
    dataset.save_as(path)
    with pytest.warns(UserWarning, match="contours of ROI 2, which the structure set does not list"):
        assert list(load_mask(path, ct).segments) == [1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_corners_on_voxel_centres_are_on_them_wherever_the_image_lies(tmp_path, seed) -> None:
    """The outline belongs to the side of the larger index, whatever the arithmetic from mm to voxels."""
    rng, affine = np.random.default_rng(seed), np.eye(4)
    affine[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0] * rng.uniform(0.3, 3, 3)
    affine[:3, 3] = rng.uniform(-300, 300, 3)
    grid = Geometry((40, 36, 6), affine)
    box = grid.index_to_mm([[5, 7, 3], [20, 7, 3], [20, 18, 3], [5, 18, 3]])
    expected = np.zeros(grid.shape, bool)
    expected[5:20, 7:18, 3] = True
    assert np.array_equal(load_mask(_bare_rtstruct(tmp_path / "rs.dcm", box), grid).array, expected)


def test_points_and_empty_structures_are_left_out_or_empty_and_said(ct, tmp_path) -> None:
    grid = inspect(ct).geometry
    path = written(tmp_path, ct, {"a": [ring(grid, 4, 9)], "iso": [ring(grid, 4, 1, count=1)], "none": []})
    dataset = dcmread(path)
    dataset.ROIContourSequence[1].ContourSequence[0].ContourGeometricType = "POINT"
    dataset.save_as(path)
    with pytest.warns(UserWarning, match="left out: ROI 2 'iso' is drawn as POINT"):
        mask = load_mask(path, ct)
    assert sorted(np.unique(mask.array)) == [0, 1]
    assert set(mask.segments) == {1, 3}
    assert not load_mask(path, ct, labels={"none": 1}).array.any()


def test_the_structure_set_that_pydicom_ships() -> None:
    """Three boxes of 400 mm × 300 mm, 10 mm apart, and two isocentres; a bare data set without preamble."""
    path = get_testdata_file("rtstruct.dcm", download=False)
    affine = np.diag([10.0, 10, 10, 1])
    affine[:3, 3] = [-295, -295, -210]
    with pytest.warns(UserWarning, match="ROI 2 'Isocenter 1' is drawn as POINT"):
        mask = load_mask(path, Geometry((60, 60, 5), affine))
    assert mask.array.sum(axis=(0, 1)).tolist() == [0, 40 * 30, 40 * 30, 40 * 30, 0]
    affine[2, 2] = 5
    told = r"ROI 1 'patient' has contours in only one of 2 slices, 10.00 mm apart where slices are 5.00 mm"
    with pytest.raises(GeometryError, match=told):
        load_mask(path, Geometry((60, 60, 20), affine), labels={"patient": 1})
