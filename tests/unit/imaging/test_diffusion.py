"""b-values and directions, from the places where vendors keep them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from medvision.imaging import load_volumes
from medvision.imaging.diffusion import diffusion_keys

Series = Callable[..., list[Path]]


def siemens(ds: Dataset, b: float, direction: list[float] | None) -> None:
    block = ds.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0C, "IS", str(int(b)))
    if direction:
        block.add_new(0x0E, "FD", direction)


def philips(ds: Dataset, b: float, direction: list[float] | None) -> None:
    ds.private_block(0x2001, "Philips Imaging DD 001", create=True).add_new(0x03, "FL", b)
    block = ds.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    for place, cosine in enumerate(direction or [0.0, 0.0, 0.0]):
        block.add_new(0xB0 + place, "FL", cosine)


def ge(ds: Dataset, b: float, direction: list[float] | None) -> None:
    block = ds.private_block(0x0043, "GEMS_PARM_01", create=True)
    block.add_new(0x39, "IS", [str(int(b + 1e9)), "8", "0", "0"])


@pytest.mark.parametrize(
    ("vendor", "write", "has_direction"),
    [
        ("SIEMENS", siemens, True),
        ("Philips Healthcare", philips, True),
        ("GE MEDICAL SYSTEMS", ge, False),
    ],
)
def test_private_elements_tell_volumes_apart(
    series: Series, tmp_path: Path, vendor: str, write: Any, has_direction: bool
) -> None:
    direction = [0.6, 0.0, 0.8]
    for b in (1000.0, 0.0):
        series(
            folder=tmp_path / "s" / str(b),
            series_uid="1.2.3",
            FrameOfReferenceUID="1.9",
            Modality="MR",
            Manufacturer=vendor,
            edit=lambda ds, k, b=b: write(ds, b, direction if b else None),
        )
    low, high = load_volumes(tmp_path / "s")
    assert low.provenance.keys["DiffusionBValue"] == (0,)
    assert high.provenance.keys["DiffusionBValue"] == (1000,)
    assert "DiffusionGradientOrientation" not in low.provenance.keys
    stated = high.provenance.keys.get("DiffusionGradientOrientation", ())
    assert stated == pytest.approx(direction if has_direction else ())


def test_the_standard_element_goes_first(series: Series) -> None:
    def edit(ds: Dataset, k: int) -> None:
        ds.DiffusionBValue = 700.0
        siemens(ds, 1000, None)

    (volume,) = load_volumes(series(Modality="MR", Manufacturer="SIEMENS", edit=edit))
    assert volume.provenance.keys["DiffusionBValue"] == (700,)


@pytest.mark.parametrize("value", [b"\xff\xfe", b"", "text", None, ["1", "x"]])
def test_what_is_no_number_is_left_out(value: Any) -> None:
    for creator in ("SIEMENS MR HEADER", b"SIEMENS MR HEADER "):
        file = {"Manufacturer": "SIEMENS", 0x00190010: creator, 0x0019100C: value}
        assert diffusion_keys(file) == {}
        assert diffusion_keys(file | {0x0019100C: 1000}) == {"DiffusionBValue": (1000.0,)}


@pytest.mark.parametrize(
    ("vendor", "write"), [("SIEMENS", siemens), ("Philips", philips), ("GE MEDICAL SYSTEMS", ge)]
)
def test_in_whichever_block_the_creator_has_reserved(series: Series, vendor: str, write: Any) -> None:
    """Other software may have reserved the first block, and its elements mean something else."""

    def edit(ds: Dataset, k: int) -> None:
        for group in (0x0019, 0x2001, 0x2005, 0x0043):
            other = ds.private_block(group, "SOMEBODY ELSE", create=True)
            other.add_new(0x0C, "IS", "77")
            other.add_new(0x03, "FL", 77.0)
            other.add_new(0x39, "IS", "77")
        write(ds, 1000, [0.6, 0.0, 0.8])

    (volume,) = load_volumes(series(Modality="MR", Manufacturer=vendor, edit=edit))
    assert volume.provenance.keys["DiffusionBValue"] == (1000,)
    found = volume.provenance.keys.get("DiffusionGradientOrientation")
    assert found is None if write is ge else found == pytest.approx([0.6, 0.0, 0.8])


def test_elements_of_somebody_else_are_no_b_values(series: Series) -> None:
    def edit(ds: Dataset, k: int) -> None:
        ds.private_block(0x0019, "SOMEBODY ELSE", create=True).add_new(0x0C, "IS", "77")

    (volume,) = load_volumes(series(Modality="MR", Manufacturer="SIEMENS", edit=edit))
    assert "DiffusionBValue" not in volume.provenance.keys
