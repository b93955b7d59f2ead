"""Real DICOM series against the NIfTI that other converters made of them.

Every pair of a series and a reference under ``dicom/`` is found, not listed: dicom2nifti keeps
``<folder>_ground_truth*.nii.gz`` beside a folder; the QA sets of dcm2niix keep ``Ref/*.nii`` whose JSON
names SeriesNumber and ProtocolName. Each pair is either equal or refused for a reason stated here.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from pydicom import dcmread

from medvision.errors import SeriesError
from medvision.imaging import Geometry, Volume, content_hash, inspect, load_volume
from medvision.imaging.dataset import looks_like_dicom
from medvision.imaging.decoding import stored_frames

pytestmark = pytest.mark.data

TOLERANCE_MM = 1e-3

REFUSED = {
    r"dicom2nifti/generic/rgb/001": "colour image",
}
"""What is refused on purpose: no scan (a colour overlay)."""

SEVERAL_VOLUMES = {r"dcm_qa_nih/In/20180918GE/mr_000\d": 10, r"dcm_qa_nih/In/20180918Si/mr_000\d": 2}
"""Series of several volumes: refused without volume_index, equal with it."""


def dicom2nifti_pairs(root: Path) -> Iterator[tuple[str, list[Path], Path]]:
    for reference in sorted(root.rglob("*_ground_truth*.nii.gz")):
        folder = reference.with_name(reference.name.split("_ground_truth")[0])
        yield folder.relative_to(root).as_posix(), sorted(folder.iterdir()), reference


def dcm2niix_pairs(root: Path) -> Iterator[tuple[str, list[Path], Path]]:
    for repository in sorted(path.parent for path in root.rglob("Ref")):
        series = defaultdict(list)
        for file in sorted((repository / "In").rglob("*")):
            if file.is_file() and looks_like_dicom(file):
                header = dcmread(file, specific_tags=["SeriesNumber", "ProtocolName"])
                series[int(header.SeriesNumber), str(header.ProtocolName)].append(file)
        for sidecar in sorted((repository / "Ref").glob("*.json")):
            named = json.loads(sidecar.read_text(encoding="utf-8"))
            files = series[named["SeriesNumber"], named["ProtocolName"]]
            name = files[0] if len(files) == 1 else files[0].parent
            yield name.relative_to(root).as_posix(), files, sidecar.with_suffix(".nii")


@pytest.fixture(scope="module")
def pairs(data_dir: Path) -> list[tuple[str, list[Path], Path]]:
    root = data_dir / "dicom"
    found = [*dicom2nifti_pairs(root), *dcm2niix_pairs(root)]
    assert len(found) >= 40
    assert all(files and reference.exists() for _, files, reference in found)
    return found


def reason(name: str, table: dict[str, object]) -> object:
    return next((value for pattern, value in table.items() if re.fullmatch(pattern, name)), None)


def differences(volume: Volume, reference: Path, index: int | None = None) -> str:
    """How a volume differs from a reference after turning both to RAS+ with NiBabel; "" if it does not."""
    image = nib.load(reference)
    if index is not None:
        image = image.slicer[..., index]
    theirs = nib.as_closest_canonical(image)
    array = np.array(volume.array)
    ours = nib.as_closest_canonical(nib.Nifti1Image(array, np.array(volume.affine), dtype=array.dtype))
    if ours.shape != theirs.shape:
        return f"shape {ours.shape} against {theirs.shape}"
    apart = Geometry(ours.shape, ours.affine).distance_mm(Geometry(theirs.shape, theirs.affine))
    found, expected = np.asarray(ours.dataobj), np.asarray(theirs.dataobj)
    if found.dtype.kind == "f":  # the reference is float64; one unit in the last place of float32 is left
        equal = np.allclose(found, expected, rtol=2.0**-23, atol=0)
    else:
        equal = np.array_equal(found, expected)
    wrong = [] if equal else [f"{np.count_nonzero(found != expected)} voxels differ"]
    wrong += [] if apart <= TOLERANCE_MM else [f"{apart:.3g} mm apart"]
    return ", ".join(wrong)


def outcome(name: str, files: list[Path], reference: Path) -> str:
    count = reason(name, SEVERAL_VOLUMES)
    try:
        if not isinstance(count, int):
            return differences(load_volume(files), reference) or "equal"
        with pytest.raises(SeriesError, match=f"{count} volumes at the same positions"):
            load_volume(files)
        found = [differences(load_volume(files, volume_index=n), reference, n) for n in (0, 1, count - 1)]
        return ", ".join(filter(None, found)) or "equal"
    except SeriesError as error:
        expected = reason(name, REFUSED)
        return "refused on purpose" if expected and re.search(str(expected), str(error)) else str(error)


def documented(repository: Path) -> dict[str, str]:
    """Result of each series by the table of docs/reading.md."""
    text = (repository / "docs" / "reading.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| dic")]
    rows += [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| dcm_")]
    return {row[0]: row[-1] for row in rows}


def test_every_series_is_equal_to_its_reference_or_refused_on_purpose(
    pairs: list[tuple[str, list[Path], Path]], repository: Path
) -> None:
    table = {(name, reference.name): outcome(name, files, reference) for name, files, reference in pairs}
    wrong = {key: value for key, value in table.items() if value not in ("equal", "refused on purpose")}
    assert wrong == {}
    refused = {name for (name, _), value in table.items() if value == "refused on purpose"}
    assert refused == {name for name, _ in table if reason(name, REFUSED)}
    assert len(set(table) - {key for key in table if key[0] in refused}) >= 40
    told = {name: "refused" if name in refused else "equal" for name, _ in table}
    assert {name: result.split(":")[0] for name, result in documented(repository).items()} == told


def test_what_is_equal_is_equal_through_inspect(pairs: list[tuple[str, list[Path], Path]]) -> None:
    for name, files, reference in pairs:
        if reason(name, REFUSED) or reason(name, SEVERAL_VOLUMES):
            continue
        header, volume = inspect(files), load_volume(files)
        assert header.geometry == volume.geometry, name
        assert header.dtype == volume.array.dtype, name
        if header.dtype.kind != "f":  # float32 of a float64 reference may round the other way
            assert content_hash(load_volume(reference)) == content_hash(volume), name


def series_folders(root: Path) -> list[Path]:
    """Folders of ordinary series without a reference or with one: MR studies, crops, a CT."""
    return [
        *sorted((root / "dicom").glob("mr_study_*/*")),
        *sorted(p for p in (root / "dicom" / "dicom2nifti" / "anatomical").iterdir() if p.is_dir()),
        root / "dicom" / "dicom2nifti" / "generic" / "anatomical" / "002_non_isotropic",
        root / "dicom_seg" / "dcmqi" / "ct-3slice",
    ]


def test_every_slice_lies_where_its_own_header_says(data_dir: Path) -> None:
    """Without any ordering: each file's own position names the plane in which its pixels must be."""
    folders = [folder for folder in series_folders(data_dir) if folder.is_dir()]
    assert len(folders) == 10
    for folder in folders:
        volume = load_volume(folder)
        planes = set()
        for file in (f for f in sorted(folder.iterdir()) if looks_like_dicom(f)):
            ds = dcmread(file)
            x, y, z = (float(v) for v in ds.ImagePositionPatient)
            i, j, k = volume.geometry.mm_to_index([-x, -y, z])
            assert [i, j, k] == pytest.approx([0, 0, round(k)], abs=1e-3), file
            row, column = np.array(ds.ImageOrientationPatient, float).reshape(2, 3)
            last_row, last_column = ds.Rows - 1, ds.Columns - 1
            corner = np.array([x, y, z]) + row * ds.PixelSpacing[1] * last_column
            corner += column * ds.PixelSpacing[0] * last_row
            at_corner = volume.geometry.mm_to_index(corner * [-1, -1, 1])
            assert at_corner == pytest.approx([last_column, last_row, round(k)], abs=1e-3), file
            expected = ds.pixel_array * float(ds.get("RescaleSlope", 1)) + float(
                ds.get("RescaleIntercept", 0)
            )
            assert np.allclose(volume.array[:, :, round(k)].T, expected, rtol=1e-6, atol=0), file
            planes.add(round(k))
        assert planes == set(range(volume.shape[2]))


def test_hippocampus_crops_are_small_heads_of_one_millimetre(data_dir: Path) -> None:
    for folder in sorted((data_dir / "dicom").glob("mr_study_*/*HCropVolume")):
        volume = load_volume(folder)
        assert volume.spacing_mm == pytest.approx((1, 1, 1))
        assert all(25 <= n <= 60 for n in volume.shape)
        assert volume.modality == "MR"


def test_registered_series_of_one_study_share_their_grid(data_dir: Path) -> None:
    study = data_dir / "dicom" / "mr_study_PGBM-003"
    first, *others = (inspect(folder).geometry for folder in sorted(study.glob("*-*-*")))
    assert len(others) == 3
    assert all(first.is_close(other, 0.01) for other in others)
    assert first.axcodes == "LPS"


def test_one_image_in_nine_transfer_syntaxes_has_the_same_pixels(data_dir: Path) -> None:
    files = sorted((data_dir / "dicom" / "dcm_qa_ts" / "In").glob("*.dcm"))
    syntaxes = {str(dcmread(file, specific_tags=["Rows"]).file_meta.TransferSyntaxUID) for file in files}
    assert len(syntaxes) >= 7
    first, *others = (next(stored_frames(file)) for file in files)
    assert len(others) == 8
    assert all(np.array_equal(first, other) for other in others)


def test_twelve_stored_bits_are_those_of_the_reference(data_dir: Path) -> None:
    """The pixels alone: mosaics cut here into tiles, row by row."""
    folder = data_dir / "dicom" / "dcm_qa_12bit"
    for file in sorted((folder / "In").glob("*.dcm")):
        number = dcmread(file, specific_tags=["SeriesNumber"]).SeriesNumber
        reference = np.asarray(nib.load(folder / "Ref" / f"{number}.nii").dataobj)
        columns, rows, count = reference.shape
        mosaic = next(stored_frames(file))
        tiles = mosaic.reshape(-1, rows, mosaic.shape[1] // columns, columns).swapaxes(1, 2)
        tiles = tiles.reshape(-1, rows, columns)[:count]
        # dcm2niix stores rows from posterior to anterior.
        assert np.array_equal(tiles[:, ::-1].transpose(2, 1, 0), reference), file
