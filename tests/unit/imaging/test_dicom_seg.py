"""DICOM SEG as highdicom and dcmqi write it, against their own readers, SimpleITK's NRRD, and damage."""

from __future__ import annotations

import sys
from pathlib import Path

import highdicom
import numpy as np
import pytest
import SimpleITK
from pydicom import dcmread
from pydicom.sr.codedict import codes
from pydicom.uid import JPEGLSLossless, generate_uid

from medvision.errors import GeometryError, MedvisionError, SeriesError
from medvision.imaging import Geometry, Volume, decoding, inspect, load_volume, reorient
from medvision.imaging.geometry import lps_to_ras
from medvision.imaging.masks import check_mask, load_mask, load_mask_stack
from medvision.testing import thorax_phantom, write_dicom_series

SHAPE = (24, 20, 12)


@pytest.fixture(scope="module")
def ct(tmp_path_factory):
    """A CT of 24×20×12 voxels."""
    phantom = thorax_phantom(3, shape=(24, 20, 12), lesions=0)
    return write_dicom_series(phantom, tmp_path_factory.mktemp("ct"))


def described(number: int, label: str):
    return highdicom.seg.SegmentDescription(
        number, label, codes.SCT.AnatomicalStructure, codes.SCT.Liver, "MANUAL"
    )


def write(path: Path, ct, array: np.ndarray, labels=("liver", "tumour"), kind="BINARY", edit=None, **options):
    """A SEG made by highdicom from an (i, j, k[, segment]) array on the series."""
    order = (2, 1, 0) if array.ndim == 3 else (2, 1, 0, 3)
    sources = [dcmread(file, stop_before_pixels=True) for file in inspect(ct).provenance.files]
    seg = highdicom.seg.Segmentation(
        sources,
        np.ascontiguousarray(array.transpose(order)),
        kind,
        [described(n, label) for n, label in enumerate(labels, start=1)],
        series_instance_uid=generate_uid(),
        series_number=9,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="test",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
        **options,
    )
    if edit is not None:
        edit(seg)
    seg.save_as(path)
    return path


@pytest.fixture
def blocks() -> np.ndarray:
    """Two structures that do not touch, in some of the slices only."""
    array = np.zeros(SHAPE, np.uint8)
    array[2:9, 3:8, 2:7] = 1
    array[12:20, 5:15, 9:11] = 2
    return array


class TestKinds:
    @pytest.mark.parametrize("kind", ["BINARY", "LABELMAP", "FRACTIONAL"])
    @pytest.mark.parametrize("omit", [True, False])
    def test_voxels_names_and_codes_come_back(self, ct, blocks, tmp_path, kind, omit) -> None:
        path = write(tmp_path / "s.dcm", ct, blocks, kind=kind, omit_empty_frames=omit)
        check_mask(path, ct)
        mask = load_mask(path, ct)
        assert np.array_equal(mask.array, blocks)
        assert mask.array.dtype == np.uint8
        assert mask.geometry == inspect(ct).geometry
        assert [one.label for one in mask.segments.values()] == ["liver", "tumour"]
        assert mask.segments[1].type == ("10200004", "SCT", "Liver")
        assert mask.segments[1].algorithm == "MANUAL"
        assert "1 liver, 2 tumour" in repr(mask)

    def test_fractions_need_a_threshold_unless_they_are_0_and_1(self, ct, tmp_path) -> None:
        fractions = np.zeros((*SHAPE, 1))
        fractions[3:5, 3:5, 3:5, 0] = [[[0.25, 0.5]]]
        path = write(
            tmp_path / "s.dcm", ct, fractions, ["liver"], kind="FRACTIONAL", max_fractional_value=200
        )
        with pytest.raises(
            SeriesError, match=r"fractional segmentation \(probability .*fractional_threshold=0.5"
        ):
            load_mask(path, ct)
        for threshold, expected in ((0.25, 8), (0.26, 4), (0.5, 4), (0.51, 0), (1, 0)):
            mask = load_mask(path, ct, fractional_threshold=threshold)
            assert mask.array.sum() == expected
        for wrong in (0, 1.5, -1):
            with pytest.raises(SeriesError, match="a fraction above 0 and up to 1"):
                load_mask(path, ct, fractional_threshold=wrong)

    def test_a_voxel_whose_fraction_is_the_threshold_belongs(self, ct, tmp_path) -> None:
        """7 of 100 is 0.07, although 0.07 × 100 is more than 7 in binary arithmetic."""
        fractions = np.zeros((*SHAPE, 1))
        hundredths = np.arange(100).reshape(20, 5) / 100
        fractions[:20, :5, 3, 0] = hundredths
        path = write(
            tmp_path / "s.dcm", ct, fractions, ["liver"], kind="FRACTIONAL", max_fractional_value=100
        )
        for threshold in (0.07, 0.14, 0.28, 0.55, 0.56):
            found = load_mask(path, ct, fractional_threshold=threshold).array[:20, :5, 3]
            assert np.array_equal(found, hundredths >= threshold)

    def test_overlap_is_refused_by_name_ordered_or_stacked(self, ct, blocks, tmp_path) -> None:
        stack = np.stack([blocks == 1, blocks == 2], axis=-1).astype(np.uint8)
        stack[4:7, 4:6, 3:5, 1] = 1
        path = write(tmp_path / "s.dcm", ct, stack)
        with pytest.raises(SeriesError, match=r"overlap.*1 'liver' and 2 'tumour' share 12 voxels; take one"):
            load_mask(path, ct)
        first = load_mask(path, ct, overlap="first").array
        assert np.array_equal(first, np.where(stack[..., 0], 1, 2 * stack[..., 1]))
        other = load_mask(path, ct, labels={"tumour": 2, "liver": 1}, overlap="first").array
        assert np.array_equal(other, np.where(stack[..., 1], 2, stack[..., 0]))
        one = load_mask(path, ct, labels={"tumour": 1}).array
        assert np.array_equal(one, stack[..., 1])
        joined = load_mask(path, ct, labels={1: 5, 2: 5})
        assert np.array_equal(joined.array == 5, stack.any(axis=-1))
        assert joined.segments[5].label == "liver + tumour"
        channels, values = load_mask_stack(path, ct)
        assert values == (1, 2)
        assert np.array_equal(channels, np.moveaxis(stack, -1, 0))


class TestChoosing:
    @pytest.fixture
    def path(self, ct, blocks, tmp_path) -> Path:
        return write(tmp_path / "s.dcm", ct, blocks, labels=("Left Lobe", "Tumor"))

    def test_by_label_number_or_meaning(self, ct, blocks, path) -> None:
        assert np.array_equal(load_mask(path, ct, labels={"left lobe": 3}).array == 3, blocks == 1)
        assert np.array_equal(load_mask(path, ct, labels={2: 1}).array == 1, blocks == 2)
        with pytest.raises(
            SeriesError, match=r"2 segments are called 'liver' \(numbers 1, 2\); choose by number"
        ):
            load_mask(path, ct, labels={"liver": 1})

    def test_a_name_that_is_not_there_may_be_there_under_another(self, ct, path) -> None:
        with pytest.raises(
            SeriesError, match=r"no segment 'tumour'; did you mean 'Tumor'\?; it has 1 'Left L"
        ):
            load_mask(path, ct, labels={"left lobe": 1, "tumour": 2})
        with pytest.raises(SeriesError, match="no segment 7"):
            check_mask(path, ct, labels={7: 1})

    def test_where_every_structure_is_asked_for_one_may_be_absent_in_this_patient(self, ct, path) -> None:
        mask = load_mask(path, ct, labels={"left lobe": 1, "tumor": 2, "cyst": 3})
        assert sorted(np.unique(mask.array)) == [0, 1, 2]
        assert mask.segments[3].label == "cyst"

    def test_one_segment_as_two_values_is_refused(self, ct, path) -> None:
        with pytest.raises(SeriesError, match="asked for as 1 and as 2"):
            load_mask(path, ct, labels={"tumor": 1, 2: 2})


class TestPlacing:
    def test_a_nifti_of_the_series_in_any_orientation(self, ct, blocks, tmp_path) -> None:
        path, grid = write(tmp_path / "s.dcm", ct, blocks), inspect(ct).geometry
        for axes in ("RAS", "SPL", "ARI"):
            mask = load_mask(path, grid.reoriented(axes))
            assert np.array_equal(reorient(mask.volume, grid.axcodes).array, blocks)

    def test_half_a_voxel_outside_and_a_part_are_refused(self, ct, blocks, tmp_path) -> None:
        path, grid = write(tmp_path / "s.dcm", ct, blocks), inspect(ct).geometry
        moved = np.array(grid.affine)
        moved[:3, 3] += moved[:3, 0] / 2
        half = f"{grid.spacing_mm[0] / 2:.3g} mm"
        for use in (load_mask, check_mask):
            with pytest.raises(GeometryError, match=rf"frame 1 is shifted by {half} \(0.50 voxel\) along i"):
                use(path, Geometry(grid.shape, moved))
        with pytest.raises(GeometryError, match="reaches outside the image by 1 voxels"):
            load_mask(path, Geometry((23, 20, 12), grid.affine))
        with pytest.raises(GeometryError, match="lies outside the image"):
            load_mask(path, Geometry((24, 20, 3), grid.affine))
        with pytest.raises(GeometryError, match=r"has voxels of .* mm where the image has"):
            load_mask(path, Geometry((12, 20, 12), grid.affine @ np.diag([2, 1, 1, 1])))

    def test_rounded_positions_are_taken_with_a_warning(self, ct, blocks, tmp_path) -> None:
        path, grid = write(tmp_path / "s.dcm", ct, blocks), inspect(ct).geometry
        moved = np.array(grid.affine)
        moved[2, 3] += 0.05
        with pytest.warns(UserWarning, match=r"up to 0.05 mm from the image's voxels"):
            assert np.array_equal(load_mask(path, Geometry(grid.shape, moved)).array, blocks)

    def test_slices_twice_as_far_apart_are_refused(self, ct, blocks, tmp_path) -> None:
        path, grid = write(tmp_path / "s.dcm", ct, blocks), inspect(ct).geometry
        finer = Geometry((24, 20, 23), grid.affine @ np.diag([1, 1, 0.5, 1]))
        far, near = grid.spacing_mm[2], grid.spacing_mm[2] / 2
        with pytest.raises(GeometryError, match=rf"{far:.2f} mm apart, the image's {near:.2f} mm"):
            load_mask(path, finer)

    @pytest.mark.parametrize("sign", [None, -1])
    def test_also_where_their_distance_is_not_stated_or_has_a_sign(self, ct, blocks, tmp_path, sign) -> None:
        def edit(seg) -> None:
            measures = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
            stated = measures.pop("SpacingBetweenSlices").value
            if sign:
                measures.SpacingBetweenSlices = sign * stated

        path, grid = write(tmp_path / "s.dcm", ct, blocks, edit=edit), inspect(ct).geometry
        assert np.array_equal(load_mask(path, ct).array, blocks)
        finer = Geometry((24, 20, 23), grid.affine @ np.diag([1, 1, 0.5, 1]))
        with pytest.raises(GeometryError, match=f"{grid.spacing_mm[2]:.2f} mm apart, the image's"):
            load_mask(path, finer)

    def test_two_frames_of_one_segment_in_one_place_are_refused(self, ct, blocks, tmp_path) -> None:
        def edit(seg) -> None:
            groups = seg.PerFrameFunctionalGroupsSequence
            groups[1].PlanePositionSequence = groups[0].PlanePositionSequence

        path = write(tmp_path / "s.dcm", ct, blocks, edit=edit)
        with pytest.raises(SeriesError, match="frames 1 and 2 show one segment at one position"):
            load_mask(path, ct)


class TestBelonging:
    def test_another_series_is_refused_with_both_uids_unless_told(self, ct, blocks, tmp_path) -> None:
        path = write(tmp_path / "s.dcm", ct, blocks)
        phantom = thorax_phantom(3, shape=SHAPE, lesions=0)
        other = write_dicom_series(phantom, tmp_path / "b", series_number=2)
        mine, theirs = (inspect(files).provenance.series_uid for files in (ct, other))
        for use in (load_mask, check_mask, load_mask_stack):
            with pytest.raises(
                SeriesError, match=f"drawn on series {mine}, but the image is series {theirs}"
            ):
                use(path, other)
        assert np.array_equal(load_mask(path, other, allow_other_series=True).array, blocks)
        volume = load_volume(other)
        assert np.array_equal(load_mask(path, volume, allow_other_series=True).array, blocks)

    def test_another_frame_of_reference_is_always_refused(self, ct, blocks, tmp_path) -> None:
        path = write(
            tmp_path / "s.dcm", ct, blocks, edit=lambda seg: setattr(seg, "FrameOfReferenceUID", "1.2.3")
        )
        with pytest.raises(SeriesError, match=r"frame of reference 1\.2\.3, but the image in"):
            load_mask(path, ct, allow_other_series=True)

    def test_without_a_series_the_images_decide(self, ct, blocks, tmp_path) -> None:
        def without(seg) -> None:
            del seg.ReferencedSeriesSequence

        path = write(tmp_path / "s.dcm", ct, blocks, edit=without)
        assert np.array_equal(load_mask(path, ct).array, blocks)
        other = write_dicom_series(thorax_phantom(3, shape=SHAPE, lesions=0), tmp_path / "b", series_number=2)
        with pytest.raises(
            SeriesError, match=r"drawn on images such as \S+ \(and 11 more\), none of them in"
        ):
            load_mask(path, other)

    def test_without_frame_of_reference_another_series_cannot_be_allowed(self, ct, blocks, tmp_path) -> None:
        path = write(tmp_path / "s.dcm", ct, blocks, edit=lambda seg: delattr(seg, "FrameOfReferenceUID"))
        other = write_dicom_series(thorax_phantom(3, shape=SHAPE, lesions=0), tmp_path / "b", series_number=2)
        assert np.array_equal(load_mask(path, ct).array, blocks)
        with pytest.raises(SeriesError, match="neither says that both lie in one frame"):
            load_mask(path, other)
        with pytest.raises(SeriesError, match="without a FrameOfReferenceUID in both"):
            load_mask(path, other, allow_other_series=True)

    def test_no_name_of_a_patient_in_an_error(self, ct, blocks, tmp_path) -> None:
        path = write(tmp_path / "s.dcm", ct, blocks)
        with pytest.raises(GeometryError) as caught:
            load_mask(path, Geometry((23, 20, 12), inspect(ct).geometry.affine))
        assert "PHANTOM" not in str(caught.value).upper().replace(str(path).upper(), "")


class TestDamaged:
    @pytest.mark.parametrize(
        ("edit", "match"),
        [
            (lambda s: setattr(s, "DimensionOrganizationType", "TILED_FULL"), "tiled .* on a slide"),
            (lambda s: setattr(s, "SegmentationType", "MAGIC"), "SegmentationType 'MAGIC' is not known"),
            (lambda s: setattr(s, "PixelData", b""), "without pixels"),
            (lambda s: setattr(s, "NumberOfFrames", 99), "7 functional groups for 99 frames"),
            (lambda s: delattr(s, "SegmentSequence"), "cannot be understood"),
            (
                lambda s: delattr(s.PerFrameFunctionalGroupsSequence[3], "SegmentIdentificationSequence"),
                "frame 4 does not say which segment it shows",
            ),
            (lambda s: setattr(s.SegmentSequence[1], "SegmentNumber", 1), "two segments have the number 1"),
            (
                lambda s: setattr(s, "SegmentSequence", list(s.SegmentSequence)[:1]),
                "frame 6 shows segment 2, which it does not describe",
            ),
            (lambda s: setattr(s, "PixelData", s.PixelData[:20]), "cannot be decoded|not its header's"),
        ],
    )
    def test_is_refused_in_a_sentence(self, ct, blocks, tmp_path, edit, match) -> None:
        path = write(tmp_path / "s.dcm", ct, blocks, edit=edit)
        with pytest.raises(SeriesError, match=match):
            load_mask(path, ct)

    def test_a_compressed_frame_of_another_size(self, ct, blocks, tmp_path) -> None:
        """Its decoder would make room for what the frame says, gigabytes where bytes are damaged."""
        options = {"kind": "LABELMAP", "transfer_syntax_uid": JPEGLSLossless}
        path = write(tmp_path / "s.dcm", ct, blocks, **options)
        assert np.array_equal(load_mask(path, ct).array, blocks)
        path.write_bytes(path.read_bytes().replace(b"\xff\xf7\x00\x0b\x08\x00", b"\xff\xf7\x00\x0b\x08\xf0"))
        with pytest.raises(SeriesError, match="compressed image has 61460 rows"):
            load_mask(path, ct)

    def test_a_decoder_that_panics(self, ct, blocks, tmp_path, monkeypatch) -> None:
        class PanicException(BaseException):
            pass

        def panic(*_: object) -> None:
            raise PanicException("index out of range")

        path = write(tmp_path / "s.dcm", ct, blocks, kind="LABELMAP", transfer_syntax_uid=JPEGLSLossless)
        monkeypatch.setattr(decoding, "_decode", panic)
        with pytest.raises(SeriesError, match="frame 1 cannot be decoded: index out of range"):
            load_mask(path, ct)

    def test_without_a_place_in_the_patient(self, ct, blocks, tmp_path) -> None:
        def edit(seg) -> None:
            for group in seg.PerFrameFunctionalGroupsSequence:
                del group.PlanePositionSequence

        with pytest.raises(GeometryError, match=r"s\.dcm: its frames have no position in the patient"):
            load_mask(write(tmp_path / "s.dcm", ct, blocks, edit=edit), ct)

    def test_a_labelmap_with_a_value_that_no_segment_has(self, ct, blocks, tmp_path) -> None:
        def edit(seg) -> None:
            seg.SegmentSequence = [one for one in seg.SegmentSequence if one.SegmentNumber != 2]

        path = write(tmp_path / "s.dcm", ct, blocks, kind="LABELMAP", edit=edit)
        with pytest.raises(SeriesError, match="the value 2, and no segment has that number"):
            load_mask(path, ct)

    def test_without_highdicom_the_extra_is_named(self, ct, blocks, tmp_path, monkeypatch) -> None:
        path = write(tmp_path / "s.dcm", ct, blocks)
        monkeypatch.setitem(sys.modules, "highdicom", None)
        with pytest.raises(MedvisionError, match=r"needs the package highdicom; .*medvision\[dicom-seg\]"):
            load_mask(path, ct)

    def test_every_truncation_is_a_sentence(self, ct, blocks, tmp_path) -> None:
        whole = write(tmp_path / "s.dcm", ct, blocks).read_bytes()
        cut = tmp_path / "cut.dcm"
        for size in np.linspace(200, len(whole) - 10, 25).astype(int):
            cut.write_bytes(whole[:size])
            with pytest.raises(MedvisionError):
                load_mask(cut, ct)


@pytest.mark.data
class TestReal:
    def test_dcmqi_liver_equals_its_nrrd_voxel_by_voxel(self, data_dir) -> None:
        folder = data_dir / "dicom_seg" / "dcmqi"
        mask = load_mask(folder / "liver.dcm", folder / "ct-3slice")
        reference = SimpleITK.ReadImage(str(folder / "liver_seg.nrrd"))
        expected = SimpleITK.GetArrayFromImage(reference).transpose(2, 1, 0)
        assert np.array_equal(mask.array, expected)
        assert mask.array.sum() == 107098
        assert mask.segments[1].names == ("Liver", "Liver")
        corner = lps_to_ras(np.eye(4))[:3, :3] @ np.array(reference.TransformIndexToPhysicalPoint((0, 0, 0)))
        assert mask.geometry.index_to_mm([0, 0, 0]) == pytest.approx(corner, abs=1e-3)

    @pytest.mark.parametrize(
        "name", ["ct_binary", "ct_binary_fractional", "ct_binary_overlap", "ct_true_fractional"]
    )
    def test_highdicoms_samples_equal_its_own_volume(self, data_dir, name) -> None:
        """Its source series lacks slices, so the image is the whole grid, 1.25 mm from slice to slice."""
        path = data_dir / "dicom_seg" / "highdicom" / "data" / "test_files" / f"seg_image_{name}.dcm"
        seg = highdicom.seg.segread(path)
        volume = seg.get_volume(allow_missing_positions=True, rescale_fractional=False)
        array = np.moveaxis(np.asarray(volume.array), (0, 1, 2), (2, 1, 0))  # (slice, row, column, segment)
        affine = lps_to_ras(volume.affine)[:, [2, 1, 0, 3]]
        i, j, k = array.shape[:3]
        stack, numbers = load_mask_stack(path, Geometry((i, j, k), affine), fractional_threshold=0.5)
        expected = array >= (0.5 * 255 if "fractional" in name else 1)
        assert numbers == tuple(seg.segment_numbers)
        assert array.any()
        assert np.array_equal(stack, np.moveaxis(expected, -1, 0))

    def test_a_single_frame_on_its_image(self, data_dir) -> None:
        folder = data_dir / "dicom_seg" / "highdicom" / "data" / "test_files"
        path = folder / "seg_image_ct_binary_single_frame.dcm"
        mask = load_mask(path, folder / "ct_image.dcm")
        assert np.array_equal(mask.array[:, :, 0].T, highdicom.seg.segread(path).get_stored_frame(1))

    @pytest.mark.parametrize(
        ("name", "match"),
        [
            ("sm_dots_tiled_full", "tiled segmentation of a whole-slide image"),
            ("sm_control_labelmap", "tiled segmentation of a whole-slide image"),
            ("sm_numbers", "tiled segmentation of a whole-slide image"),
            ("cr_binary", "no position in the patient"),
            ("ct_binary", "frame of reference .* but the image in"),
        ],
    )
    def test_what_does_not_belong_is_refused(self, data_dir, name, match) -> None:
        folder = data_dir / "dicom_seg" / "highdicom" / "data" / "test_files"
        with pytest.raises(MedvisionError, match=match):
            load_mask(folder / f"seg_image_{name}.dcm", folder / "ct_image.dcm")


def test_a_volume_of_the_right_type_is_read_only(ct, blocks, tmp_path) -> None:
    mask = load_mask(write(tmp_path / "s.dcm", ct, blocks), ct)
    assert isinstance(mask.volume, Volume)
    assert not mask.array.flags.writeable
