from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medvision.errors import SeriesError
from medvision.imaging import inspect, load_volume

Series = Callable[..., list[Path]]


class TestSeveralVolumes:
    """Volumes at the same positions: named, chosen with volume_index, never mixed."""

    @staticmethod
    def interleaved(series: Series, folder: Path, **of_volume: list[Any]) -> np.ndarray:
        stored = np.arange(3 * 4 * 2 * 3, dtype=np.uint16).reshape(3, 4, 2, 3)
        for volume, planes in enumerate(stored):
            elements = {name: values[volume] for name, values in of_volume.items()}
            files = series(planes, folder=folder / str(volume), series_uid="1.2.3", **elements)
            assert len(files) == 4
        return stored

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("EchoTime", [10.0, 30.0, 20.0]),
            ("TemporalPositionIdentifier", [1, 3, 2]),
            ("AcquisitionNumber", [1, 12, 2]),
            ("ImageType", [["ORIGINAL", "M"], ["ORIGINAL", "P"], ["ORIGINAL", "O"]]),
        ],
    )
    def test_told_apart_by_a_field(
        self, series: Series, tmp_path: Path, name: str, values: list[Any]
    ) -> None:
        frame = {"FrameOfReferenceUID": ["1.9"] * 3}
        stored = self.interleaved(series, tmp_path / "s", **{name: values}, **frame)
        with pytest.raises(SeriesError, match=rf"3 volumes .* told apart by {name} .*volume_index=0…2"):
            inspect(tmp_path / "s")
        by_value = sorted(range(3), key=lambda v: values[v])
        for index, volume in enumerate(by_value):
            found = load_volume(tmp_path / "s", volume_index=index)
            assert np.array_equal(found.array, stored[volume].transpose(2, 1, 0))
        assert inspect(tmp_path / "s", volume_index=0).volumes == 3
        with pytest.raises(SeriesError, match="no volume_index=3"):
            inspect(tmp_path / "s", volume_index=3)

    def test_told_apart_by_instance_number_where_the_count_is_stated(
        self, series: Series, tmp_path: Path
    ) -> None:
        def edit(ds: Any, k: int) -> None:
            ds.InstanceNumber += 4 * int(Path(ds.filename).parent.name)

        common = {"FrameOfReferenceUID": ["1.9"] * 3, "edit": [edit] * 3}
        folder = tmp_path / "s"
        stored = self.interleaved(series, folder, NumberOfTemporalPositions=[3] * 3, **common)
        with pytest.raises(SeriesError, match=r"3 volumes .* InstanceNumber within each position"):
            inspect(folder)
        second = load_volume(folder, volume_index=1)
        assert np.array_equal(second.array, stored[1].transpose(2, 1, 0))

    def test_not_told_apart(self, series: Series, tmp_path: Path) -> None:
        self.interleaved(series, tmp_path / "s", FrameOfReferenceUID=["1.9"] * 3)
        with pytest.raises(SeriesError, match="no header field tells whole volumes apart"):
            inspect(tmp_path / "s")

    def test_a_field_that_differs_from_slice_to_slice_tells_nothing(
        self, series: Series, tmp_path: Path
    ) -> None:
        def edit(ds: Any, k: int) -> None:
            ds.ContentTime = f"1200{k:02d}.{int(Path(ds.filename).parent.name)}"

        common = {"FrameOfReferenceUID": ["1.9"] * 3, "edit": [edit] * 3}
        self.interleaved(series, tmp_path / "s", **common)
        with pytest.raises(SeriesError, match="no header field"):
            inspect(tmp_path / "s")

    def test_index_of_a_single_volume(self, series: Series) -> None:
        files = series()
        assert load_volume(files, volume_index=0).shape == (6, 4, 5)
        with pytest.raises(SeriesError, match="one volume, no volume_index=1"):
            load_volume(files, volume_index=1)
