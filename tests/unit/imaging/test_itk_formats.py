"""NRRD and MetaImage, with SimpleITK's own NIfTI of the same image as the other reader."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (as everybody calls it)

from medvision.errors import GeometryError, SeriesError
from medvision.imaging import Volume, inspect, load_volume
from medvision.testing.samples import phantom, sample

SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd")
Write = Callable[..., Path]


def image(dtype: str = "int16", shape: tuple[int, ...] = (5, 6, 7), *, seed: int = 0) -> sitk.Image:
    """Voxels (k, j, i) at an oblique place, in LPS."""
    rng = np.random.default_rng(seed)
    made = sitk.GetImageFromArray(rng.integers(0, 100, shape).astype(dtype))
    if len(shape) == 3:
        rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        made.SetDirection((rotation * np.sign(np.linalg.det(rotation))).ravel().tolist())
        made.SetSpacing((0.7, 0.9, 2.5))
        made.SetOrigin((-120.5, 33.25, 410.0))
    return made


def same(ours: Volume, path: Path) -> None:
    """Equal to the NIfTI that SimpleITK makes of the same file."""
    nifti = path.with_name("oracle.nii.gz")
    sitk.WriteImage(sitk.ReadImage(str(path)), str(nifti))
    oracle = load_volume(nifti)
    assert ours.geometry.is_close(oracle.geometry, 1e-3)
    assert np.array_equal(ours.array, oracle.array)
    assert ours.array.dtype == oracle.array.dtype
    assert not ours.array.flags.writeable


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_equals_simpleitks_nifti_of_it(tmp_path: Path, suffix: str, dtype: str, compressed: bool) -> None:
    path = tmp_path / f"a{suffix}"
    sitk.WriteImage(image(dtype), str(path), compressed)
    volume, header = load_volume(path), inspect(path)
    same(volume, path)
    assert header.geometry == volume.geometry
    assert header.dtype == volume.array.dtype == np.dtype(dtype)
    assert header.format == ("NRRD" if suffix in (".nrrd", ".nhdr") else "MetaImage")
    detached = suffix in (".nhdr", ".mhd")
    assert volume.provenance.files[0] == path
    assert len(volume.provenance.files) == 1 + detached


@pytest.mark.parametrize("name", ["nrrd", "nrrd-gz", "mha"])
def test_lies_where_the_nifti_of_the_same_phantom_lies(name: str, tmp_path: Path) -> None:
    ((file, content),) = sample(name).items()
    (tmp_path / file).write_bytes(content)
    volume = load_volume(tmp_path / file)
    assert np.array_equal(volume.array, phantom().array)
    assert volume.affine == pytest.approx(phantom().affine, abs=1e-4)


@pytest.mark.data
def test_a_real_segmentation(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "liver.nrrd"
    path.write_bytes((data_dir / "dicom_seg" / "dcmqi" / "liver_seg.nrrd").read_bytes())
    volume = load_volume(path)
    same(volume, path)
    assert volume.shape == (512, 512, 3)
    assert volume.geometry.axcodes == "LPS"


@pytest.fixture
def edited(tmp_path: Path) -> Write:
    """Write a sample with pieces of its header replaced."""

    def write(name: str, *replaced: tuple[str, str]) -> Path:
        ((file, content),) = sample(name).items()
        for old, new in replaced:
            assert old.encode() in content
            content = content.replace(old.encode(), new.encode())
        (tmp_path / file).write_bytes(content)
        return tmp_path / file

    return write


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("right-anterior-superior", (1, 1)),
        ("RAS", (1, 1)),
        ("LAS", (-1, 1)),
        ("left-posterior-superior", (-1, -1)),
    ],
)
def test_the_space_says_which_side_the_numbers_mean(
    edited: Write, space: str, signs: tuple[int, int]
) -> None:
    # The header's numbers: directions (0.8,0,0) (0,0.8,0) (0,0,2), origin (-15.6,-14,-3).
    affine = load_volume(edited("nrrd", ("left-posterior-superior", space))).affine
    x, y = signs
    expected = [[0.8 * x, 0, 0, -15.6 * x], [0, 0.8 * y, 0, -14.0 * y], [0, 0, 2, -3], [0, 0, 0, 1]]
    assert affine == pytest.approx(np.array(expected), abs=1e-9)


class TestWithoutAPlace:
    @pytest.mark.parametrize("space", ["scanner-xyz", "3D-right-handed", "left-posterior-superior-time"])
    def test_a_space_that_is_no_patients(self, edited: Write, space: str) -> None:
        with pytest.raises(GeometryError, match=r"no space and space directions: .* which side is left"):
            inspect(edited("nrrd", ("left-posterior-superior", space)))

    def test_no_space_at_all(self, edited: Write) -> None:
        with pytest.raises(GeometryError, match="no space and space directions"):
            inspect(edited("nrrd", ("space: left-posterior-superior\n", "")))

    def test_no_origin(self, edited: Write) -> None:
        with pytest.raises(GeometryError, match="no space origin"):
            inspect(edited("nrrd", ("\nspace origin: (-15.6,-14,-3)", "")))

    @pytest.mark.parametrize("field", ["TransformMatrix = 1 0 0 0 1 0 0 0 1\n", "Offset = -15.6 -14 -3\n"])
    def test_meta_image(self, edited: Write, field: str) -> None:
        with pytest.raises(GeometryError, match=f"no {field.split()[0]}: .* which side is left"):
            inspect(edited("mha", (field, "")))

    def test_other_units(self, edited: Write) -> None:
        with pytest.raises(GeometryError, match='coordinates in "m" "m" "m"; save it in mm'):
            inspect(edited("nrrd", ("endian: little", 'endian: little\nspace units: "m" "m" "m"')))
        with pytest.raises(GeometryError, match="coordinates in um; save it in mm"):
            inspect(edited("mha", ("NDims = 3", "NDims = 3\nDistanceUnits = um")))

    def test_a_flat_grid(self, edited: Write) -> None:
        with pytest.raises((GeometryError, SeriesError), match=r"scan\.nrrd"):
            inspect(edited("nrrd", ("(0,0.8,0)", "(0.8,0,0)")))


class TestSeveralVolumes:
    def test_a_list_of_nrrd(self, tmp_path: Path) -> None:
        voxels = np.arange(2 * 3 * 4 * 5, dtype=np.int16).reshape(5, 4, 3, 2)  # (k, j, i, which)
        made = sitk.GetImageFromArray(voxels, isVector=True)
        sitk.WriteImage(made, str(tmp_path / "a.nrrd"))
        path = tmp_path / "a.nrrd"
        content = path.read_bytes()
        assert b"kinds: vector" in content
        path.write_bytes(content.replace(b"kinds: vector", b"kinds: list"))
        with pytest.raises(SeriesError, match=r"2 volumes of 3×4×5; choose one with volume_index=0…1"):
            load_volume(path)
        assert inspect(path, volume_index=1).volumes == 2
        for index in (0, 1):
            assert np.array_equal(load_volume(path, volume_index=index).array, voxels[..., index].T)
        path.write_bytes(content)
        with pytest.raises(SeriesError, match=r"2 values a voxel \(vector\), not a scan"):
            inspect(path)

    def test_four_axes_of_meta_image(self, tmp_path: Path) -> None:
        voxels = np.arange(2 * 3 * 4 * 5, dtype=np.int16).reshape(2, 5, 4, 3)  # (t, k, j, i)
        sitk.WriteImage(sitk.GetImageFromArray(voxels, isVector=False), str(tmp_path / "a.mha"), True)
        with pytest.raises(SeriesError, match="choose one with volume_index=0…1"):
            inspect(tmp_path / "a.mha")
        for index in (0, 1):
            volume = load_volume(tmp_path / "a.mha", volume_index=index)
            assert np.array_equal(volume.array, voxels[index].T)

    def test_colour_and_two_axes(self, tmp_path: Path) -> None:
        sitk.WriteImage(
            sitk.GetImageFromArray(np.zeros((4, 5, 6, 3), "u1"), isVector=True), str(tmp_path / "a.mha")
        )
        with pytest.raises(SeriesError, match=r"3 values a voxel .*not a scan"):
            inspect(tmp_path / "a.mha")
        sitk.WriteImage(sitk.GetImageFromArray(np.zeros((4, 5), "u1")), str(tmp_path / "b.mha"))
        with pytest.raises(SeriesError, match=r"2 axes \(5, 4\)"):
            inspect(tmp_path / "b.mha")


class TestDamage:
    """SimpleITK itself gives wrong voxels for damaged compressed data, and no error."""

    @pytest.mark.parametrize("name", ["a.nrrd", "a.mha"])
    def test_of_compressed_voxels_is_found(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        sitk.WriteImage(image(shape=(20, 20, 20)), str(path), True)
        whole = path.read_bytes()
        for place in (len(whole) - 2, len(whole) - 700, len(whole) - 3000):
            damaged = bytearray(whole)
            damaged[place] ^= 0x40
            path.write_bytes(damaged)
            for read in (inspect, load_volume):
                with pytest.raises(SeriesError, match=r"its voxels are damaged|cut short"):
                    read(path)

    @pytest.mark.parametrize("compressed", [False, True])
    @pytest.mark.parametrize("name", ["a.nrrd", "a.mha"])
    def test_cut_short(self, tmp_path: Path, name: str, compressed: bool) -> None:
        path = tmp_path / name
        sitk.WriteImage(image(shape=(20, 20, 20)), str(path), compressed)
        whole = path.read_bytes()
        for length in (0, 10, 200, len(whole) // 2, len(whole) - 9):
            path.write_bytes(whole[:length])
            for read in (inspect, load_volume):
                with pytest.raises(SeriesError, match=r"cut short|damaged|not a"):
                    read(path)

    def test_what_it_claims_is_compared_with_the_file_before_room_is_made(self, edited: Write) -> None:
        for name in ("nrrd", "nrrd-gz", "mha"):
            with pytest.raises(SeriesError, match=r"cut short|cannot be read"):
                load_volume(edited(name, ("40 36 4", "9999 9999 9999")))

    def test_a_bomb(self, tmp_path: Path) -> None:
        zeros = zlib.compress(bytes(1 << 20), 9)
        header = sample("mha")["scan.mha"].partition(b"ElementDataFile")[0]
        header = header.replace(b"CompressedData = False", b"CompressedData = True")
        header = header.replace(b"40 36 4", b"2048 2048 256")
        (tmp_path / "a.mha").write_bytes(header + b"ElementDataFile = LOCAL\n" + zeros * 3000)
        with pytest.raises(SeriesError, match="as decompression bombs do"):
            inspect(tmp_path / "a.mha")

    def test_fields_that_would_end_the_process(self, edited: Write) -> None:
        # Teem (below SimpleITK 2.5) copies the type into a buffer without looking at its length.
        with pytest.raises(
            SeriesError, match="a damaged header, or one of another kind: 'type' of 'shortshort"
        ):
            inspect(edited("nrrd", ("type: short", "type: " + "short" * 300)))


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "old", "new", "match"),
        [
            ("nrrd", "encoding: raw", "encoding: ascii", "voxels in ascii encoding"),
            (
                "nrrd",
                "encoding: raw",
                "encoding: raw\nbyte skip: 4",
                r"bytes to be passed over \(byte skip\)",
            ),
            ("nrrd", "encoding: raw", "encoding: raw\nold min: 0", "'old min', which is not read"),
            ("nrrd", "encoding: raw", "encoding: raw\nencoding: gzip", "a damaged header"),
            ("nrrd", "sizes: 40 36 4", "sizes: 40 36", "'sizes' of '40 36' for 3 axes"),
            ("nrrd", "NRRD0004", "NRRD9999", "not a NRRD file"),
            ("mha", "BinaryData = True", "BinaryData = False", "voxels as text"),
            ("mha", "NDims = 3", "NDims = 3\nHeaderSize = 12", "behind a header of their own"),
            ("mha", "NDims = 3", "NDims = 3\nElementToIntensityFunctionSlope = 2", "scaled by 2 and 0"),
            ("mha", "NDims = 3", "NDims = 3\nName = " + "x" * 5000, "'Name', too long"),
            ("mha", "ElementDataFile = LOCAL", "", "not a MetaImage file"),
            ("mha", "LOCAL", "../a.raw", r"to be in '\.\./a\.raw', no file beside it"),
            ("mha", "LOCAL", "LIST", "to be in 'LIST', no file beside it"),
            ("mha", "MET_SHORT", "MET_NONSENSE", "cannot be read"),
        ],
    )
    def test_what_would_be_guessed(self, edited: Write, name: str, old: str, new: str, match: str) -> None:
        with pytest.raises(SeriesError, match=match):
            inspect(edited(name, (old, new)))

    def test_voxels_of_another_folder(self, tmp_path: Path) -> None:
        (tmp_path / "secret.raw").write_bytes(bytes(5 * 6 * 7 * 2))
        folder = tmp_path / "given"
        folder.mkdir()
        sitk.WriteImage(image(), str(folder / "a.mhd"))
        text = (folder / "a.mhd").read_text(encoding="utf-8")
        for named in ("../secret.raw", str(tmp_path / "secret.raw"), "gone.raw"):
            (folder / "a.mhd").write_text(text.replace("a.raw", named), encoding="utf-8")
            with pytest.raises(SeriesError, match="no file beside it"):
                load_volume(folder / "a.mhd")

    @pytest.mark.parametrize("name", ["nrrd", "mha"])
    def test_without_simpleitk_the_extra_is_named(
        self, edited: Write, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "SimpleITK", None)
        with pytest.raises(SeriesError, match=r"pip install 'medvision\[simpleitk\]'"):
            load_volume(edited(name))

    def test_voxels_that_go_while_they_are_read(self, edited: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        path = edited("nrrd")
        monkeypatch.setattr(
            "SimpleITK.ImageFileReader.Execute", lambda self: (_ for _ in ()).throw(MemoryError())
        )
        with pytest.raises(SeriesError, match=r"cannot be read \(MemoryError\)"):
            load_volume(path)
