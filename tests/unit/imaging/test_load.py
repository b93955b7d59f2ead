from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medvision.errors import SeriesError
from medvision.imaging import inspect, load_volume, save_nifti

Series = Callable[..., list[Path]]


def test_inspect_says_what_load_volume_will_return(series: Series) -> None:
    files = series(RescaleIntercept=-1024, BitsStored=12, HighBit=11)
    header, volume = inspect(files[0].parent), load_volume(files[0].parent)
    assert header.geometry == volume.geometry
    assert header.dtype == volume.array.dtype
    assert header.provenance == volume.provenance
    assert (header.modality, header.format, header.volumes) == ("CT", "DICOM", 1)
    assert str(header) == "CT 6×4×5 · 0.60×0.80×2.50 mm · axial · DICOM, 5 files"
    assert volume.provenance.patient_id == "P1"
    assert volume.provenance.description == "thorax"


def test_provenance_holds_no_name(series: Series) -> None:
    volume = load_volume(series())
    assert "Secret" not in repr(volume) + repr(volume.provenance)


class TestFolders:
    def test_what_is_no_dicom_by_its_name_is_passed_over(self, series: Series) -> None:
        files = series()
        folder = files[0].parent
        for name in ("notes.txt", ".DS_Store", "DICOMDIR", "labels.json", "mask.nii.gz", "LICENSE"):
            (folder / name).write_bytes(b"anything")
        (folder / ".cache").mkdir()
        (folder / ".cache" / "IM1").write_bytes(b"anything")
        assert load_volume(folder).provenance.files == tuple(files)

    def test_what_might_be_a_damaged_slice_is_not(self, series: Series) -> None:
        files = series()
        (files[0].parent / "IM9999").write_bytes(b"")
        with pytest.raises(SeriesError, match=r"(?s)1 of 6 files cannot be read.*IM9999: not a DICOM file"):
            inspect(files[0].parent)

    def test_subfolders_are_searched(self, series: Series) -> None:
        files = series()
        assert load_volume(files[0].parent.parent).shape == (6, 4, 5)

    def test_empty(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("nothing")
        with pytest.raises(SeriesError, match=r"no DICOM file in it \(1 other files\)"):
            inspect(tmp_path)

    def test_of_nifti(self, tmp_path: Path) -> None:
        save_nifti(tmp_path / "a.nii", np.zeros((2, 2, 2), "i2"), np.eye(4))
        with pytest.raises(SeriesError, match=r"NIfTI, such as a\.nii; give the file itself"):
            inspect(tmp_path)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match=r"no such file: .*scan"):
        load_volume(tmp_path / "scan")
    with pytest.raises(SeriesError, match="the list is empty"):
        load_volume([])


@pytest.mark.parametrize("source", ["", " ", None, float("nan"), 3, b"scan.nii", [""], [None], np.zeros(2)])
def test_what_is_no_path(source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the empty cells of a table are; an empty path must not become the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scan.dcm").touch()
    with pytest.raises(SeriesError, match="is no path; give that of a file or folder"):
        load_volume(source)


def test_formats_that_are_not_read(tmp_path: Path) -> None:
    for name in ("a.hdr", "a.img", "a.mgz", "a.mnc"):  # a pair's header and voxels, FreeSurfer, MINC
        (tmp_path / name).write_bytes(b"anything")
        with pytest.raises(
            SeriesError, match=f"{name}: this format is not read; convert the scan to .nii.gz"
        ):
            load_volume(tmp_path / name)


def test_several_nifti_files_are_refused(tmp_path: Path) -> None:
    files = [save_nifti(tmp_path / f"{n}.nii", np.zeros((2, 2, 2), "i2"), np.eye(4)) for n in "ab"]
    with pytest.raises(SeriesError, match="give one NIfTI file"):
        load_volume(files)
    assert load_volume(str(files[0])).provenance.files == (files[0],)


def test_headers_are_checked_without_heavy_imports(tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "a.nii.gz", np.zeros((2, 2, 2), "i2"), np.eye(4))
    heavy = ["scipy.stats", "scipy.ndimage", "matplotlib", "pandas", "torch", "monai"]
    code = (
        f"import sys; from medvision.imaging import inspect; inspect({str(path)!r}); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_folder_that_cannot_be_read_is_not_passed_over(tmp_path: Path, monkeypatch: Any) -> None:
    """It may hold the other half of the slices."""
    (tmp_path / "closed").mkdir()
    (tmp_path / "1.dcm").write_bytes(b"")
    scandir = os.scandir

    def closed(path: Any) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(SeriesError, match="closed: the folder cannot be read: Permission denied"):
        load_volume(tmp_path)
