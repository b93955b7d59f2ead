from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medvision.errors import SeriesError
from medvision.imaging import load_volume
from medvision.testing.samples import phantom, sample, sample_names


@pytest.mark.parametrize("name", sample_names())
def test_every_sample_is_the_phantom(name: str, tmp_path: Path) -> None:
    for file, content in sample(name).items():
        (tmp_path / file).write_bytes(content)
    source = tmp_path if len(sample(name)) > 1 else tmp_path / next(iter(sample(name)))
    try:
        volume = load_volume(source, volume_index=1 if name == "nifti-4d-gz" else None)
    except SeriesError as error:
        if name != "dicom-enhanced" or "multi-frame" not in str(error):
            raise
        return
    assert np.array_equal(volume.array, phantom().array)
    assert volume.affine == pytest.approx(phantom().affine, abs=1e-4)
