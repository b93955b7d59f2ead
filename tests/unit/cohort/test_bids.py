"""Cases of a BIDS data set."""

import pytest

from medvision.cohort.bids import is_bids, read_bids
from medvision.errors import CohortError


def made(folder, *names):
    for name in names:
        path = folder / f"{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_masks_of_derivatives_and_participants(tmp_path):
    made(
        tmp_path,
        "sub-01/anat/sub-01_run-1_T1w", "sub-01/anat/sub-01_run-2_T1w", "sub-02/anat/sub-02_T1w",
        "sub-03/anat/sub-03_T1w", "derivatives/seg/sub-01/anat/sub-01_run-2_desc-lesion_mask",
        "derivatives/seg/sub-02/anat/sub-02_dseg", "derivatives/seg/sub-03/anat/sub-03_label-a_mask",
        "derivatives/seg/sub-03/anat/sub-03_label-b_mask", "derivatives/fs/sub-02/anat/sub-02_desc-brain_T1w",
        "code/other",
    )  # fmt: skip
    (tmp_path / "dataset_description.json").write_text("{}")
    (tmp_path / "participants.tsv").write_text("participant_id\tsex\nsub-01\tF\nsub-02\tn/a\n")
    assert is_bids(tmp_path)
    found = read_bids(tmp_path)
    assert found.columns["patient_id"] == ["sub-01", "sub-01", "sub-02", "sub-03"]
    assert found.columns["case_id"] == ["sub-01_run-1", "sub-01_run-2", "sub-02", "sub-03"]
    assert [mask is not None for mask in found.columns["mask"]] == [False, True, True, False]
    assert found.columns["sex"] == ["F", "F", None, None]
    notes = " ".join(found.assumed)
    for part in (
        "anat/…_T1w",
        "several masks, so none was taken: sub-03",
        "does not name sub-03",
        "no mask: sub-01",
    ):
        assert part in notes


def test_kinds_and_tables_that_cannot_be_used(tmp_path):
    with pytest.raises(CohortError, match="no image of a subject"):
        read_bids(tmp_path)
    made(tmp_path, "sub-01/anat/sub-01_T1w", "sub-01/anat/sub-01_acq-hi_T1w")
    (tmp_path / "participants.tsv").write_text("id\nsub-01\n")
    with pytest.raises(CohortError, match="2 kinds"):
        read_bids(tmp_path)
    found = read_bids(tmp_path, images="*acq-hi*")
    assert found.columns["case_id"] == ["sub-01"]
    assert "no column participant_id" in " ".join(found.assumed)
