from __future__ import annotations

import numpy as np
import pydicom
import pytest

from medvision.errors import MedvisionError
from medvision.testing import Storage, apply_fault, write_dicom_series


def read(folder):
    slices = [pydicom.dcmread(path) for path in folder.iterdir()]
    return sorted(slices, key=lambda ds: float(ds.ImagePositionPatient[2]))


@pytest.mark.parametrize("storage", [Storage(), Storage(12, False, transfer_syntax="rle")])
def test_burned_in_label_writes_into_every_slice(tmp_path, small_ct, storage):
    write_dicom_series(small_ct, tmp_path, storage=storage)
    before = np.stack([ds.pixel_array for ds in read(tmp_path)])
    apply_fault(tmp_path, "burned_in_label", text="HI")
    after = np.stack([ds.pixel_array for ds in read(tmp_path)])
    changed = (before != after).any(axis=0)
    assert (after[:, changed] == before.max()).all()
    # H (5 7 5 5 5... as rows of dots) and I, three columns each with one between them, four pixels a dot.
    letters = ["101.111", "101..1.", "111..1.", "101..1.", "101.111"]
    wanted = np.kron([[c == "1" for c in row] for row in letters], np.ones((4, 4))).astype(bool)
    np.testing.assert_array_equal(changed[2:22, 2:30], wanted)
    assert changed.sum() == wanted.sum()


def test_burned_in_text_has_letters_only(series):
    with pytest.raises(MedvisionError, match="must be letters A to Z"):
        apply_fault(series[0], "burned_in_label", text="Ä1")
