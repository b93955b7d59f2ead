"""SUV by body weight against numbers worked out by hand from the QIBA pseudo-code."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from medvision.errors import SeriesError
from medvision.imaging import inspect, load_volume

Series = Callable[..., list[Path]]
HALF_LIFE, DOSE, KILOGRAMS = 6586.2, 370e6, 74.0  # fluorine-18, 10 mCi


def pet(**changes: Any) -> dict[str, Any]:
    """An injection at 9:00, a scan at 10:00; a change to None leaves an element out."""

    def edit(ds: Dataset, k: int) -> None:
        drug = Dataset()
        drug.RadionuclideTotalDose, drug.RadionuclideHalfLife = DOSE, HALF_LIFE
        drug.RadiopharmaceuticalStartTime = "090000.00"
        stated = {
            "Modality": "PT", "Units": "BQML", "DecayCorrection": "START", "PatientWeight": KILOGRAMS,
            "CorrectedImage": ["DECY", "ATTN", "SCAT"], "SeriesDate": "20200102", "SeriesTime": "100000",
            "AcquisitionDate": "20200102", "AcquisitionTime": "100000.5", "RescaleSlope": 2.5,
        } | changes  # fmt: skip
        for name, value in stated.items():
            target = drug if name.startswith("Radio") else ds
            if value is not None:
                setattr(target, name, value)
            elif name in target:
                delattr(target, name)
        ds.RadiopharmaceuticalInformationSequence = [drug]

    return {"edit": edit}


def factor(files: list[Path]) -> float:
    """What the stored value 1 becomes, over its RescaleSlope of 2.5."""
    return float(load_volume(files, values="suv").array[1, 0, 0]) / 2.5


def decayed(seconds: float) -> float:
    return DOSE * math.exp(-math.log(2) * seconds / HALF_LIFE)


def test_bq_per_ml_with_the_dose_at_the_start_of_the_scan(series: Series) -> None:
    files = series(**pet())
    assert factor(files) == pytest.approx(74000 / decayed(3600), rel=1e-6)
    assert decayed(3600) == pytest.approx(253.3e6, rel=1e-3)  # 109.8 min: an hour leaves 0.685 of it
    found = load_volume(files, values="suv")
    assert found.provenance.values == "SUV by body weight, g/ml"
    assert found.array == pytest.approx(load_volume(files).array * np.float32(factor(files)), rel=1e-6)
    assert inspect(files, values="suv").dtype == np.float32


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"DecayCorrection": "ADMIN"}, 74000 / DOSE),
        ({"RadiopharmaceuticalStartDateTime": "20200102083000.000000"}, 74000 / decayed(5400)),
        # Injected before midnight, scanned after it: only the time of day is stated.
        (
            {"SeriesTime": "003000", "AcquisitionTime": "003000", "RadiopharmaceuticalStartTime": "233000"},
            74000 / decayed(3600),
        ),
        # A series made later: the frame's own reference time. 180 s of decay have their mean at 89.858 s.
        (
            {"SeriesTime": "120000", "FrameReferenceTime": 89857.9, "ActualFrameDuration": 180000},
            74000 / decayed(3600.5),
        ),
        ({"Units": "GML"}, 1.0),
        ({"Units": "GML", "SUVType": "BW"}, 1.0),
    ],
)
def test_other_ways_to_state_it(series: Series, changes: dict[str, Any], expected: float) -> None:
    assert factor(series(**pet(**changes))) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("tag", "expected"), [(0x00, 0.0125), (0x09, 0.0125 * 74000 / decayed(3600))])
def test_philips_counts(series: Series, tag: int, expected: float) -> None:
    normal = pet(Units="CNTS")["edit"]

    def edit(ds: Dataset, k: int) -> None:
        normal(ds, k)
        block = ds.private_block(0x7053, "Philips PET Private Group", create=True)
        block.add_new(tag, "DS", "0.0125")

    assert factor(series(edit=edit)) == pytest.approx(expected, rel=1e-6)


def test_ge_private_scan_time(series: Series) -> None:
    normal = pet(SeriesTime="120000")["edit"]

    def edit(ds: Dataset, k: int) -> None:
        normal(ds, k)
        ds.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20200102100000.00")

    assert factor(series(edit=edit)) == pytest.approx(74000 / decayed(3600), rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"Modality": "CT"}, "the modality is CT, not PT"),
        ({"PatientWeight": None}, "PatientWeight is absent or 0"),
        ({"PatientWeight": 0}, "PatientWeight is absent or 0"),
        ({"RadionuclideTotalDose": None}, "RadionuclideTotalDose is absent"),
        ({"RadionuclideTotalDose": 370.0}, "too little, is it in MBq"),
        ({"RadionuclideHalfLife": None}, "RadionuclideHalfLife is absent"),
        ({"RadiopharmaceuticalStartTime": None}, "RadiopharmaceuticalStartTime and .* are absent"),
        ({"RadiopharmaceuticalStartDateTime": "20200102103000"}, "injection lies 1800 s after the scan"),
        ({"AcquisitionTime": None}, "AcquisitionDate or AcquisitionTime is absent"),
        ({"SeriesTime": "120000"}, "FrameReferenceTime or ActualFrameDuration is absent"),
        ({"DecayCorrection": None}, "DecayCorrection is absent; it must be START or ADMIN"),
        ({"DecayCorrection": "NONE"}, "DecayCorrection is NONE"),
        ({"CorrectedImage": ["DECY"]}, "does not name ATTN"),
        ({"CorrectedImage": ["ATTN"]}, "does not name DECY"),
        ({"Units": "PROPCPS"}, "Units is PROPCPS"),
        ({"Units": "CNTS"}, "without Philips' factors"),
        ({"Units": "GML", "SUVType": "LBM"}, "SUV of type LBM"),
    ],
)
def test_refused_where_something_is_missing(series: Series, changes: dict[str, Any], match: str) -> None:
    files = series(**pet(**changes))
    for read in (inspect, load_volume):
        with pytest.raises(SeriesError, match=f"no SUV can be computed.*\n.*{match}"):
            read(files, values="suv")


def test_all_that_is_missing_at_once(series: Series) -> None:
    files = series(**pet(RadionuclideTotalDose=None, DecayCorrection=None, RadionuclideHalfLife=None))
    with pytest.raises(SeriesError) as caught:
        load_volume(files, values="suv")
    assert len(str(caught.value).splitlines()) == 4
