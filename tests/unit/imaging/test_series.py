"""Which files form one volume: every fault on its own, on synthetic series."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medvision.errors import SeriesError
from medvision.imaging import inspect, load_volume

Series = Callable[..., list[Path]]

OBLIQUE = (0.0, 0.8, -0.6, 1.0, 0.0, 0.0)  # rows run along (0, .8, −.6), columns along x


def expected_affine(files: list[Path]) -> np.ndarray:
    """The affine from the headers of the files in slice order, by the standard's formula."""
    from pydicom import dcmread

    first, last = dcmread(files[0]), dcmread(files[-1])
    row, column = np.array(first.ImageOrientationPatient, float).reshape(2, 3)
    start, end = (np.array(ds.ImagePositionPatient, float) for ds in (first, last))
    lps = np.eye(4)
    lps[:3, 0], lps[:3, 1] = row * first.PixelSpacing[1], column * first.PixelSpacing[0]
    lps[:3, 2], lps[:3, 3] = (end - start) / (len(files) - 1), start
    return np.diag([-1, -1, 1, 1]) @ lps


class TestOrder:
    @pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1), OBLIQUE])
    def test_by_position_whatever_names_and_numbers_say(
        self, series: Series, orientation: tuple[float, ...]
    ) -> None:
        stored = np.arange(7 * 4 * 6, dtype=np.uint16).reshape(7, 4, 6)
        files = series(stored, orientation=orientation)
        volume = load_volume(files[0].parent)
        assert np.array_equal(volume.array, stored.transpose(2, 1, 0))
        assert volume.affine == pytest.approx(expected_affine(files), abs=1e-6)
        assert volume.spacing_mm == pytest.approx((0.6, 0.8, 2.5))
        assert volume.provenance.files == tuple(files)

    def test_of_a_list_is_that_of_the_folder(self, series: Series) -> None:
        files = series()
        scrambled = [files[i] for i in (3, 0, 4, 2, 1)]
        one, other = load_volume(files[0].parent), load_volume(scrambled)
        assert np.array_equal(one.array, other.array)
        assert one.geometry == other.geometry

    def test_runs_along_the_normal_even_where_positions_fall(self, series: Series) -> None:
        stored = np.arange(4 * 2 * 3, dtype=np.uint16).reshape(4, 2, 3)
        files = series(stored, step=(0, 0, -2.5))
        volume = load_volume(files)
        assert np.array_equal(volume.array, stored[::-1].transpose(2, 1, 0))
        assert np.linalg.det(volume.affine[:3, :3]) > 0
        assert volume.affine[2, 3] == pytest.approx(30 - 3 * 2.5)

    def test_lone_slice_takes_its_thickness_as_depth(self, series: Series) -> None:
        (file,) = series(count=1)
        assert load_volume(file).spacing_mm == pytest.approx((0.6, 0.8, 2.5))
        (file,) = series(count=1, SpacingBetweenSlices=3.0)
        assert inspect(file).spacing_mm[2] == pytest.approx(3.0)

    def test_lone_slice_without_thickness_is_refused(self, series: Series) -> None:
        (file,) = series(count=1, edit=lambda ds, k: delattr(ds, "SliceThickness"))
        with pytest.raises(SeriesError, match="lone slice without SliceThickness"):
            load_volume(file)


class TestOnePatientOneSeries:
    def test_two_series_are_listed_with_how_to_choose(self, series: Series, tmp_path: Path) -> None:
        series(folder=tmp_path / "s" / "a", series_uid="1.2.3", SeriesDescription="lung", count=3)
        series(folder=tmp_path / "s" / "b", series_uid="1.2.4", SeriesDescription="bone", count=4)
        with pytest.raises(SeriesError) as caught:
            load_volume(tmp_path / "s")
        text = str(caught.value)
        assert "2 series in it; choose one with series_uid=" in text
        assert "1.2.3: CT, 'lung', 3 images, patient-fbeae7c1" in text
        assert "1.2.4: CT, 'bone', 4 images, patient-fbeae7c1" in text
        assert load_volume(tmp_path / "s", series_uid="1.2.4").shape == (6, 4, 4)

    def test_a_name_in_a_description_is_not_listed(self, series: Series, tmp_path: Path) -> None:
        series(folder=tmp_path / "s" / "a", SeriesDescription="Thorax SECRET control")
        series(folder=tmp_path / "s" / "b", SeriesDescription="Abdomen")
        with pytest.raises(
            SeriesError, match=r"names the patient(.|\n)*'Abdomen'|'Abdomen'(.|\n)*names the p"
        ) as e:
            load_volume(tmp_path / "s")
        assert "SECRET" not in str(e.value)

    def test_a_series_that_is_not_there(self, series: Series) -> None:
        files = series(series_uid="1.2.3")
        with pytest.raises(SeriesError, match=r"no series 9\.9 in it; there is\n  - 1\.2\.3"):
            inspect(files, series_uid="9.9")

    def test_series_of_two_patients(self, series: Series, tmp_path: Path) -> None:
        files = series(folder=tmp_path / "a") + series(folder=tmp_path / "b", PatientID="P2")
        with pytest.raises(SeriesError, match="2 series of 2 patients"):
            inspect(files)

    def test_one_series_uid_with_two_patients(self, series: Series) -> None:
        files = series(edit=lambda ds, k: setattr(ds, "PatientID", "P2" if k == 3 else "P1"))
        with pytest.raises(
            SeriesError,
            match=r"mixed patient: patient-fbeae7c1 in 4 \(.*\); patient-acbbb742 in 1 \(IM0002.dcm\)",
        ):
            inspect(files)

    def test_objects_without_pixels_are_passed_over(self, series: Series) -> None:
        files = series()

        def report(ds: Any, k: int) -> None:
            ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
            for name in ("Rows", "Columns", "PixelData"):
                delattr(ds, name)

        (other,) = series(count=1, folder=files[0].parent / "report", edit=report)
        assert inspect(files[0].parent).provenance.files == tuple(files)
        with pytest.raises(SeriesError, match="no DICOM image"):
            inspect(other)

    def test_another_series_that_cannot_be_read_does_not_matter(self, series: Series, tmp_path: Path) -> None:
        series(folder=tmp_path / "s" / "a", series_uid="1.2.3")
        series(folder=tmp_path / "s" / "b", series_uid="1.2.4", NumberOfFrames=2, count=1)
        assert inspect(tmp_path / "s", series_uid="1.2.3").shape == (6, 4, 5)
        with pytest.raises(SeriesError, match="multi-frame"):
            inspect(tmp_path / "s", series_uid="1.2.4")


class TestRefusals:
    """Each fault is refused by load_volume and by inspect, with the file and the cure."""

    @staticmethod
    def refused(files: list[Path] | Path, match: str) -> None:
        for read in (inspect, load_volume):
            with pytest.raises(SeriesError, match=match):
                read(files)

    def test_missing_slice(self, series: Series) -> None:
        files = series(count=8)
        text = r"\(patient-fbeae7c1\): 1 slice missing between IM0006.dcm and IM0004.dcm: 5.00 mm apart"
        self.refused([f for k, f in enumerate(files) if k != 3], text)

    def test_several_gaps_are_all_named(self, series: Series) -> None:
        files = series(count=12)
        kept = [f for k, f in enumerate(files) if k not in (2, 6, 7)]
        self.refused(kept, r"(?s)2 problems.*1 slice missing.*2 slices missing")

    def test_missing_slice_of_three(self, series: Series) -> None:
        files = series(count=4)
        self.refused([files[0], files[2], files[3]], "1 slice missing between IM0004.dcm and IM0002.dcm")

    def test_copy_of_a_slice(self, series: Series) -> None:
        files = series()
        shutil.copy(files[2], files[2].with_name("copy.dcm"))
        self.refused(files[0].parent, "same image is there twice, such as IM0003.dcm, copy.dcm; delete")

    def test_other_slice_at_the_same_position(self, series: Series) -> None:
        files = series()
        from pydicom import dcmread

        ds = dcmread(files[2])
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.5"
        ds.save_as(files[2].with_name("again.dcm"))
        self.refused(files[0].parent, r"1 of 5 positions hold several images, such as IM0003.dcm, again.dcm")

    def test_mixed_matrix(self, series: Series) -> None:
        def edit(ds: Any, k: int) -> None:
            if k == 1:
                ds.Rows, ds.PixelData = 2, ds.PixelData[:24]

        self.refused(series(edit=edit), r"mixed matrix: 6×4 in 4 \(.*\); 6×2 in 1 \(IM0004.dcm\)")

    def test_mixed_orientation(self, series: Series) -> None:
        def edit(ds: Any, k: int) -> None:
            if k == 1:
                ds.ImageOrientationPatient = [0.9999, 0.0141, 0, -0.0141, 0.9999, 0]

        self.refused(series(edit=edit), r"mixed orientation: .*0\.9999.* in 1 \(IM0004.dcm\)")

    def test_mixed_pixel_spacing(self, series: Series) -> None:
        files = series(edit=lambda ds, k: setattr(ds, "PixelSpacing", [0.8, 0.6 + 0.01 * (k == 1)]))
        self.refused(files, r"mixed pixel spacing: .*0\.61 in 1 \(IM0004.dcm\)")

    def test_mixed_rescale_type(self, series: Series) -> None:
        files = series(edit=lambda ds, k: setattr(ds, "RescaleType", "HU" if k else "US"))
        self.refused(files, r"mixed rescale type: HU in 4 .*; US in 1 \(IM0005.dcm\)")

    def test_mixed_frame_of_reference(self, series: Series) -> None:
        files = series(edit=lambda ds, k: setattr(ds, "FrameOfReferenceUID", "1.2" if k else "1.3"))
        self.refused(files, "mixed frame of reference")

    def test_mixed_slice_spacing(self, series: Series) -> None:
        def edit(ds: Any, k: int) -> None:
            ds.ImagePositionPatient = [0, 0, 2.0 * k if k < 5 else 10 + 2.5 * (k - 5)]

        self.refused(series(count=10, edit=edit), "mixed slice spacing, 2.00 to 2.50 mm")

    def test_gantry_tilt(self, series: Series) -> None:
        files = series(step=(0, 2.5 * np.tan(np.deg2rad(12)), 2.5))
        self.refused(files, r"gantry tilt: the stack leans by 12.0°.*on_tilt='keep'")
        kept = load_volume(files, on_tilt="keep")
        assert kept.affine == pytest.approx(expected_affine(files), abs=1e-6)
        assert not kept.geometry.is_orthogonal

    def test_slice_shifted_in_its_plane(self, series: Series) -> None:
        def edit(ds: Any, k: int) -> None:
            x, y, z = ds.ImagePositionPatient
            ds.ImagePositionPatient = [x + 1.5 * (k == 2), y, z]

        self.refused(series(edit=edit), r"1 slices are shifted in their plane by up to 1.50 mm .*IM0003.dcm")

    @pytest.mark.parametrize("name", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
    def test_no_place(self, series: Series, name: str) -> None:
        files = series(edit=lambda ds, k: delattr(ds, name) if k in (1, 2) else None)
        self.refused(files, rf"{name} is absent in 2 of 5 images \(IM0004.dcm, IM0003.dcm\)")

    def test_crooked_axes(self, series: Series) -> None:
        self.refused(series(orientation=(1, 0, 0, 0.2, 0.98, 0)), "not two perpendicular unit vectors")

    def test_all_problems_at_once(self, series: Series) -> None:
        def edit(ds: Any, k: int) -> None:
            if k == 1:
                ds.PatientID, ds.RescaleType = "P2", "US"
                del ds.PixelSpacing

        with pytest.raises(SeriesError) as caught:
            inspect(series(edit=edit))
        assert [p.split(":")[0].split(" is")[0] for p in caught.value.problems] == [
            "mixed patient",
            "mixed rescale type",
        ]
