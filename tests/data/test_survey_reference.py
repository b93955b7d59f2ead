"""The fast path of an inventory sees in real files what the reader of volumes sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medvision.errors import SeriesError
from medvision.imaging import inspect
from medvision.imaging.blocks import ElementsError
from medvision.imaging.header import SliceHeader, read_slices
from medvision.imaging.survey import survey_file
from medvision.workflows.scan import scan

pytestmark = pytest.mark.data


def fields(one: SliceHeader) -> dict[str, object]:
    found = {name: getattr(one, name) for name in SliceHeader.__dataclass_fields__}
    plain = {name: dict(found.pop(name)) for name in ("same", "keys")}
    return plain | {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in found.items()}


@pytest.mark.slow
def test_slices_equal_those_of_the_reader(data_dir: Path) -> None:
    compared = 0
    for path in sorted((data_dir / "dicom").rglob("*")):
        if not path.is_file():
            continue
        try:
            found = survey_file(path)
        except ElementsError:
            with pytest.raises(SeriesError):
                read_slices(path)
            continue
        if found.slices:
            expected = read_slices(path)
            assert [fields(one) for one in found.slices] == [fields(one) for one in expected], path
            compared += len(expected)
    assert compared > 1000


@pytest.mark.slow
def test_complete_is_what_can_be_read(data_dir: Path, tmp_path: Path) -> None:
    found = scan(data_dir / "dicom", out=tmp_path, workers=0)
    assert found.problems.empty
    originals = found.table[
        (found.table["duplicate_of"] == "") & found.table["kind"].isin(["image", "derived"])
    ]
    with found.state() as state:
        files = {uid: state.files_of(uid)[1] for uid in originals["series_uid"]}
    for row in originals.to_dict("records"):
        if not row["complete"]:
            with pytest.raises(SeriesError):
                inspect(files[row["series_uid"]])
            continue
        header = inspect(files[row["series_uid"]])
        assert header.shape == (row["columns"], row["rows"], row["slices"])
        assert header.spacing_mm[2] == pytest.approx(row["slice_spacing_mm"], abs=1e-4)
    assert originals["complete"].sum() >= 13
