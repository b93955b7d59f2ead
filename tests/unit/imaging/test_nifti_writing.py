"""Writing NIfTI, with NiBabel as the reader."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from medvision.errors import GeometryError, MedvisionError
from medvision.imaging import Geometry, load_volume, save_nifti

AFFINE = np.array([[-0.7, 0.0, 0.1, 90], [0, -0.7, 0, 120], [0.05, 0, 2.5, -300], [0, 0, 0, 1.0]])


def array(dtype: str = "int16", shape: tuple[int, ...] = (5, 6, 7)) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 100, size=shape).astype(dtype)


class TestSaving:
    @pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
    def test_nibabel_reads_it(self, tmp_path: Path, suffix: str) -> None:
        affine = np.diag([-0.7, -0.7, 2.5, 1.0])
        image = nib.load(save_nifti(tmp_path / "new" / f"a{suffix}", array(), affine))
        assert np.array_equal(np.asarray(image.dataobj), array())
        assert image.get_data_dtype() == np.int16
        for form, code in (image.get_sform(coded=True), image.get_qform(coded=True)):
            assert code == 1
            assert form == pytest.approx(affine, abs=1e-6)
        assert image.header.get_xyzt_units()[0] == "mm"

    def test_equal_voxels_give_equal_bytes(self, tmp_path: Path) -> None:
        one = save_nifti(tmp_path / "one.nii.gz", array(), AFFINE)
        other = save_nifti(tmp_path / "other.nii.gz", array().copy(order="F"), AFFINE)
        assert one.read_bytes() == other.read_bytes()
        assert one.read_bytes()[3:8] == bytes(5)  # no flags (no name) and no time: RFC 1952 2.3.1

    @pytest.mark.filterwarnings("error")
    def test_shear_is_kept_by_the_sform_alone(self, tmp_path: Path) -> None:
        sheared = np.eye(4)
        sheared[1, 2] = 0.3
        image = nib.load(save_nifti(tmp_path / "a.nii", array(), sheared))
        assert int(image.header["qform_code"]) == 0
        assert load_volume(tmp_path / "a.nii").affine == pytest.approx(sheared)

    def test_types(self, tmp_path: Path) -> None:
        path = tmp_path / "a.nii"
        assert load_volume(save_nifti(path, array() > 50, AFFINE)).array.dtype == np.uint8
        assert load_volume(save_nifti(path, array("float16"), AFFINE)).array.dtype == np.float32
        assert load_volume(save_nifti(path, array("float64"), AFFINE, "uint8")).array.dtype == np.uint8
        assert load_volume(save_nifti(path, array("float64"), AFFINE, "float32")).array.dtype == np.float32

    @pytest.mark.parametrize(
        ("values", "dtype"), [([0.5], "uint8"), ([300], "uint8"), ([-1], "uint8"), ([np.nan], "int16")]
    )
    def test_values_that_would_change_are_refused(
        self, tmp_path: Path, values: list[float], dtype: str
    ) -> None:
        with pytest.raises(MedvisionError, match=f"{dtype} cannot hold the .* values exactly"):
            save_nifti(tmp_path / "a.nii", np.reshape(values, (1, 1, 1)), np.eye(4), dtype)
        assert list(tmp_path.iterdir()) == []

    def test_wrong_name_or_shape(self, tmp_path: Path) -> None:
        with pytest.raises(MedvisionError, match=r"named \.nii or \.nii\.gz"):
            save_nifti(tmp_path / "a.mha", array(), AFFINE)
        with pytest.raises(GeometryError, match="on a grid of shape"):
            save_nifti(tmp_path / "a.nii", array(), Geometry((5, 6, 8), AFFINE))
        with pytest.raises(GeometryError, match="three axes"):
            save_nifti(tmp_path / "a.nii", array(shape=(5, 6)), AFFINE)

    def test_a_failure_leaves_the_old_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = save_nifti(tmp_path / "a.nii.gz", array(), AFFINE)
        before = path.read_bytes()

        def fail(*_: object) -> None:
            raise OSError("disk full")

        monkeypatch.setattr(nib.Nifti1Image, "to_stream", fail)
        with pytest.raises(OSError, match="disk full"):
            save_nifti(path, array() + 1, AFFINE)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]
