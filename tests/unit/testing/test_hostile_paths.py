from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medvision.errors import SeriesError
from medvision.imaging import load_volume
from medvision.testing.hostile_paths import PATHS
from medvision.testing.samples import phantom

READABLE = {"long-path", "link-loop", "dangling-link", "other-scripts"}


@pytest.mark.parametrize("name", sorted(PATHS))
def test_series_at_odd_places_are_read_and_what_is_none_is_refused(name: str, tmp_path: Path) -> None:
    for seed in range(4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        source = PATHS[name](folder, np.random.default_rng(seed))
        if name == "long-path":
            assert len(str(source)) > 300
        if name in READABLE or (name == "pipe" and source.is_dir()):
            assert np.array_equal(load_volume(source).array, phantom().array)
        else:
            with pytest.raises(SeriesError):
                load_volume(source)
