from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from medvision.imaging import Geometry, Volume, content_hash, load_volume, reorient, save_nifti

Series = Callable[..., list[Path]]


def test_dicom_and_its_nifti_are_one_scan(series: Series, tmp_path: Path) -> None:
    oblique = (0.0, 0.8, -0.6, 1.0, 0.0, 0.0)
    scan = load_volume(series(orientation=oblique, RescaleIntercept=-24, PatientID="P1"))
    turned = reorient(scan, "SPL")
    as_float = save_nifti(tmp_path / "a.nii.gz", turned.array.astype("f4"), turned.geometry)
    assert content_hash(load_volume(as_float)) == content_hash(scan)
    again = load_volume(
        series(folder=tmp_path / "b", orientation=oblique, RescaleIntercept=-24, PatientID="P9")
    )
    assert content_hash(again) == content_hash(scan)


def test_another_scan_is_another() -> None:
    array, grid = np.arange(24.0).reshape(2, 3, 4), Geometry((2, 3, 4), np.diag([1.0, 1, 2, 1]))
    base = Volume(array, grid)
    moved, changed = np.array(grid.affine), array.copy()
    moved[2, 3] += 1
    changed[1, 2, 3] += 1
    others = [
        Volume(changed, grid),
        Volume(array, Geometry((2, 3, 4), moved)),
        Volume(array, Geometry((2, 3, 4), np.diag([1.0, 1, 2.1, 1]))),
        Volume(array[::-1], grid),
        Volume(array.reshape(2, 4, 3), Geometry((2, 4, 3), grid.affine)),
    ]
    hashes = {content_hash(v) for v in (base, *others)}
    assert len(hashes) == 6
    assert all(len(h) == 64 for h in hashes)


def test_rounding_of_positions_does_not_matter() -> None:
    array = np.zeros((5, 5, 5))
    for origin in (-17.6875, -97.5, 0.05, 128.25):
        affine = np.diag([0.7, 0.7, 2.5, 1.0])
        affine[:3, 3] = origin
        nudged = affine + 1e-6
        nudged[3] = affine[3]
        one, other = (Volume(array, Geometry((5, 5, 5), a)) for a in (affine, nudged))
        assert content_hash(one) == content_hash(other)


def test_negative_zero_is_zero() -> None:
    grid = Geometry((2, 2, 2), np.eye(4))
    assert content_hash(Volume(np.full((2, 2, 2), -0.0), grid)) == content_hash(
        Volume(np.zeros((2, 2, 2)), grid)
    )
