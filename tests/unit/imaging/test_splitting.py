from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medvision.errors import SeriesError
from medvision.imaging import inspect, load_volume, load_volumes

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

    def test_three_fields_together(self, series: Series, tmp_path: Path) -> None:
        folder = tmp_path / "s"
        told = [(e, m, t) for e in (2.0, 4.0) for m in "MP" for t in (1, 2)]
        stored = np.arange(8 * 24, dtype=np.uint16).reshape(8, 2, 3, 4)
        for number, (echo, kind, time) in enumerate(told):
            series(
                stored[number],
                folder=folder / str(number),
                series_uid="1.2.3",
                FrameOfReferenceUID="1.9",
                EchoTime=echo,
                ImageType=["ORIGINAL", "PRIMARY", kind],
                TemporalPositionIdentifier=time,
            )
        with pytest.raises(
            SeriesError, match=r"8 volumes .* TemporalPositionIdentifier and EchoTime and ImageT"
        ):
            inspect(folder)
        every = load_volumes(folder, split_by="EchoTime and ImageType and TemporalPositionIdentifier")
        assert [
            np.array_equal(v.array, a.transpose(2, 1, 0)) for v, a in zip(every, stored, strict=True)
        ] == ([True] * 8)
        with pytest.raises(SeriesError, match="split_by='EchoTime and ImageType' leaves this open"):
            inspect(folder, split_by="EchoTime and ImageType")

    @pytest.mark.parametrize("slice_by_slice", [True, False])
    def test_by_instance_number_where_that_is_asked_for(
        self, series: Series, tmp_path: Path, slice_by_slice: bool
    ) -> None:
        """Two volumes without diffusion weighting, which no other field tells apart."""

        def edit(ds: Any, k: int) -> None:
            volume = int(Path(ds.filename).parent.name)
            ds.InstanceNumber = 3 * k + volume if slice_by_slice else 4 * volume + k

        common = {"FrameOfReferenceUID": ["1.9"] * 3, "edit": [edit] * 3}
        stored = self.interleaved(series, tmp_path / "s", **common)
        with pytest.raises(SeriesError, match=r"split_by= \('InstanceNumber' where"):
            inspect(tmp_path / "s")
        every = load_volumes(tmp_path / "s", split_by="InstanceNumber")
        for volume, expected in zip(every, stored, strict=True):
            assert np.array_equal(volume.array, expected.transpose(2, 1, 0))
        next((tmp_path / "s" / "1").iterdir()).unlink()
        with pytest.raises(SeriesError, match=r"as many images at every position, .* there are 2 .* to 3"):
            inspect(tmp_path / "s", split_by="InstanceNumber")

    def test_a_time_point_that_is_cut_short_is_refused(self, series: Series, tmp_path: Path) -> None:
        times = {"TemporalPositionIdentifier": [1, 2, 3], "FrameOfReferenceUID": ["1.9"] * 3}
        self.interleaved(series, tmp_path / "s", **times)
        (tmp_path / "s" / "2" / "IM0001.dcm").unlink()  # the last slice: no gap
        assert load_volume(tmp_path / "s", volume_index=1).shape == (3, 2, 4)
        for read in (load_volumes, lambda folder: inspect(folder, volume_index=2)):
            with pytest.raises(SeriesError, match=r"Identifier 3.0 has 3 slices .*has 4 .*on_gap='split'"):
                read(tmp_path / "s")
        assert [v.shape[2] for v in load_volumes(tmp_path / "s", on_gap="split")] == [4, 4, 3]

    def test_acquisitions_may_differ_in_length(self, series: Series, tmp_path: Path) -> None:
        both = {"AcquisitionNumber": [1, 2, 3], "FrameOfReferenceUID": ["1.9"] * 3}
        self.interleaved(series, tmp_path / "s", **both)
        (tmp_path / "s" / "2" / "IM0001.dcm").unlink()
        assert [v.shape[2] for v in load_volumes(tmp_path / "s")] == [4, 4, 3]


class TestAcquisitionsBetweenOneAnother:
    """Two stacks of 5 mm, one half a step on: as one stack they would look like an even one of 2.5 mm."""

    @staticmethod
    def files(series: Series, folder: Path, **elements: Any) -> tuple[Path, np.ndarray]:
        stored = np.random.default_rng(0).integers(0, 99, (2, 4, 2, 3), np.uint16)
        for number, planes in enumerate(stored):
            series(
                planes,
                folder=folder / str(number),
                series_uid="1.2.3",
                FrameOfReferenceUID="1.9",
                step=(0, 0, 5),
                origin=(0, 0, 2.5 * number),
                AcquisitionNumber=number + 1,
                **elements,
            )
        return folder, stored

    @pytest.mark.parametrize("elements", [{}, {"SpacingBetweenSlices": 5.0}])
    def test_are_refused(self, series: Series, tmp_path: Path, elements: dict[str, float]) -> None:
        folder, stored = self.files(series, tmp_path / "s", **elements)
        with pytest.raises(
            SeriesError, match=r"AcquisitionNumber 1/2\) .* IM0004.dcm.*split_by='AcquisitionN"
        ):
            inspect(folder)
        for volume, expected in zip(load_volumes(folder, split_by="AcquisitionNumber"), stored, strict=True):
            assert np.array_equal(volume.array, expected.transpose(2, 1, 0))
            assert volume.spacing_mm[2] == pytest.approx(5)

    def test_are_one_stack_where_the_scanner_says_so(self, series: Series, tmp_path: Path) -> None:
        folder, _ = self.files(series, tmp_path / "s", SpacingBetweenSlices=2.5)
        assert load_volume(folder).spacing_mm[2] == pytest.approx(2.5)

    def test_one_after_the_other_are_one_stack(self, series: Series) -> None:
        def step_and_shoot(ds: Any, k: int) -> None:
            ds.AcquisitionNumber = [7, 7, 3, 3, 5][k]

        assert load_volume(series(edit=step_and_shoot)).shape[2] == 5

    def test_without_numbers_half_the_stated_distance_is_told(self, series: Series) -> None:
        with pytest.warns(
            UserWarning, match=r"2.50 mm apart but SpacingBetweenSlices is 5.00 mm: stacks may"
        ):
            load_volume(series(SpacingBetweenSlices=5.0))
