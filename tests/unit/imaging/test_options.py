"""What repairs a series that is refused: each option does what it says, and nothing without being asked."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from medvision.config.reading import Reading as Section
from medvision.errors import SeriesError
from medvision.imaging import Reading, ReadingOptions, inspect, load_volume, load_volumes
from medvision.imaging.geometry import Geometry
from medvision.imaging.tilt import upright

Series = Callable[..., list[Path]]
SAGITTAL = (0, 1, 0, 0, 0, -1)


def place(*millimetres: float) -> Callable[[Dataset, int], None]:
    """Put slice k of an axial series at a height."""

    def edit(ds: Dataset, k: int) -> None:
        ds.ImagePositionPatient = [-10, -20, millimetres[k]]

    return edit


def ramp(*millimetres: float, slope: float = 10.0) -> np.ndarray:
    """Slices whose value is `slope` times their height, so that interpolation has one right answer."""
    return np.array([np.full((4, 6), slope * mm) for mm in millimetres]).astype(np.int16)


def test_the_names_are_those_of_the_class() -> None:
    assert get_type_hints(ReadingOptions) == get_type_hints(Reading)
    assert set(ReadingOptions.__annotations__) == {field.name for field in fields(Reading)}


def test_a_study_offers_the_same_options() -> None:
    section = Section()
    shared = {field.name: getattr(Reading(), field.name) for field in fields(Reading)}
    assert shared.pop("series_uid") is None  # a study names a series by its folder
    assert section.model_dump() == shared
    for name, choices in get_type_hints(Reading).items():
        if name.startswith("on_") or name == "values":
            assert get_args(get_type_hints(Section)[name]) == get_args(choices), name


def test_misspelt_options_are_refused(series: Series) -> None:
    files = series()
    with pytest.raises(SeriesError, match=r"'on_gaps'; did you mean 'on_gap'\?"):
        load_volume(files, on_gaps="fill")  # type: ignore[call-arg]
    with pytest.raises(SeriesError, match=r"on_tilt='sheer' is not an option; did you mean 'shear'\?"):
        inspect(files, on_tilt="sheer")  # type: ignore[arg-type]


class TestGaps:
    HEIGHTS = (0.0, 2.0, 4.0, 10.0, 12.0, 14.0)

    def files(self, series: Series) -> list[Path]:
        return series(ramp(*self.HEIGHTS), edit=place(*self.HEIGHTS))

    def test_the_refusal_names_the_options(self, series: Series) -> None:
        match = "2 slices missing between .* on_gap='fill' .*'split'"
        with pytest.raises(SeriesError, match=match):
            load_volume(self.files(series))

    def test_fill_interpolates_and_says_so(self, series: Series) -> None:
        files = self.files(series)
        filled = load_volume(files, on_gap="fill")
        assert filled.shape == (6, 4, 8)
        assert filled.array[0, 0].tolist() == [0, 20, 40, 60, 80, 100, 120, 140]
        assert filled.array.dtype == inspect(files, on_gap="fill").dtype
        assert inspect(files, on_gap="fill").geometry == filled.geometry
        assert filled.provenance.notes == ("2 of 8 slices were interpolated between their neighbours",)

    def test_fill_leaves_every_other_slice_as_it_is(self, series: Series) -> None:
        stored = np.random.default_rng(0).integers(0, 4000, (6, 4, 6), np.int16)
        filled = load_volume(series(stored, edit=place(*self.HEIGHTS)), on_gap="fill").array
        kept = filled[..., [0, 1, 2, 5, 6, 7]]
        assert np.array_equal(kept, stored.transpose(2, 1, 0))

    def test_split_makes_a_volume_of_each_run(self, series: Series) -> None:
        files = self.files(series)
        with pytest.raises(SeriesError, match="2 volumes; choose one with volume_index=0…1"):
            load_volume(files, on_gap="split")
        low, high = load_volumes(files, on_gap="split")
        assert (low.shape, high.shape) == ((6, 4, 3), (6, 4, 3))
        assert high.geometry.index_to_mm([0, 0, 0])[2] == 10
        assert np.array_equal(load_volume(files, on_gap="split", volume_index=1).array, high.array)

    def test_a_whole_series_is_the_same_with_every_option(self, series: Series) -> None:
        files = series()
        plain = load_volume(files)
        asked = load_volume(
            files,
            on_gap="fill",
            on_uneven="resample",
            on_duplicate="drop",
            on_mixed="split",
            on_tilt="shear",
            on_colour="luminance",
            on_missing_rescale="stored",
            invert_monochrome1=True,
        )
        assert asked.geometry == plain.geometry
        assert np.array_equal(asked.array, plain.array)
        assert asked.provenance.notes == ()


def test_uneven_distances_are_resampled_at_the_smallest(series: Series) -> None:
    heights = (0.0, 2.0, 5.0, 7.0, 10.0)
    files = series(ramp(*heights), edit=place(*heights))
    with pytest.raises(SeriesError, match=r"mixed slice spacing, 2.00 to 3.00 mm.*on_uneven='resample'"):
        load_volume(files)
    even = load_volume(files, on_uneven="resample")
    assert even.spacing_mm[2] == pytest.approx(2)
    assert even.array[0, 0].tolist() == [0, 20, 40, 60, 80, 100]


class TestDuplicates:
    def test_copied_files_are_dropped(self, series: Series) -> None:
        files = series()
        folder = files[0].parent
        for file in files[:3]:
            shutil.copy(file, folder / f"copy_{file.name}")
        with pytest.raises(SeriesError, match=r"the same image is there twice, .* on_duplicate='drop'"):
            load_volume(folder)
        assert np.array_equal(load_volume(folder, on_duplicate="drop").array, load_volume(files).array)

    def test_one_identifier_for_all_files_makes_no_copies(self, series: Series) -> None:
        """As some anonymisers write them."""
        files = series(SOPInstanceUID="1.2.3")
        assert np.array_equal(load_volume(files, on_duplicate="drop").array, load_volume(files).array)

    def test_one_identifier_with_other_pixels_is_no_copy(self, series: Series) -> None:
        files = series()
        other = dcmread(files[1])
        other.PixelData = bytes(len(other.PixelData))
        other.save_as(files[1].parent / "other.dcm")
        with pytest.raises(SeriesError, match=r"there twice, .* those whose pixels are equal"):
            load_volume(files[1].parent, on_duplicate="drop")

    def test_equal_images_under_new_identifiers_are_dropped(self, series: Series) -> None:
        files = series()
        again = dcmread(files[1])
        again.SOPInstanceUID = again.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
        again.save_as(files[1].parent / "again.dcm")
        with pytest.raises(SeriesError, match="drop equal images with on_duplicate='drop'"):
            load_volume(files[1].parent)
        found = load_volume(files[1].parent, on_duplicate="drop")
        assert np.array_equal(found.array, load_volume(files).array)

    def test_images_that_differ_are_never_dropped(self, series: Series) -> None:
        files = series()
        other = dcmread(files[1])
        other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
        other.PixelData = b"\1" + other.PixelData[1:]
        other.save_as(files[1].parent / "other.dcm")
        with pytest.raises(SeriesError, match="hold several images"):
            load_volume(files[1].parent, on_duplicate="drop")

    def test_equal_pixels_of_another_scale_are_no_copy(self, series: Series) -> None:
        files = series()
        other = dcmread(files[1])
        other.RescaleSlope = 2
        other.save_as(files[1].parent / "other.dcm")
        with pytest.raises(SeriesError, match="the same image is there twice"):
            inspect(files[1].parent, on_duplicate="drop")

    def test_equal_images_of_two_echoes_are_no_copies(self, series: Series, tmp_path: Path) -> None:
        for echo in (1.0, 2.0):
            uids = {"series_uid": "1.2.3", "FrameOfReferenceUID": "1.9"}
            series(folder=tmp_path / "s" / str(echo), EchoTime=echo, Modality="MR", **uids)
        assert inspect(tmp_path / "s", on_duplicate="drop", volume_index=1).volumes == 2


class TestMixed:
    def test_stacks_of_several_planes_are_split(self, series: Series, tmp_path: Path) -> None:
        common = {"series_uid": "1.2.3", "FrameOfReferenceUID": "1.9"}
        axial = series(folder=tmp_path / "s" / "a", **common)
        first = {"edit": lambda ds, k: setattr(ds, "InstanceNumber", 100 + k)}
        sagittal = series(folder=tmp_path / "s" / "b", orientation=SAGITTAL, count=3, **common, **first)
        with pytest.raises(SeriesError, match=r"mixed orientation: .*on_mixed='split'"):
            load_volume(tmp_path / "s")
        found = load_volumes(tmp_path / "s", on_mixed="split")
        assert [volume.shape[2] for volume in found] == [5, 3]
        for volume, files in zip(found, (axial, sagittal), strict=True):
            assert np.array_equal(volume.array, load_volume(files).array)
            assert volume.geometry == load_volume(files).geometry

    def test_patients_are_never_split(self, series: Series) -> None:
        files = series(edit=lambda ds, k: setattr(ds, "PatientID", f"P{k % 2}"))
        with pytest.raises(SeriesError, match=r"mixed patient: .*give the files of one stack$"):
            load_volume(files, on_mixed="split")


class TestTilt:
    """A field that varies in space: wherever the upright grid lies inside, it must have the field's value."""

    @staticmethod
    def field(mm: np.ndarray) -> np.ndarray:
        return 1000 + 11 * mm[..., 0] - 7 * mm[..., 1] + 5 * mm[..., 2]

    def test_shear_puts_every_voxel_where_it_was(self, series: Series) -> None:
        lean = np.array([0, np.sin(np.deg2rad(15)), np.cos(np.deg2rad(15))]) * 3
        corner = np.array([-10.0, -20.0, 30.0])
        row, column, k = (np.arange(n) for n in (20, 16, 9))
        mm = corner + k[:, None, None, None] * lean
        mm = mm + column[:, None, None] * [0, 0.8, 0] + row[:, None] * [0.6, 0, 0]
        files = series(np.rint(self.field(mm)).astype(np.int16), step=lean)
        with pytest.raises(SeriesError, match=r"leans by 15.0°.*on_tilt='shear'"):
            load_volume(files)
        found = load_volume(files, on_tilt="shear")
        assert found.geometry.is_orthogonal
        assert inspect(files, on_tilt="shear").geometry == found.geometry
        assert inspect(files, on_tilt="shear").dtype == found.array.dtype == np.float32
        assert found.spacing_mm[2] == pytest.approx(3 * np.cos(np.deg2rad(15)))
        index = np.stack(np.meshgrid(*(np.arange(n) for n in found.shape), indexing="ij"), -1)
        lps = found.geometry.index_to_mm(index) * [-1, -1, 1]
        kept = load_volume(files, on_tilt="keep").geometry
        inside = kept.mm_to_index(found.geometry.index_to_mm(index))
        inside = ((inside >= 0) & (inside <= np.array(kept.shape) - 1)).all(-1)
        assert inside.mean() > 0.6
        assert found.array[inside] == pytest.approx(self.field(lps)[inside], abs=0.75)
        assert "resampled away" in found.provenance.notes[0]

    @given(
        lean=st.tuples(*[st.floats(-2, 2)] * 2),
        shape=st.tuples(*[st.integers(1, 12)] * 3),
        flip=st.sampled_from([1.0, -1.0]),
    )
    def test_the_upright_grid_holds_every_voxel(
        self, lean: tuple[float, float], shape: tuple[int, int, int], flip: float
    ) -> None:
        affine = np.diag([0.7, 0.9, 2.0 * flip, 1.0])
        affine[:2, 2] = lean
        leaning = Geometry(shape, affine)
        grid = upright(leaning)
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape])).reshape(3, -1).T
        index = grid.mm_to_index(leaning.index_to_mm(corners))
        assert grid.is_orthogonal
        assert grid.shape[2] == shape[2]
        assert index.min() >= -1e-5
        assert (index <= np.array(grid.shape) - 1 + 1e-5).all()
        assert np.allclose(index[:, 2], corners[:, 2], atol=1e-6)


class TestColour:
    @staticmethod
    def rgb(colours: np.ndarray) -> Callable[[Dataset, int], None]:
        def edit(ds: Dataset, k: int) -> None:
            ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
            ds.PixelData = colours[k].tobytes()

        return edit

    def test_luminance(self, series: Series) -> None:
        colours = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), np.uint8)
        files = series(colours[..., 0], edit=self.rgb(colours))
        with pytest.raises(SeriesError, match=r"a colour image \(RGB\).*on_colour='luminance'"):
            load_volume(files)
        found = load_volume(files, on_colour="luminance")
        luma = np.rint(colours @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)  # ITU-R BT.601
        assert np.array_equal(found.array, luma.transpose(2, 1, 0))
        assert inspect(files, on_colour="luminance").dtype == found.array.dtype

    def test_grey_stored_as_colour_is_exact(self, series: Series) -> None:
        grey = np.random.default_rng(0).integers(0, 256, (5, 4, 6), np.uint8)
        files = series(grey, edit=self.rgb(np.repeat(grey[..., None], 3, -1)))
        found = load_volume(files, on_colour="luminance")
        assert np.array_equal(found.array, grey.transpose(2, 1, 0))

    def test_a_palette(self, series: Series) -> None:
        index = np.random.default_rng(0).integers(0, 256, (5, 4, 6), np.uint8)
        table = np.random.default_rng(1).permutation(256).astype(np.uint8)

        def edit(ds: Dataset, k: int) -> None:
            ds.PhotometricInterpretation = "PALETTE COLOR"
            for colour in ("Red", "Green", "Blue"):
                setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 8])
                setattr(ds, f"{colour}PaletteColorLookupTableData", table.tobytes())

        files = series(index, edit=edit)
        with pytest.raises(SeriesError, match="a colour image"):
            load_volume(files)
        found = load_volume(files, on_colour="luminance")
        assert np.array_equal(found.array, table[index].transpose(2, 1, 0))


class TestValues:
    def test_monochrome1_is_inverted_only_when_asked(self, series: Series) -> None:
        stored = np.array([[[0, 100], [4000, 4095]]], np.uint16)
        files = series(
            stored, PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11, RescaleIntercept=-5
        )
        assert load_volume(files).array.ravel().tolist() == [-5, 3995, 95, 4090]
        found = load_volume(files, invert_monochrome1=True)
        assert found.array.ravel().tolist() == [4090, 90, 3990, -5]
        assert found.provenance.values.endswith("MONOCHROME1 inverted")

    def test_stored(self, series: Series) -> None:
        files = series(RescaleSlope=2.5, RescaleIntercept=-3)
        found = load_volume(files, values="stored")
        assert found.array.dtype == np.uint16
        assert found.array[1, 0, 0] == 1
        assert found.provenance.values == "stored values"
        assert load_volume(files).provenance.values == "RescaleSlope and RescaleIntercept"

    @pytest.mark.parametrize("modality", ["CT", "PT"])
    def test_missing_rescale_is_refused_where_values_have_a_unit(self, series: Series, modality: str) -> None:
        def edit(ds: Dataset, k: int) -> None:
            del ds.RescaleSlope, ds.RescaleIntercept

        files = series(Modality=modality, edit=edit)
        with pytest.raises(SeriesError, match=r"absent in 5 of 5 images.* on_missing_rescale='stored'"):
            load_volume(files)
        assert load_volume(files, on_missing_rescale="stored").array[1, 0, 0] == 1

    def test_mr_needs_no_rescale_but_all_or_none(self, series: Series) -> None:
        def edit(ds: Dataset, k: int) -> None:
            if k < 2:
                del ds.RescaleSlope, ds.RescaleIntercept

        with pytest.raises(SeriesError, match="absent in 2 of 5 images"):
            load_volume(series(Modality="MR", edit=edit))

    @pytest.mark.parametrize("name", ["RescaleSlope", "RescaleIntercept"])
    def test_hounsfield_units_need_slope_and_intercept(self, series: Series, name: str) -> None:
        files = series(RescaleIntercept=-1024, edit=lambda ds, k: delattr(ds, name))
        with pytest.raises(SeriesError, match="RescaleSlope or RescaleIntercept is absent in 5 of 5"):
            load_volume(files)

    def test_stored_values_are_never_mixed_with_rescaled_ones(self, series: Series) -> None:
        def edit(ds: Dataset, k: int) -> None:
            if k == 3:
                del ds.RescaleSlope, ds.RescaleIntercept

        files = series(RescaleIntercept=-1024, edit=edit)
        found = load_volume(files, on_missing_rescale="stored")
        assert found.provenance.values == "stored values"
        assert np.array_equal(found.array, load_volume(files, values="stored").array)

    def test_philips(self, series: Series) -> None:
        """FP = (SV · RS + RI) / (RS · SS), Chenevert et al. 2014."""

        def edit(ds: Dataset, k: int) -> None:
            block = ds.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
            block.add_new(0x0E, "FL", 0.125 * (k + 1))

        files = series(Modality="MR", RescaleSlope=2.5, RescaleIntercept=-3, edit=edit)
        found = load_volume(files, values="philips")
        stored = np.arange(5 * 24).reshape(5, 4, 6).transpose(2, 1, 0)
        expected = (stored * 2.5 - 3) / (2.5 * 0.125 * np.arange(1, 6))
        assert found.array == pytest.approx(expected, rel=1e-6)
        assert found.provenance.values == "Philips floating point values"

    @pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
    def test_philips_in_another_block(self, series: Series, syntax: str) -> None:
        def edit(ds: Dataset, k: int) -> None:
            ds.private_block(0x2005, "SOMEBODY ELSE", create=True).add_new(0x0E, "FL", 7.0)
            block = ds.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
            implicit = syntax == ImplicitVRLittleEndian
            block.add_new(0x0E, *(("FL", 0.25) if implicit else ("UN", b"\0\0\x80\x3e")))

        found = load_volume(series(Modality="MR", syntax=syntax, edit=edit), values="philips")
        assert (
            found.array.ravel().tolist() == (4.0 * load_volume(found.provenance.files).array).ravel().tolist()
        )

    def test_philips_without_its_private_element(self, series: Series) -> None:
        with pytest.raises(SeriesError, match=r"needs Philips' private scale slope \(2005,100E\)"):
            load_volume(series(Modality="MR"), values="philips")


class TestSplitBy:
    def files(self, series: Series, tmp_path: Path) -> Path:
        common = {"series_uid": "1.2.3", "FrameOfReferenceUID": "1.9", "Modality": "MR"}
        for number in range(2):
            echo = {"EchoTime": 5.0 - number, "TemporalPositionIdentifier": number + 1}
            series(folder=tmp_path / "s" / str(number), **common, **echo)
        return tmp_path / "s"

    def test_by_the_field_that_is_named(self, series: Series, tmp_path: Path) -> None:
        folder = self.files(series, tmp_path)
        by_time = load_volumes(folder)
        by_echo = load_volumes(folder, split_by="EchoTime")
        assert [volume.provenance.keys["EchoTime"] for volume in by_time] == [(5.0,), (4.0,)]
        assert [volume.provenance.keys["EchoTime"] for volume in by_echo] == [(4.0,), (5.0,)]

    def test_a_field_that_is_not_there(self, series: Series, tmp_path: Path) -> None:
        folder = self.files(series, tmp_path)
        with pytest.raises(SeriesError, match=r"split_by='EchoTimes', .*; did you mean 'EchoTime'\?"):
            load_volume(folder, split_by="EchoTimes")

    def test_a_field_that_leaves_doubles(self, series: Series, tmp_path: Path) -> None:
        folder = self.files(series, tmp_path)
        for file in sorted(folder.rglob("*.dcm")):
            ds = dcmread(file)
            ds.ImageType = ["ORIGINAL", "M"]
            ds.save_as(file)
        with pytest.raises(SeriesError, match="split_by='ImageType' leaves this open"):
            load_volume(folder, split_by="ImageType")


class TestRadiographs:
    DX = "1.2.840.10008.5.1.4.1.1.1.1"

    @staticmethod
    def without_place(ds: Dataset, k: int) -> None:
        del ds.ImagePositionPatient, ds.ImageOrientationPatient, ds.SliceThickness, ds.PixelSpacing
        ds.ImagerPixelSpacing = [0.2, 0.1]

    def test_a_volume_of_one_slice(self, series: Series) -> None:
        def edit(ds: Dataset, k: int) -> None:
            self.without_place(ds, k)
            ds.PatientOrientation = ["L", "F"]

        (file,) = series(count=1, SOPClassUID=self.DX, Modality="DX", edit=edit)
        found = load_volume(file)
        assert found.shape == (6, 4, 1)
        assert found.spacing_mm == pytest.approx((0.1, 0.2, 1.0))
        assert found.geometry.axcodes[:2] == "LI"
        assert "no place in the patient" in found.provenance.notes[0]
        assert np.array_equal(found.array[..., 0], np.arange(24).reshape(4, 6).T)

    @pytest.mark.parametrize("stated", [None, ["A", "A"], ["X"], ["A", "F"]])
    def test_patient_orientation(self, series: Series, stated: Any) -> None:
        def edit(ds: Dataset, k: int) -> None:
            self.without_place(ds, k)
            if stated:
                ds.PatientOrientation = stated

        (file,) = series(count=1, SOPClassUID=self.DX, Modality="DX", edit=edit)
        found, is_stated = load_volume(file), stated == ["A", "F"]
        assert found.geometry.axcodes[:2] == ("AI" if is_stated else "LI")
        assert ("those of a frontal view are used" in found.provenance.notes[0]) is not is_stated

    def test_sizes_at_the_detector_are_called_so(self, series: Series) -> None:
        (file,) = series(count=1, SOPClassUID=self.DX, Modality="DX", edit=self.without_place)
        assert "pixel sizes are those at the detector" in load_volume(file).provenance.notes[0]

        def edit(ds: Dataset, k: int) -> None:
            self.without_place(ds, k)
            ds.PixelSpacing = [0.16, 0.08]  # calibrated

        (file,) = series(count=1, SOPClassUID=self.DX, Modality="DX", edit=edit)
        found = load_volume(file)
        assert found.spacing_mm == pytest.approx((0.08, 0.16, 1.0))
        assert "detector" not in found.provenance.notes[0]

    def test_of_unknown_size_are_refused(self, series: Series) -> None:
        def edit(ds: Dataset, k: int) -> None:
            self.without_place(ds, k)
            del ds.ImagerPixelSpacing

        (file,) = series(count=1, SOPClassUID=self.DX, Modality="DX", edit=edit)
        with pytest.raises(
            SeriesError, match=r"PixelSpacing and ImagerPixelSpacing are absent in IM0001.dcm"
        ):
            load_volume(file)

    def test_several_do_not_form_a_volume(self, series: Series) -> None:
        files = series(count=2, SOPClassUID=self.DX, Modality="DX", edit=self.without_place)
        with pytest.raises(SeriesError, match=r"2 radiographs .* do not form a volume; give one file"):
            load_volume(files)
