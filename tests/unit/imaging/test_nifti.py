"""NIfTI headers, voxels and writing, with NiBabel as the other reader."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from medvision.errors import GeometryError, SeriesError
from medvision.imaging import inspect, load_volume, save_nifti

AFFINE = np.array([[-0.7, 0.0, 0.1, 90], [0, -0.7, 0, 120], [0.05, 0, 2.5, -300], [0, 0, 0, 1.0]])


def array(dtype: str = "int16", shape: tuple[int, ...] = (5, 6, 7)) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 100, size=shape).astype(dtype)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize(
    "dtype", ["uint8", "int16", ">i2", "uint16", "int32", "int64", "float32", ">f4", "float64"]
)
def test_reads_what_nibabel_wrote(tmp_path: Path, suffix: str, kind: type, dtype: str) -> None:
    path = tmp_path / f"a{suffix}"
    header = kind.header_class(endianness=">" if dtype[0] == ">" else "<")
    image = kind(array(dtype), AFFINE, header, dtype=np.dtype(dtype))
    image.set_sform(AFFINE, 1)
    image.set_qform(AFFINE, 0)
    nib.save(image, path)
    volume = load_volume(path)
    assert np.array_equal(volume.array, array(dtype))
    assert volume.array.dtype == np.dtype(dtype).newbyteorder("=") == inspect(path).dtype
    assert volume.affine == pytest.approx(AFFINE, abs=1e-5)


class TestScaling:
    @staticmethod
    def scaled(tmp_path: Path, slope: float, inter: float, dtype: str = "int16") -> tuple[Path, np.ndarray]:
        path = tmp_path / "a.nii.gz"
        image = nib.Nifti1Image(array(dtype), np.eye(4), dtype=np.dtype(dtype))
        # NiBabel would choose its own slope on saving; write the header as it is.
        with gzip.open(path, "wb") as file:
            header = image.header
            header["scl_slope"], header["scl_inter"], header["vox_offset"] = slope, inter, 352
            header.write_to(file)
            file.seek(352)
            file.write(array(dtype).tobytes(order="F"))
        return path, np.asarray(nib.load(path).dataobj)

    @pytest.mark.parametrize(("slope", "inter"), [(2.5, 0), (0.1, -3.3), (2, 1)])
    def test_is_float32(self, tmp_path: Path, slope: float, inter: float) -> None:
        path, expected = self.scaled(tmp_path, slope, inter)
        assert np.array_equal(load_volume(path).array, expected.astype(np.float32))
        assert load_volume(path).array.dtype == np.float32

    @pytest.mark.parametrize(
        ("dtype", "result"), [("int16", "int32"), ("uint8", "int16"), ("float32", "float32")]
    )
    def test_of_a_whole_intercept_keeps_whole_numbers(self, tmp_path: Path, dtype: str, result: str) -> None:
        path, expected = self.scaled(tmp_path, 1, -1024, dtype)
        volume = load_volume(path)
        assert volume.array.dtype == result
        assert np.array_equal(volume.array, expected)

    def test_slope_of_zero_is_none(self, tmp_path: Path) -> None:
        path, _ = self.scaled(tmp_path, 0, 5)
        assert np.array_equal(load_volume(path).array, array())


class TestWhichAffine:
    @staticmethod
    def written(tmp_path: Path, sform: np.ndarray | None, qform: np.ndarray | None, unit: str = "mm") -> Path:
        image = nib.Nifti1Image(array(), None)
        image.set_sform(sform, code=0 if sform is None else 1)
        image.set_qform(qform, code=0 if qform is None else 1)
        image.header.set_xyzt_units(unit)
        nib.save(image, tmp_path / "a.nii")
        return tmp_path / "a.nii"

    def test_sform_before_qform_with_a_warning(self, tmp_path: Path) -> None:
        path = self.written(tmp_path, np.diag([2.0, 2, 2, 1]), np.diag([-2.0, -2, 2, 1]))
        with pytest.warns(UserWarning, match=r"up to 25\.6 mm apart; the sform is used"):
            assert inspect(path).geometry.axcodes == "RAS"

    @pytest.mark.filterwarnings("error")
    def test_agreement_is_silent(self, tmp_path: Path) -> None:
        rotated = np.eye(4)
        rotated[:3, :3] = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0] * 2
        assert inspect(self.written(tmp_path, rotated, rotated)).spacing_mm == pytest.approx((2, 2, 2))

    def test_qform_alone(self, tmp_path: Path) -> None:
        qform = np.array([[-0.7, 0, 0, 90], [0, -0.7, 0, 120], [0, 0, 2.5, -300], [0, 0, 0, 1]])
        assert inspect(self.written(tmp_path, None, qform)).geometry.affine == pytest.approx(qform, abs=1e-5)

    def test_neither_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(GeometryError, match=r"a\.nii: neither sform nor qform"):
            inspect(self.written(tmp_path, None, None))

    def test_other_units_are_turned_into_mm(self, tmp_path: Path) -> None:
        path = self.written(tmp_path, np.diag([0.001, 0.001, 0.002, 1]), None, unit="meter")
        with pytest.warns(UserWarning, match="coordinates in metres are turned into mm"):
            assert inspect(path).spacing_mm == pytest.approx((1, 1, 2))


class TestRefusals:
    @staticmethod
    def refused(path: Path, match: str) -> None:
        for read in (inspect, load_volume):
            with pytest.raises(SeriesError, match=match):
                read(path)

    def test_four_dimensions(self, tmp_path: Path) -> None:
        path = save_nifti(tmp_path / "a.nii.gz", array(shape=(3, 4, 5, 6)), np.eye(4))
        self.refused(path, "4D, 6 volumes of 3×4×5; choose one with volume_index=0…5")
        assert np.array_equal(load_volume(path, volume_index=4).array, array(shape=(3, 4, 5, 6))[..., 4])
        with pytest.raises(SeriesError, match="6 volumes, no volume_index=6"):
            load_volume(path, volume_index=6)

    def test_a_fourth_axis_of_one_is_none(self, tmp_path: Path) -> None:
        path = save_nifti(tmp_path / "a.nii", array(shape=(3, 4, 5, 1)), np.eye(4))
        assert load_volume(path).shape == (3, 4, 5)

    def test_vectors(self, tmp_path: Path) -> None:
        nib.save(nib.Nifti1Image(array("float32", (3, 4, 5, 1, 3)), np.eye(4)), tmp_path / "a.nii")
        self.refused(tmp_path / "a.nii", r"5 axes \(3, 4, 5, 1, 3\)")

    def test_colour_and_complex(self, tmp_path: Path) -> None:
        colour = np.zeros((3, 4, 5), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
        for name, voxels in (("rgb.nii", colour), ("complex.nii", np.zeros((3, 4, 5), "c8"))):
            nib.save(nib.Nifti1Image(voxels, np.eye(4)), tmp_path / name)
            self.refused(tmp_path / name, "colour or complex image")

    @pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
    def test_cut_short(self, tmp_path: Path, suffix: str) -> None:
        path = save_nifti(tmp_path / f"a{suffix}", array(shape=(20, 20, 20)), AFFINE)
        whole = path.read_bytes()
        for length in (0, 3, 100, 347, len(whole) // 2, len(whole) - 8):
            path.write_bytes(whole[:length])
            self.refused(path, "cut short|not a NIfTI|damaged")

    @pytest.mark.parametrize("place", [-2, -6])
    def test_checksum_and_length_are_compared(self, tmp_path: Path, place: int) -> None:
        path = save_nifti(tmp_path / "a.nii.gz", array(shape=(20, 20, 20)), AFFINE)
        data = bytearray(path.read_bytes())
        data[place] ^= 0x01  # gzip's last eight bytes: CRC-32 and length, RFC 1952 2.3.1
        path.write_bytes(data)
        with pytest.raises(SeriesError, match=r"damaged NIfTI file|cut short"):
            load_volume(path)

    def test_damage_inside_compressed_voxels(self, tmp_path: Path) -> None:
        path = save_nifti(tmp_path / "a.nii.gz", array(shape=(20, 20, 20)), AFFINE)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)
        with pytest.raises(SeriesError, match="damaged NIfTI file"):
            load_volume(path)

    def test_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "a.nii").write_bytes(b"not an image" * 100)
        self.refused(tmp_path / "a.nii", "a.nii: not a NIfTI file")


class TestContradictions:
    """What NiBabel mends, each in a way that other readers do not, is refused."""

    @staticmethod
    def edited(tmp_path: Path, name: str, value: object, index: int | None = None) -> Path:
        image = nib.Nifti1Image(array(), AFFINE)
        image.set_sform(np.diag([2.0, 2, 2, 1]), 0 if name == "pixdim" else 1)
        image.set_qform(np.diag([2.0, 2, 2, 1]), 1)
        header = image.header
        header["vox_offset"], header["magic"] = 352, b"n+1"
        if index is None:
            header[name] = value
        else:
            header[name][index] = value
        path = tmp_path / "a.nii"
        path.write_bytes(header.binaryblock + bytes(4) + array().tobytes(order="F"))
        return path

    @pytest.mark.parametrize(
        ("name", "value", "index"),
        [
            ("magic", b"xyz", None),
            ("bitpix", 8, None),
            ("vox_offset", 0, None),
            ("vox_offset", 348, None),
            ("vox_offset", 352.5, None),
            ("vox_offset", np.nan, None),
            ("vox_offset", -1e30, None),
            ("sform_code", 7, None),
            ("qform_code", -1, None),
            ("dim", 0, 0),
            ("dim", 9, 0),
            ("dim", -5, 1),
            ("dim", 0, 2),
            ("datatype", 77, None),
            ("datatype", 0, None),
            ("pixdim", -2, 1),
            ("pixdim", 3.5, 0),
            ("scl_inter", np.inf, None),
        ],
    )
    def test_are_refused(self, tmp_path: Path, name: str, value: object, index: int | None) -> None:
        path = self.edited(tmp_path, name, value, index)
        if name == "scl_inter":
            path = self.edited(tmp_path, "scl_slope", 1)
            content = bytearray(path.read_bytes())
            content[116:120] = np.float32(np.inf).tobytes()  # nifti1.h: scl_inter
            path.write_bytes(content)
        for read in (inspect, load_volume):
            with pytest.raises((SeriesError, GeometryError), match=r"a\.nii: a damaged NIfTI file"):
                read(path)

    def test_a_qfac_of_zero_is_one(self, tmp_path: Path) -> None:  # nifti1.h, "METHOD 2"
        path = self.edited(tmp_path, "pixdim", 0, 0)
        assert load_volume(path).affine == pytest.approx(np.diag([2.0, 2, 2, 1]))

    def test_what_is_claimed_is_compared_with_the_file_before_room_is_made(self, tmp_path: Path) -> None:
        path = self.edited(tmp_path, "dim", [3, 32767, 32767, 32767, 1, 1, 1, 1])
        TestRefusals.refused(path, "cut short")
        path.with_suffix(".nii.gz").write_bytes(gzip.compress(path.read_bytes()))
        TestRefusals.refused(path.with_suffix(".nii.gz"), "cut short")

    def test_a_bomb(self, tmp_path: Path) -> None:
        header = self.edited(tmp_path, "dim", [3, 1024, 1024, 1000, 1, 1, 1, 1]).read_bytes()[:352]
        zeros = gzip.compress(bytes(1 << 24), mtime=0)
        (tmp_path / "b.nii.gz").write_bytes(gzip.compress(header) + zeros * 125)
        TestRefusals.refused(tmp_path / "b.nii.gz", "unpacks to 2 GiB or more, .* as decompression bombs do")


def test_compressed_file_of_several_members_is_read(tmp_path: Path) -> None:
    # bgzip and some archives write one gzip file as several: the last length is not the whole.
    whole = gzip.decompress(save_nifti(tmp_path / "a.nii.gz", array(), AFFINE).read_bytes())
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(whole[:400]) + gzip.compress(whole[400:]))
    assert np.array_equal(load_volume(tmp_path / "b.nii.gz").array, array())
