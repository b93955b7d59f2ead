from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medvision.imaging import inspect

Series = Callable[..., list[Path]]


class TestTolerance:
    def test_positions_rounded_to_a_tenth_are_one_stack_with_a_warning(self, series: Series) -> None:
        def edit(ds: Any, k: int) -> None:
            ds.ImagePositionPatient = [0, 0, round(1.25 * k + 1e-9, 1)]

        files = series(count=9, edit=edit)
        with pytest.warns(UserWarning, match=r"up to 0\.05 mm from even spacing of 1\.250 mm"):
            assert inspect(files).spacing_mm[2] == pytest.approx(1.25)

    @pytest.mark.filterwarnings("error")
    def test_rounding_of_microns_is_silent(self, series: Series) -> None:
        def edit(ds: Any, k: int) -> None:
            ds.ImagePositionPatient = [0, 0, round(2 / 3 * k, 3)]

        assert inspect(series(count=9, edit=edit)).spacing_mm[2] == pytest.approx(2 / 3, abs=1e-3)

    def test_every_other_slice_missing_is_suspected(self, series: Series) -> None:
        files = series(count=9, SpacingBetweenSlices=2.5)
        with pytest.warns(UserWarning, match="5.00 mm apart but SpacingBetweenSlices is 2.50 mm"):
            inspect(files[::2])
