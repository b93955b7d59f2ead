"""Siemens mosaics: the same slices as single files must give the same volume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from medvision.errors import SeriesError
from medvision.imaging import inspect, load_volume
from medvision.testing.samples import csa_header

Series = Callable[..., list[Path]]
OBLIQUE = (0.96, 0.28, 0.0, -0.28, 0.96, 0.0)
SPACING, BETWEEN, ORIGIN = (0.8, 0.6), 3.5, (-10.0, -20.0, 30.0)


def normal_of(orientation: tuple[float, ...]) -> np.ndarray:
    return np.cross(orientation[:3], orientation[3:])


@pytest.fixture
def mosaic(series: Series, tmp_path: Path) -> Callable[..., list[Path]]:
    """Write each volume (slices, rows, columns) as one mosaic; `edit` spoils its header."""

    def write(
        *volumes: np.ndarray, direction: float = 1.0, edit: Callable[[Dataset], Any] | None = None
    ) -> list[Path]:
        count, rows, columns = volumes[0].shape
        across = int(np.ceil(np.sqrt(count)))
        images = np.zeros((len(volumes), across * rows, across * columns), np.uint16)
        for image, volume in zip(images, volumes, strict=True):
            for number, plane in enumerate(volume):
                top, left = number // across * rows, number % across * columns
                image[top : top + rows, left : left + columns] = plane
        right, down = np.array(OBLIQUE[:3]), np.array(OBLIQUE[3:])
        # The position of a mosaic is that of an image of its size around the centre of the first slice.
        corner = np.array(ORIGIN) - right * SPACING[1] * columns * (across - 1) / 2
        corner -= down * SPACING[0] * rows * (across - 1) / 2

        def siemens(ds: Dataset, number: int) -> None:
            ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
            ds.ImagePositionPatient = [float(f"{x:.12g}") for x in corner]
            ds.SpacingBetweenSlices, ds.AcquisitionNumber = BETWEEN, number + 1
            stated = [f"{x:.8f}" for x in direction * normal_of(OBLIQUE)]
            block = ds.private_block(0x29, "SIEMENS CSA HEADER", create=True)
            tags = {"NumberOfImagesInMosaic": ("US", [str(count)]), "SliceNormalVector": ("FD", stated)}
            block.add_new(0x10, "OB", csa_header(tags))
            if edit is not None:
                edit(ds)

        return series(
            images, tmp_path / "mosaic", orientation=OBLIQUE, spacing=SPACING, edit=siemens, shuffle=False
        )

    return write


def stack(series: Series, volume: np.ndarray, direction: float = 1.0) -> Any:
    step = direction * normal_of(OBLIQUE) * BETWEEN
    return load_volume(series(volume, orientation=OBLIQUE, spacing=SPACING, origin=ORIGIN, step=step))


def random_volume(seed: int, shape: tuple[int, int, int] = (5, 4, 6)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4096, shape, dtype=np.uint16)


@pytest.mark.parametrize("direction", [1.0, -1.0])
@pytest.mark.parametrize("count", [2, 5, 9])
def test_a_mosaic_is_the_stack_of_its_slices(
    series: Series, mosaic: Callable[..., list[Path]], count: int, direction: float
) -> None:
    volume = random_volume(count, (count, 4, 6))
    found, expected = load_volume(mosaic(volume, direction=direction)), stack(series, volume, direction)
    assert np.array_equal(found.array, expected.array)
    assert found.array.dtype == expected.array.dtype
    assert found.geometry.distance_mm(expected.geometry) < 1e-6


def test_several_mosaics_are_several_volumes(series: Series, mosaic: Callable[..., list[Path]]) -> None:
    first, second = random_volume(1), random_volume(2)
    files = mosaic(first, second)
    with pytest.raises(SeriesError, match="2 volumes at the same positions, told apart by AcquisitionNumber"):
        inspect(files)
    found = load_volume(files, volume_index=1)
    assert np.array_equal(found.array, stack(series, second).array)
    assert [path.name for path in found.provenance.files] == [files[1].name]


def without(name: str) -> Callable[[Dataset], None]:
    return lambda ds: delattr(ds, name)


def with_header(ds: Dataset, content: bytes) -> None:
    ds[0x0029, 0x1010].value = content


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (without("SpacingBetweenSlices"), "mosaic without SpacingBetweenSlices"),
        (without("ImagePositionPatient"), "mosaic without position"),
        (lambda ds: ds.__delitem__((0x0029, 0x1010)), "without the CSA header"),
        (lambda ds: with_header(ds, csa_header({"Other": ("US", ["1"])})), "without the CSA header"),
        (lambda ds: with_header(ds, csa_header({})), "damaged CSA header"),
        (lambda ds: with_header(ds, b"SV10\4\3\2\1" + b"\xff" * 8), "damaged CSA header"),
        (lambda ds: with_header(ds, b"SV10"), "damaged CSA header"),
        (lambda ds: setattr(ds, "ImageOrientationPatient", [1, 0, 0, 0, 0, -1]), "along their normal"),
    ],
)
def test_a_mosaic_that_does_not_say_where_its_slices_lie_is_refused(
    mosaic: Callable[..., list[Path]], edit: Callable[[Dataset], Any], match: str
) -> None:
    files = mosaic(random_volume(3), edit=edit)
    for read in (inspect, load_volume):
        with pytest.raises(SeriesError, match=match):
            read(files)


@pytest.mark.parametrize("normal", [["50", "0", "1"], ["nan", "0", "1"], ["0", "0", "0"]])
def test_a_direction_that_is_not_the_normal_is_refused(
    mosaic: Callable[..., list[Path]], normal: list[str]
) -> None:
    tags = {"NumberOfImagesInMosaic": ("US", ["5"]), "SliceNormalVector": ("FD", normal)}
    with pytest.raises(SeriesError, match="along their normal"):
        inspect(mosaic(random_volume(3), edit=lambda ds: with_header(ds, csa_header(tags))))


def test_a_number_of_slices_that_does_not_tile_the_image_is_refused(
    mosaic: Callable[..., list[Path]],
) -> None:
    tags = {"NumberOfImagesInMosaic": ("US", ["90"]), "SliceNormalVector": ("FD", ["0", "0", "1"])}
    with pytest.raises(SeriesError, match="90 slices that do not tile"):
        inspect(mosaic(random_volume(3), edit=lambda ds: with_header(ds, csa_header(tags))))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_slices_that_a_uih_scanner_tiled_are_refused(series: Series, syntax: str) -> None:
    """Read as one slice they would look like a picture of small brains."""

    def edit(ds: Dataset, k: int) -> None:
        ds.private_block(0x65, "Image Private Header", create=True).add_new(0x50, "DS", "20")

    files = series(Modality="MR", Manufacturer="UIH", syntax=syntax, edit=edit)
    with pytest.raises(SeriesError, match=r"IM0005.dcm.*: slices tiled in one image by a UIH scanner"):
        inspect(files)
    assert load_volume(series(Modality="MR", Manufacturer="Other", edit=edit)).shape == (6, 4, 5)
