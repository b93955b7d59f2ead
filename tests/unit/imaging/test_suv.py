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
                setattr(target, name, value(k) if callable(value) else value)
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
        (
            {
                "RadiopharmaceuticalStartDateTime": "20200102083000.000000",
                "RadiopharmaceuticalStartTime": None,
            },
            74000 / decayed(5400),
        ),
        # The same moment in another time zone, which the file states.
        (
            {"RadiopharmaceuticalStartDateTime": "20200102080000+0000", "TimezoneOffsetFromUTC": "+0100"},
            74000 / decayed(3600),
        ),
        # Slices of later beds: the first one tells whether the series began with the acquisition.
        (
            {
                "SeriesTime": "100200",
                "AcquisitionTime": lambda k: f"10{k:02d}00",
                "FrameReferenceTime": lambda k: 60e3 * k + 89857.9,
                "ActualFrameDuration": 180000,
            },
            74000 / decayed(3600),
        ),
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
        (
            {
                "RadiopharmaceuticalStartDateTime": "20200102103000",
                "RadiopharmaceuticalStartTime": "103000",
            },
            "injection lies 1800 s after the scan",
        ),
        ({"RadiopharmaceuticalStartDateTime": "20200102083000"}, "StartTime and .*StartDateTime differ"),
        ({"RadiopharmaceuticalStartDateTime": "20200102080000+0000"}, "StartTime and .*StartDateTime differ"),
        ({"RadiopharmaceuticalStartDateTime": "20000102090000"}, "half-lives before the scan: were dates"),
        # Zirconium-89: imaged days after its injection.
        ({"RadionuclideHalfLife": 282240.0}, "78.4 h the time of day alone does not tell the day"),
        ({"PatientWeight": 74000.0}, "74000 kg: is it in g"),
        ({"PatientWeight": lambda k: 74.0 + k}, "IM0004.dcm are not those of IM0005.dcm"),
        ({"RadionuclideTotalDose": lambda k: 370e6 + 1e6 * k}, "IM0004.dcm are not those of IM0005.dcm"),
        ({"RadionuclideTotalDose": 370e9}, "too much"),
        ({"PatientWeight": [70, 80]}, "PatientWeight is .*70.*: no such value can be"),
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


def test_stored_values_are_no_activity(series: Series) -> None:
    files = series(**pet(RescaleSlope=None))
    with pytest.raises(SeriesError, match="values='suv' needs the RescaleSlope of"):
        load_volume(files, values="suv", on_missing_rescale="stored")


def test_two_doses_leave_it_open_which_counts(series: Series) -> None:
    normal = pet()["edit"]

    def edit(ds: Dataset, k: int) -> None:
        normal(ds, k)
        ds.RadiopharmaceuticalInformationSequence = [*ds.RadiopharmaceuticalInformationSequence] * 2

    with pytest.raises(SeriesError, match="2 radiopharmaceuticals are stated"):
        inspect(series(edit=edit), values="suv")


@pytest.mark.parametrize(
    ("group", "changes"), [(0x0009, {"SeriesTime": "120000"}), (0x7053, {"Units": "CNTS"})]
)
def test_private_elements_of_somebody_else_are_not_looked_at(
    series: Series, group: int, changes: dict[str, str]
) -> None:
    normal = pet(**changes)["edit"]

    def edit(ds: Dataset, k: int) -> None:
        normal(ds, k)
        block = ds.private_block(group, "SOMEBODY ELSE", create=True)
        block.add_new(0x0D, "DT", "20200102110000")
        block.add_new(0x00, "DS", "0.5")

    with pytest.raises(SeriesError, match="no SUV can be computed"):
        inspect(series(edit=edit), values="suv")


def test_all_that_is_missing_at_once(series: Series) -> None:
    files = series(**pet(RadionuclideTotalDose=None, DecayCorrection=None, RadionuclideHalfLife=None))
    with pytest.raises(SeriesError) as caught:
        load_volume(files, values="suv")
    assert len(str(caught.value).splitlines()) == 4
