"""Scans in zip archives, and archives that are no scan."""

from __future__ import annotations

import io
import os
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from medvision.errors import SeriesError
from medvision.imaging import archive, inspect, load, load_volume
from medvision.testing.samples import phantom, sample, zipped


def written(path: Path, files: dict[str, bytes]) -> Path:
    path.write_bytes(zipped(files))
    return path


@pytest.fixture
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go; empty after the test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["dicom-explicit", "dicom-jpeg-ls", "nifti1-gz", "nrrd", "mha"])
@pytest.mark.parametrize("below", ["", "study/series 1/"])
def test_equals_the_same_files_unpacked(name: str, below: str, tmp_path: Path, nothing_left: Path) -> None:
    path = written(tmp_path / "a.ZIP", {below + file: content for file, content in sample(name).items()})
    for source in (path, str(path)):
        volume, header = load_volume(source), inspect(source)
        assert np.array_equal(volume.array, phantom().array)
        assert volume.affine == pytest.approx(phantom().affine, abs=1e-4)
        assert header.geometry == volume.geometry
        assert volume.provenance.files == header.provenance.files == (path,)


def test_options_reach_the_reader(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", sample("nifti-4d-gz"))
    assert np.array_equal(load_volume(path, volume_index=2).array, phantom().array)
    with pytest.raises(SeriesError, match=r"a\.zip/scan\.nii\.gz: 4D, 3 volumes"):
        inspect(path)


@pytest.mark.parametrize("read", [load_volume, inspect])
def test_every_option_of_a_reader_reaches_it(
    read: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = {}
    monkeypatch.setattr(load, "read_archive", lambda source, read, **options: given.update(options))
    read(tmp_path / "a.zip", on_gap="fill", volume_index=1)
    assert given == {"on_gap": "fill", "volume_index": 1}


class TestErrorsNameTheMember:
    def test_of_a_damaged_slice(self, tmp_path: Path, nothing_left: Path) -> None:
        files = dict(sample("dicom-explicit"))
        files["series/IM0002.dcm"] = files.pop("IM0002.dcm")[:-100]
        path = written(tmp_path / "a.zip", files)
        with pytest.raises(SeriesError, match=r"a\.zip.*IM0002\.dcm: .*cut short") as caught:
            load_volume(path)
        assert str(nothing_left) not in str(caught.value)

    def test_of_several(self, tmp_path: Path, nothing_left: Path) -> None:
        files = {"one.dcm": b"x" * 200, "two.dcm": b"y" * 200}
        with pytest.raises(SeriesError) as caught:
            inspect(written(tmp_path / "a.zip", files))
        assert str(tmp_path / "a.zip" / "one.dcm") in str(caught.value)
        assert str(nothing_left) not in str(caught.value)


class TestRefusals:
    @pytest.mark.parametrize(
        "name", ["../out.dcm", "/out.dcm", "a/../../out.dcm", "..\\out.dcm", "C:\\out.dcm", "C:/out.dcm"]
    )
    def test_members_that_lie_outside(self, name: str, tmp_path: Path, nothing_left: Path) -> None:
        path = tmp_path / "a.zip"
        path.write_bytes(zipped({name: b"x", **sample("dicom-explicit")}))
        with pytest.raises(SeriesError, match=r"not unpacked\n.*lies outside the archive"):
            load_volume(path)
        assert {p.name for p in tmp_path.iterdir()} == {"a.zip", "temporary"}

    def test_links(self, tmp_path: Path) -> None:
        member = zipfile.ZipInfo("IM1.dcm")
        member.external_attr = 0o120777 << 16
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
            packed.writestr(member, "/etc/passwd")
        with pytest.raises(SeriesError, match=r"'IM1\.dcm' is a link"):
            inspect(tmp_path / "a.zip")

    def test_encrypted(self, tmp_path: Path) -> None:
        content = bytearray(zipped({"IM1.dcm": b"x"}))
        content[content.find(b"PK\x01\x02") + 8] |= 1
        (tmp_path / "a.zip").write_bytes(content)
        with pytest.raises(SeriesError, match=r"'IM1\.dcm' is encrypted; unpack it with its password"):
            inspect(tmp_path / "a.zip")

    def test_archives_in_archives(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.zip", {"b.zip": zipped(sample("nifti1"))})
        with pytest.raises(SeriesError, match=r"'b\.zip' is an archive itself; unpack the outer one"):
            load_volume(path)

    def test_nothing_or_too_much_in_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(SeriesError, match="0 files in it"):
            inspect(written(tmp_path / "a.zip", {}))
        monkeypatch.setattr(archive, "MOST_MEMBERS", 3)
        with pytest.raises(SeriesError, match="4 files in it; pack the files of one scan"):
            inspect(written(tmp_path / "a.zip", sample("dicom-explicit")))
        monkeypatch.setattr(archive, "MOST_BYTES", 1000)
        with pytest.raises(SeriesError, match="GiB when unpacked; unpack it yourself"):
            inspect(written(tmp_path / "a.zip", sample("nifti1")))

    def test_bombs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing_left: Path) -> None:
        path = written(tmp_path / "a.zip", {"IM1.dcm": bytes(1 << 20)})
        monkeypatch.setattr("medvision.imaging.gzipped.BOMB_BYTES", 1)
        monkeypatch.setattr(archive.refuse_bomb, "__defaults__", (1000,))
        with pytest.raises(
            SeriesError, match=r"'IM1\.dcm': unpacks to .* times its size, as decompression bombs"
        ):
            load_volume(path)

    def test_members_larger_than_stated(self, tmp_path: Path, nothing_left: Path) -> None:
        content = bytearray(zipped({"IM1.dcm": bytes(range(256)) * 100}))
        place = content.find(b"PK\x01\x02")
        content[place + 24 : place + 28] = (100).to_bytes(4, "little")
        (tmp_path / "a.zip").write_bytes(content)
        with pytest.raises(SeriesError, match="a damaged zip archive"):
            load_volume(tmp_path / "a.zip")

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + bytes(300), b"not a zip at all"])
    def test_no_zip_at_all(self, content: bytes, tmp_path: Path) -> None:
        (tmp_path / "a.zip").write_bytes(content)
        with pytest.raises(SeriesError, match=r"a\.zip: a damaged zip archive"):
            load_volume(tmp_path / "a.zip")

    def test_what_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(SeriesError, match=r"a\.zip: no such file"):
            load_volume(tmp_path / "a.zip")
        os.mkfifo(tmp_path / "a.zip")
        with pytest.raises(SeriesError, match=r"a\.zip: no such file"):
            load_volume(tmp_path / "a.zip")

    def test_names_that_no_file_can_have(self, tmp_path: Path) -> None:
        with pytest.raises(SeriesError, match="cannot be unpacked"):
            inspect(written(tmp_path / "a.zip", {"x" * 300 + ".dcm": b"x"}))

    def test_the_same_name_twice(self, tmp_path: Path) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as packed, warnings.catch_warnings(action="ignore"):
            packed.writestr("IM1.dcm", b"one")
            packed.writestr("IM1.dcm", b"other")
        (tmp_path / "a.zip").write_bytes(out.getvalue())
        with pytest.raises(SeriesError, match="cannot be unpacked"):
            inspect(tmp_path / "a.zip")


def test_a_folder_whose_name_ends_so_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "export.zip"
    folder.mkdir()
    for name, content in sample("dicom-explicit").items():
        (folder / name).write_bytes(content)
    assert np.array_equal(load_volume(folder).array, phantom().array)


def test_archives_beside_slices_are_passed_over_and_alone_are_named(tmp_path: Path) -> None:
    written(tmp_path / "a.zip", sample("nifti1"))
    with pytest.raises(
        SeriesError, match=r"no DICOM in it but zip archives, such as a\.zip; give the file itself"
    ):
        load_volume(tmp_path)
    for name, content in sample("dicom-explicit").items():
        (tmp_path / name).write_bytes(content)
    assert np.array_equal(load_volume(tmp_path).array, phantom().array)
