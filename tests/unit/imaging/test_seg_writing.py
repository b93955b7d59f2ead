"""Written segmentations, read again here, by highdicom, and against the rules of dcmqi's readers."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import highdicom
import numpy as np
import pytest
from highdicom.legacy import LegacyConvertedEnhancedCTImage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.uid import generate_uid

from medvision.errors import GeometryError, MedvisionError, SeriesError
from medvision.imaging import Geometry, Volume, inspect, reorient, save_nifti
from medvision.imaging import seg_writing as writing
from medvision.imaging.masks import load_mask
from medvision.imaging.seg_writing import save_seg
from medvision.imaging.segments import Code, Segment
from medvision.testing import affine_of, thorax_phantom, write_dicom_series
from medvision.testing.enhanced import write_enhanced
from medvision.testing.phantom import Phantom

SHAPE = (24, 20, 12)
NAMES = {1: "liver", 2: "tumour"}


@pytest.fixture(scope="module")
def ct(tmp_path_factory):
    """A CT of 24×20×12 voxels."""
    return write_dicom_series(thorax_phantom(3, shape=SHAPE, lesions=0), tmp_path_factory.mktemp("ct"))


@pytest.fixture
def blocks() -> np.ndarray:
    array = np.zeros(SHAPE, np.uint8)
    array[2:9, 3:8, 2:7] = 1
    array[12:20, 5:15, 4:11] = 2
    return array


def saved(tmp_path: Path, ct, array, segments=NAMES, **options) -> Path:
    volume = Volume(array, inspect(ct).geometry)
    return save_seg(tmp_path / "seg.dcm", volume, ct, segments, **{"algorithm": "MANUAL", **options})


def check_dcmqi_rules(path: Path, ct) -> None:
    """What dcmqi's segimage2itkimage and DCMTK's dcmseg need, and DICOM PS3.3 A.51 and C.8.20 demand."""
    seg, sources = dcmread(path), [dcmread(file) for file in ct]
    by_uid = {str(source.SOPInstanceUID): source for source in sources}
    assert seg.Modality == "SEG"
    assert seg.FrameOfReferenceUID == sources[0].FrameOfReferenceUID
    assert seg.StudyInstanceUID == sources[0].StudyInstanceUID
    assert seg.SeriesInstanceUID != sources[0].SeriesInstanceUID
    assert (seg.Rows, seg.Columns) == (sources[0].Rows, sources[0].Columns)
    assert [one.SegmentNumber for one in seg.SegmentSequence] == list(range(1, len(seg.SegmentSequence) + 1))
    for one in seg.SegmentSequence:
        assert one.SegmentLabel
        assert one.SegmentAlgorithmType in ("MANUAL", "SEMIAUTOMATIC", "AUTOMATIC")
        assert one.SegmentAlgorithmType == "MANUAL" or one.SegmentAlgorithmName
        for kind in ("Category", "Type"):
            code = one[f"SegmentedProperty{kind}CodeSequence"].value[0]
            assert code.CodeValue
            assert code.CodingSchemeDesignator
            assert code.CodeMeaning
    shared = seg.SharedFunctionalGroupsSequence[0]
    assert shared.PlaneOrientationSequence[0].ImageOrientationPatient == sources[0].ImageOrientationPatient
    assert shared.PixelMeasuresSequence[0].PixelSpacing == sources[0].PixelSpacing
    spacing = inspect(ct).geometry.spacing_mm[2]
    assert float(shared.PixelMeasuresSequence[0].SpacingBetweenSlices) == pytest.approx(spacing)
    (series,) = seg.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == sources[0].SeriesInstanceUID
    referenced = {item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence}
    assert referenced == set(by_uid)
    assert len(seg.PerFrameFunctionalGroupsSequence) == seg.NumberOfFrames
    for frame in seg.PerFrameFunctionalGroupsSequence:
        (source,) = frame.DerivationImageSequence[0].SourceImageSequence
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        assert position == by_uid[source.ReferencedSOPInstanceUID].ImagePositionPatient
        assert frame.FrameContentSequence[0].DimensionIndexValues


class TestRoundTrip:
    @pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
    def test_voxels_names_codes_and_rules(self, ct, blocks, tmp_path, kind) -> None:
        path = saved(tmp_path, ct, blocks, kind=kind)
        mask = load_mask(path, ct)
        assert np.array_equal(mask.array, blocks)
        assert [one.label for one in mask.segments.values()] == ["liver", "tumour"]
        assert [one.type.meaning for one in mask.segments.values()] == ["Liver", "Neoplasm"]
        if kind == "BINARY":
            check_dcmqi_rules(path, ct)
            assert dcmread(path).NumberOfFrames == 5 + 7  # planes without a structure are left out

    @pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
    def test_highdicom_reads_the_same_voxels_in_the_same_place(self, ct, blocks, tmp_path, kind) -> None:
        seg = highdicom.seg.segread(saved(tmp_path, ct, blocks, kind=kind))
        uids = list(inspect(ct).provenance.instance_uids)
        pixels = seg.get_pixels_by_source_instance(
            uids, combine_segments=True, assert_missing_frames_are_empty=True, ignore_spatial_locations=True
        )
        assert np.array_equal(pixels.transpose(2, 1, 0), blocks)

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
    @given(st.data())
    def test_any_mask_on_an_oblique_series_in_any_axis_order(self, tmp_path, data) -> None:
        # highdicom 0.28 packs frames of fewer than 8 pixels wrongly; no scan is as small.
        shape = data.draw(st.tuples(*[st.integers(3, 9)] * 3))
        affine = affine_of(
            shape,
            data.draw(st.tuples(*[st.sampled_from([0.5, 0.703125, 1.2, 3.0])] * 3)),
            orientation=data.draw(st.sampled_from(["axial", "coronal", "sagittal"])),
            oblique_deg=data.draw(st.integers(-40, 40)),
        )
        random = np.random.default_rng(data.draw(st.integers(0, 99)))
        image = random.integers(0, 1000, shape).astype(np.int16)
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        ct = write_dicom_series(_phantom(image, affine), folder)
        grid = inspect(ct).geometry
        array = random.integers(0, 3, grid.shape).astype(np.uint8)
        turned = reorient(Volume(array, grid), data.draw(st.sampled_from(["RAS", "LPS", "SAL", "PIR"])))
        path = save_seg(folder / "x.seg", turned, ct, NAMES, algorithm="MANUAL")
        assert np.array_equal(load_mask(path, ct).array, array)

    def test_an_empty_mask_and_one_with_an_absent_structure(self, ct, blocks, tmp_path) -> None:
        empty = load_mask(saved(tmp_path, ct, np.zeros(SHAPE, np.uint8)), ct)
        assert not empty.array.any()
        assert [one.label for one in empty.segments.values()] == ["liver", "tumour"]
        only = load_mask(saved(tmp_path, ct, np.where(blocks == 2, 2, 0)), ct)
        assert np.array_equal(only.array, np.where(blocks == 2, 2, 0))

    def test_values_with_gaps_are_numbered_anew_and_come_back_by_name(self, ct, blocks, tmp_path) -> None:
        array = np.array([0, 5, 200], np.uint8)[blocks]
        path = saved(tmp_path, ct, array, {200: "cyst", 5: "liver"})
        assert sorted(np.unique(load_mask(path, ct).array)) == [0, 1, 2]
        assert np.array_equal(load_mask(path, ct, labels={"liver": 5, "cyst": 200}).array, array)

    def test_a_mask_keeps_what_it_knows_of_its_segments(self, ct, blocks, tmp_path) -> None:
        code = Code("T-1", "99LOCAL", "Something of ours")
        told = Segment(9, "ours", code, code, "AUTOMATIC", "nnU-Net")
        first = load_mask(saved(tmp_path, ct, blocks, {1: told, 2: "Größe 大"}), ct)
        again = load_mask(save_seg(tmp_path / "b.dcm", first, ct), ct)
        assert again.segments[1] == Segment(1, "ours", code, code, "AUTOMATIC", "nnU-Net")
        assert again.segments[2].label == "Größe 大"
        assert np.array_equal(again.array, blocks)

    def test_a_checkout_that_is_not_installed_has_no_version(self, ct, blocks, tmp_path, monkeypatch) -> None:
        def absent(name: str) -> str:
            raise PackageNotFoundError(name)

        monkeypatch.setattr(writing, "version", absent)
        assert dcmread(saved(tmp_path, ct, blocks)).SoftwareVersions == "unknown"

    def test_headers_without_optional_elements(self, ct, blocks, tmp_path) -> None:
        for n, file in enumerate(ct):
            source = dcmread(file)
            for name in ("PatientName", "PatientID", "StudyDate", "StudyID", "PositionReferenceIndicator"):
                delattr(source, name)
            source.save_as(tmp_path / f"{n}.dcm")
        series = sorted(tmp_path.glob("*.dcm"))
        path = saved(tmp_path / "out", series, blocks)
        assert np.array_equal(load_mask(path, series).array, blocks)


def _phantom(array, affine) -> Phantom:
    template = thorax_phantom(1, shape=(48, 48, 16), lesions=1)
    return replace(template, array=array, mask=np.zeros(array.shape, np.uint8), affine=affine)


@pytest.mark.data
@pytest.mark.parametrize(
    "series",
    [
        "dicom/mr_study_PGBM-003/11-T1post-18670",
        "dicom_seg/dcmqi/ct-3slice",
        "dicom/mr_study_PGBM-002/13_HCropVolume",
    ],
)
def test_real_series(data_dir, tmp_path, series) -> None:
    folder = data_dir / series
    header = inspect(folder)
    array = np.random.default_rng(1).integers(0, 3, header.shape).astype(np.uint8)
    path = saved(tmp_path, folder, array)
    assert np.array_equal(load_mask(path, folder).array, array)
    check_dcmqi_rules(path, header.provenance.files)


class TestEnhanced:
    @pytest.mark.parametrize("share", [True, False])
    @pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
    def test_spacing_may_stand_in_every_frame_and_frames_in_any_order(
        self, ct, blocks, tmp_path, share, kind
    ) -> None:
        order = [5, 0, 11, 3, 1, 10, 2, 9, 4, 8, 6, 7]
        file = write_enhanced(ct, tmp_path / "enhanced.dcm", share=share, frame_order=order)
        volume = Volume(blocks, inspect(file).geometry)
        path = save_seg(tmp_path / "s.dcm", volume, file, NAMES, algorithm="MANUAL", kind=kind)
        assert np.array_equal(load_mask(path, file).array, blocks)
        groups = dcmread(file).PerFrameFunctionalGroupsSequence
        for frame in dcmread(path).PerFrameFunctionalGroupsSequence:
            (source,) = frame.DerivationImageSequence[0].SourceImageSequence
            named = groups[int(source.ReferencedFrameNumber) - 1].PlanePositionSequence[0]
            position = frame.PlanePositionSequence[0].ImagePositionPatient
            assert np.array(position, float) == pytest.approx(np.array(named.ImagePositionPatient, float))

    def test_a_multi_frame_source_is_named_frame_by_frame(self, ct, blocks, tmp_path, monkeypatch) -> None:
        """highdicom makes the enhanced CT; the header that reading it would give is that of its slices."""
        header = inspect(ct)
        sources = [dcmread(file) for file in header.provenance.files]
        for source in sources:
            source.BurnedInAnnotation = "NO"
        enhanced = LegacyConvertedEnhancedCTImage(sources, generate_uid(), 5, generate_uid(), 1)
        file = tmp_path / "enhanced.dcm"
        enhanced.save_as(file)
        read = replace(header, provenance=replace(header.provenance, files=(file,)))
        monkeypatch.setattr(writing, "inspect", lambda *_, **__: read)
        path = save_seg(tmp_path / "s.dcm", Volume(blocks, header.geometry), file, NAMES, algorithm="MANUAL")
        assert np.array_equal(load_mask(path, header.geometry).array, blocks)
        seg = dcmread(path)
        assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == enhanced.SeriesInstanceUID
        for frame in seg.PerFrameFunctionalGroupsSequence:
            (source,) = frame.DerivationImageSequence[0].SourceImageSequence
            assert source.ReferencedSOPInstanceUID == enhanced.SOPInstanceUID
            group = enhanced.PerFrameFunctionalGroupsSequence[int(source.ReferencedFrameNumber) - 1]
            expected = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
            assert np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float) == pytest.approx(
                expected
            )


class TestRefused:
    def test_a_mask_of_another_grid(self, ct, blocks, tmp_path) -> None:
        affine = np.array(inspect(ct).geometry.affine)
        affine[:3, 3] += affine[:3, 2] / 2
        with pytest.raises(GeometryError, match=r"the mask is shifted by .*\(0.50 voxel\) along k"):
            save_seg(
                tmp_path / "s.dcm", Volume(blocks, Geometry(SHAPE, affine)), ct, NAMES, algorithm="MANUAL"
            )
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("segments", "match"),
        [
            ({1: "liver"}, "the mask has the value 2, which no segment names"),
            ({}, "the mask has the value 1, 2, which no segment names"),
            ({1: "liver", 2: " "}, "segment 2: '' is no name for it"),
            ({0: "background", 1: "a", 2: "b"}, "segment 0: 'background' is no name"),
            ({1: "x" * 65, 2: "b"}, "1 to 64 characters"),
        ],
    )
    def test_names(self, ct, blocks, tmp_path, segments, match) -> None:
        with pytest.raises(MedvisionError, match=match):
            saved(tmp_path, ct, blocks, segments)

    @pytest.mark.parametrize("options", [{"algorithm": None}, {"algorithm": "AUTOMATIC"}])
    def test_nothing_about_the_algorithm(self, ct, blocks, tmp_path, options) -> None:
        with pytest.raises(MedvisionError, match="'liver': a DICOM SEG says how it was outlined"):
            saved(tmp_path, ct, blocks, **options)

    def test_a_nifti_as_reference(self, tmp_path, blocks) -> None:
        scan = save_nifti(tmp_path / "a.nii", blocks, np.eye(4))
        with pytest.raises(SeriesError, match="names the DICOM images it lies on; give their folder"):
            save_seg(tmp_path / "s.dcm", Volume(blocks, Geometry(SHAPE, np.eye(4))), scan, NAMES)

    @pytest.mark.data
    def test_a_mosaic(self, data_dir, tmp_path) -> None:
        found = (f for f in sorted((data_dir / "dicom" / "dcm_qa_ts").rglob("*.dcm")))
        mosaic = next(f for f in found if "MOSAIC" in dcmread(f, stop_before_pixels=True).ImageType)
        grid = inspect(mosaic).geometry
        with pytest.raises(SeriesError, match="several slices as one image \\(a Siemens mosaic\\)"):
            save_seg(tmp_path / "s.dcm", Volume(np.ones(grid.shape, "u1"), grid), mosaic, NAMES)

    @pytest.mark.parametrize("name", ["FrameOfReferenceUID", "StudyInstanceUID"])
    def test_a_series_without_identity(self, ct, blocks, tmp_path, name) -> None:
        for n, file in enumerate(ct):
            source = dcmread(file)
            delattr(source, name)
            source.save_as(tmp_path / f"{n}.dcm")
        with pytest.raises(SeriesError, match=f"its images have no {name}, which a segmentation refers to"):
            saved(tmp_path, sorted(tmp_path.glob("*.dcm")), blocks)

    def test_what_highdicom_refuses_is_a_sentence(self, ct, blocks, tmp_path) -> None:
        with pytest.raises(SeriesError, match=r"highdicom cannot write .*WHATEVER"):
            saved(tmp_path, ct, blocks, kind="WHATEVER")

    def test_without_highdicom_the_extra_is_named(self, ct, blocks, tmp_path, monkeypatch) -> None:
        monkeypatch.setitem(sys.modules, "highdicom", None)
        with pytest.raises(MedvisionError, match=r"writing a DICOM segmentation needs the package highdicom"):
            saved(tmp_path, ct, blocks)
