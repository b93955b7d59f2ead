"""Enhanced multi-frame objects: the same volume as their slices in files of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dcm2niix
import nibabel as nib
import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import RLELossless

from medvision.errors import SeriesError
from medvision.imaging import Geometry, Volume, inspect, load_mask, load_volume, load_volumes, save_seg
from medvision.testing import thorax_phantom, write_dicom_series
from medvision.testing.enhanced import write_enhanced

Series = Callable[..., list[Path]]
OBLIQUE = (0.96, 0.28, 0.0, -0.28, 0.96, 0.0)
SAGITTAL = (0, 1, 0, 0, 0, -1)
ORDER = [3, 0, 4, 1, 2]


def same(found: Volume, expected: Volume) -> bool:
    return found.geometry.is_close(expected.geometry, 1e-6) and np.array_equal(found.array, expected.array)


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), OBLIQUE, SAGITTAL])
def test_equals_the_single_frame_files(
    series: Series, tmp_path: Path, share: bool, orientation: tuple[float, ...]
) -> None:
    files = series(orientation=orientation, RescaleSlope=2, RescaleIntercept=-7)
    enhanced = write_enhanced(files, tmp_path / "enhanced.dcm", share=share, frame_order=ORDER)
    expected = load_volume(files)
    assert same(load_volume(enhanced), expected)
    header = inspect(enhanced)
    assert (header.geometry, header.dtype) == (load_volume(enhanced).geometry, expected.array.dtype)
    assert header.provenance.files == (enhanced,)


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_equals_what_dcm2niix_makes_of_it(series: Series, tmp_path: Path, modality: str) -> None:
    stored = np.random.default_rng(3).integers(0, 900, (7, 12, 10), np.uint16)
    files = series(stored, orientation=OBLIQUE, Modality=modality, RescaleSlope=1, RescaleIntercept=0)
    folder = tmp_path / "enhanced"
    folder.mkdir()
    found = load_volume(write_enhanced(files, folder / "e.dcm", frame_order=[6, 0, 1, 5, 2, 4, 3]))
    words = [dcm2niix.bin, "-f", "made", "-o", str(tmp_path), str(folder)]
    subprocess.run(words, check=True, capture_output=True)
    theirs = nib.as_closest_canonical(nib.load(tmp_path / "made.nii"))
    ours = nib.as_closest_canonical(nib.Nifti1Image(np.array(found.array), np.array(found.affine)))
    assert np.array_equal(np.asarray(ours.dataobj), np.asarray(theirs.dataobj))
    assert Geometry(ours.shape, ours.affine).distance_mm(Geometry(theirs.shape, theirs.affine)) < 1e-3


def test_every_frame_has_its_own_slope(series: Series, tmp_path: Path) -> None:
    files = series(Modality="PT", edit=lambda ds, k: setattr(ds, "RescaleSlope", k + 1.5))
    enhanced = write_enhanced(files, tmp_path / "e.dcm", share=False, frame_order=ORDER)
    assert same(load_volume(enhanced), load_volume(files))
    assert load_volume(enhanced).array[1, 0, 3] == np.float32((3 * 24 + 1) * 4.5)


def test_compressed_frames(series: Series, tmp_path: Path) -> None:
    files = series(np.random.default_rng(1).integers(0, 4000, (5, 32, 32), np.uint16))

    def compress(ds: Dataset) -> None:
        ds.compress(RLELossless, generate_instance_uid=False)

    enhanced = write_enhanced(files, tmp_path / "e.dcm", frame_order=ORDER, finish=compress)
    assert dcmread(enhanced).file_meta.TransferSyntaxUID == RLELossless
    assert same(load_volume(enhanced), load_volume(files))


def test_a_series_of_several_objects(series: Series, tmp_path: Path) -> None:
    """A concatenation, or one object for each part of a scan: one series, so one volume."""
    files = series(count=9)
    parts = [files[:2], files[2:3], files[3:]]
    folder = tmp_path / "parts"
    folder.mkdir()
    for number, part in enumerate(parts):

        def named(ds: Dataset, number: int = number) -> None:
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"

        write_enhanced(part, folder / f"{3 - number}.dcm", finish=named)
    assert same(load_volume(folder), load_volume(files))


class TestSeveralVolumes:
    ECHOES = (4.9, 2.3)

    def written(self, series: Series, tmp_path: Path, edit: Callable[[Dataset, int], Any]) -> Path:
        """Two images at each of four positions, as frames in no order."""
        stored = np.arange(8 * 4 * 6, dtype=np.uint16).reshape(8, 4, 6)
        place = {"Modality": "MR", "edit": lambda ds, k: self.at(ds, k // 2)}
        return write_enhanced(series(stored, **place), tmp_path / "e.dcm", edit=edit, frame_order=range(8))

    @staticmethod
    def at(ds: Dataset, place: int) -> None:
        ds.ImagePositionPatient = [0, 0, 3.0 * place]

    @staticmethod
    def volume(parity: int) -> np.ndarray:
        return np.arange(8 * 4 * 6, dtype=np.uint16).reshape(8, 4, 6)[parity::2].transpose(2, 1, 0)

    def test_echoes(self, series: Series, tmp_path: Path) -> None:
        def edit(groups: Dataset, frame: int) -> None:
            echo = Dataset()
            echo.EffectiveEchoTime = self.ECHOES[frame % 2]
            groups.MREchoSequence = [echo]

        enhanced = self.written(series, tmp_path, edit)
        with pytest.raises(SeriesError, match=r"2 volumes .* told apart by EchoTime \(2\.3, 4\.9\)"):
            load_volume(enhanced)
        for index, parity in enumerate((1, 0)):  # the shorter echo first
            assert np.array_equal(load_volume(enhanced, volume_index=index).array, self.volume(parity))
        every = load_volumes(enhanced)
        assert [volume.provenance.keys["EchoTime"] for volume in every] == [(2.3,), (4.9,)]

    def test_b_values_and_directions(self, series: Series, tmp_path: Path) -> None:
        def edit(groups: Dataset, frame: int) -> None:
            diffusion, direction = Dataset(), Dataset()
            diffusion.DiffusionBValue = 1000.0 * (frame % 2)
            if frame % 2:
                direction.DiffusionGradientOrientation = [0.6, 0.0, 0.8]
                diffusion.DiffusionGradientDirectionSequence = [direction]
            groups.MRDiffusionSequence = [diffusion]

        low, high = load_volumes(self.written(series, tmp_path, edit))
        assert low.provenance.keys["DiffusionBValue"] == (0,)
        assert "DiffusionGradientOrientation" not in low.provenance.keys
        assert high.provenance.keys["DiffusionBValue"] == (1000,)
        assert high.provenance.keys["DiffusionGradientOrientation"] == (0.6, 0.0, 0.8)
        assert np.array_equal(high.array, self.volume(1))

    def test_a_dimension_that_only_the_index_names(self, series: Series, tmp_path: Path) -> None:
        def edit(groups: Dataset, frame: int) -> None:
            content = groups.FrameContentSequence[0]
            content.DimensionIndexValues = [1, frame // 2 + 1, 2 - frame % 2]

        def add(ds: Dataset) -> None:
            pointer = Dataset()
            pointer.DimensionIndexPointer = 0x00189301  # BloodSignalNullingMethod… any element
            ds.DimensionIndexSequence.append(pointer)

        files = series(
            np.arange(8 * 4 * 6, dtype=np.uint16).reshape(8, 4, 6),
            Modality="MR",
            edit=lambda ds, k: self.at(ds, k // 2),
        )
        enhanced = write_enhanced(files, tmp_path / "e.dcm", edit=edit, finish=add)
        with pytest.raises(SeriesError, match="told apart by index of "):
            load_volume(enhanced)
        assert np.array_equal(load_volume(enhanced, volume_index=0).array, self.volume(1))

    def test_two_fields_together(self, series: Series, tmp_path: Path) -> None:
        """Echo and time: four volumes at each of two positions, told apart by both."""

        def edit(groups: Dataset, frame: int) -> None:
            echo = Dataset()
            echo.EffectiveEchoTime = self.ECHOES[frame % 2]
            groups.MREchoSequence = [echo]
            groups.FrameContentSequence[0].TemporalPositionIndex = frame // 2 % 2 + 1

        stored = np.arange(8 * 4 * 6, dtype=np.uint16).reshape(8, 4, 6)
        files = series(stored, Modality="MR", edit=lambda ds, k: self.at(ds, k // 4))
        enhanced = write_enhanced(files, tmp_path / "e.dcm", edit=edit)
        with pytest.raises(SeriesError, match=r"4 volumes .* by TemporalPositionIdentifier and EchoTime"):
            load_volume(enhanced)
        second = load_volume(enhanced, volume_index=1)  # first time, longer echo
        assert np.array_equal(second.array, stored[0::4].transpose(2, 1, 0))


class TestRefusals:
    @pytest.mark.parametrize(
        ("finish", "match"),
        [
            (lambda ds: ds.PerFrameFunctionalGroupsSequence.pop(), "5 frames but functional groups of 4"),
            (
                lambda ds: delattr(ds.PerFrameFunctionalGroupsSequence[2], "PlanePositionSequence"),
                r"ImagePositionPatient is absent in 1 of 5 images \(e.dcm frame 3\)",
            ),
            (
                lambda ds: delattr(ds, "PerFrameFunctionalGroupsSequence"),
                "Enhanced CT Image Storage, 5 frames. that does not say where its frames lie",
            ),
            (lambda ds: setattr(ds, "PixelData", ds.PixelData[:-48]), "cut short"),
        ],
    )
    def test_what_is_damaged(self, series: Series, tmp_path: Path, finish: Any, match: str) -> None:
        enhanced = write_enhanced(series(), tmp_path / "e.dcm", finish=finish)
        for read in (inspect, load_volume):
            with pytest.raises(SeriesError, match=match):
                read(enhanced)

    def test_a_missing_frame_is_a_gap(self, series: Series, tmp_path: Path) -> None:
        files = series(count=8)
        enhanced = write_enhanced([*files[:3], *files[4:]], tmp_path / "e.dcm")
        with pytest.raises(SeriesError, match=r"1 slice missing between e.dcm frame 3 and e.dcm frame 4"):
            inspect(enhanced)


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("dicom/mr_study_PGBM-003/11-T1post-18670", "LegacyConvertedEnhancedMRImage"),
        ("dicom_seg/dcmqi/ct-3slice", "LegacyConvertedEnhancedCTImage"),
    ],
)
def test_real_series_that_highdicom_converted(data_dir: Path, tmp_path: Path, folder: str, kind: str) -> None:
    import highdicom.legacy
    from highdicom import UID

    slices = [dcmread(file) for file in sorted((data_dir / folder).glob("*.dcm"))]
    for one in slices:  # what the de-identified files lack and highdicom needs
        for name in ("AccessionNumber", "PatientBirthDate", "StudyID", "ReferringPhysicianName"):
            if name not in one:
                setattr(one, name, "")
    converted = getattr(highdicom.legacy, kind)(
        slices, series_instance_uid=UID(), series_number=1, sop_instance_uid=UID(), instance_number=1
    )
    converted.save_as(tmp_path / "converted.dcm")
    assert same(load_volume(tmp_path / "converted.dcm"), load_volume(data_dir / folder))


def test_a_segmentation_of_an_enhanced_object_comes_back(tmp_path: Path) -> None:
    files = write_dicom_series(thorax_phantom(1, shape=(48, 40, 16), lesions=1), tmp_path / "ct")
    enhanced = write_enhanced(files, tmp_path / "enhanced.dcm", frame_order=[3, 1, 0, 2, *range(15, 3, -1)])
    scan = load_volume(enhanced)
    body = (scan.array > -200).astype(np.uint8)
    written = save_seg(
        tmp_path / "seg.dcm", scan.with_voxels(body), enhanced, {1: "Body"}, algorithm="MANUAL"
    )
    assert np.array_equal(load_mask(written, inspect(enhanced)).volume.array, body)
