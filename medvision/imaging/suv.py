"""Standardised uptake value by body weight, from what a PET header says of dose, time and decay.

SUVbw in g/ml = activity in Bq/ml · body weight in g / injected dose in Bq, decayed to the moment to which
the images are corrected. Assumes that 1 ml of tissue weighs 1 g.

Reference: QIBA FDG-PET/CT profile, "SUV computation, vendor neutral pseudo-code"; DICOM PS3.3 C.8.9.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from medvision.errors import SeriesError
from medvision.imaging.header import SliceHeader
from medvision.imaging.values import Elements, number, strings, text

_PHILIPS_SUV, _PHILIPS_ACTIVITY, _GE_SCAN_TIME = 0x70531000, 0x70531009, 0x0009100D
_LEAST_DOSE_BQ = 1e5  # less is a dose in MBq written as if it were Bq


def suv_factor(slices: Sequence[SliceHeader], where: str) -> float:
    """What rescaled values are multiplied with to become SUV by body weight in g/ml.

    Args:
        slices: One PET volume.
        where: What an error calls it.

    Raises:
        SeriesError: No PET, or the header lacks what the dose at the time of the scan needs; all that is
            missing at once.
    """
    problems: list[str] = []
    found = float("nan")
    if slices[0].modality != "PT":
        problems = [f"the modality is {slices[0].modality or 'not stated'}, not PT"]
    else:
        try:
            found = _factor(_dataset(slices[0].path), slices[0].same["units"])
        except _MissingError as error:
            problems = error.problems
    if problems:
        raise SeriesError(
            f"{where}: no SUV can be computed; export it with these elements, or read values='rescaled'",
            problems=problems,
        )
    return found


class _MissingError(Exception):
    """What a header lacks for SUV."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


def _factor(header: Elements, units: str) -> float:
    if units == "GML":
        kind = text(header, "SUVType") or "BW"
        if kind != "BW":
            raise _MissingError(f"its values are SUV of type {kind}, not by body weight")
        return 1.0
    activity = 1.0
    if units == "CNTS":
        suv, activity_scale = _positive(header, _PHILIPS_SUV), _positive(header, _PHILIPS_ACTIVITY)
        if suv is not None:
            return suv
        if activity_scale is None:
            raise _MissingError("Units is CNTS, without Philips' factors (7053,1000) or (7053,1009)")
        activity = activity_scale
    elif units != "BQML":
        raise _MissingError(f"Units is {units or 'absent'}; it must be BQML, GML or Philips' CNTS")
    return activity * _grams(header) / _dose_at_reference(header)


def _grams(header: Elements) -> float:
    weight = number(header, "PatientWeight")
    if not weight or weight <= 0:
        raise _MissingError("PatientWeight is absent or 0")
    return weight * 1000


def _dose_at_reference(header: Elements) -> float:
    """The injected dose in Bq, decayed to the moment to which the images are corrected."""
    drug = (header.get("RadiopharmaceuticalInformationSequence") or [{}])[0]
    dose, half_life = number(drug, "RadionuclideTotalDose"), number(drug, "RadionuclideHalfLife")
    problems = []
    if not dose or dose <= 0:
        problems.append("RadionuclideTotalDose is absent or 0")
    elif dose < _LEAST_DOSE_BQ:
        problems.append(f"RadionuclideTotalDose is {dose:g} Bq: too little, is it in MBq?")
    if not half_life or half_life <= 0:
        problems.append("RadionuclideHalfLife is absent or 0")
    problems += _correction_problems(header)
    if problems or dose is None or half_life is None:
        raise _MissingError(*problems)
    if text(header, "DecayCorrection") == "ADMIN":
        return dose
    reference = _reference_time(header, half_life)
    elapsed = (reference - _injection(drug, reference)).total_seconds()
    if elapsed < 0:
        raise _MissingError(f"the injection lies {-elapsed:.0f} s after the scan")
    return dose * math.exp(-math.log(2) * elapsed / half_life)


def _correction_problems(header: Elements) -> list[str]:
    problems = []
    corrected = strings(header.get("CorrectedImage"))
    if "ATTN" not in corrected:
        problems.append("CorrectedImage does not name ATTN: attenuation was not corrected")
    stated = text(header, "DecayCorrection")
    if stated not in ("START", "ADMIN"):
        problems.append(f"DecayCorrection is {stated or 'absent'}; it must be START or ADMIN")
    elif "DECY" not in corrected:
        problems.append("CorrectedImage does not name DECY: decay was not corrected")
    return problems


def _reference_time(header: Elements, half_life: float) -> datetime:
    """The moment to which images with DecayCorrection START are corrected.

    That is SeriesTime, unless it lies after the acquisition (a series made later): then GE's private scan
    time, or what the frame's reference time says.
    """
    series = _moment(header, "SeriesDate", "SeriesTime")
    acquired = _moment(header, "AcquisitionDate", "AcquisitionTime")
    if acquired is None:
        raise _MissingError("AcquisitionDate or AcquisitionTime is absent")
    if series is not None and series <= acquired:
        return series
    private = _parsed(_plain(header.get(_GE_SCAN_TIME)))
    if private is not None:
        return private
    frame, duration = number(header, "FrameReferenceTime"), number(header, "ActualFrameDuration")
    if not frame or not duration:
        raise _MissingError(
            "SeriesTime lies after AcquisitionTime, and FrameReferenceTime or ActualFrameDuration is absent"
        )
    decay = math.log(2) / half_life * duration / 1000
    average = duration / 1000 / decay * math.log(decay / (1 - math.exp(-decay)))
    return acquired - timedelta(seconds=frame / 1000) + timedelta(seconds=average)


def _injection(drug: Elements, reference: datetime) -> datetime:
    whole = _parsed(text(drug, "RadiopharmaceuticalStartDateTime"))
    if whole is not None:
        return whole
    start = text(drug, "RadiopharmaceuticalStartTime")
    moment = _parsed(reference.strftime("%Y%m%d") + start) if start else None
    if moment is None:
        raise _MissingError("RadiopharmaceuticalStartTime and RadiopharmaceuticalStartDateTime are absent")
    # Only the time of day is known: an injection before midnight of a scan after it was on the day before.
    return moment if moment <= reference else moment - timedelta(days=1)


def _moment(header: Elements, day: str, time: str) -> datetime | None:
    date, clock = text(header, day), text(header, time)
    return _parsed(date + clock) if date and clock else None


def _parsed(value: str) -> datetime | None:
    """A DICOM date and time; an offset from UTC is left out, all times of a header share it."""
    digits = value.split("+")[0].split("-")[0].strip()
    whole, _, fraction = digits.partition(".")
    if len(whole) < 10 or not whole.isdigit():
        return None
    try:
        moment = datetime.strptime(whole[:14].ljust(14, "0"), "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return moment + timedelta(seconds=float(f"0.{fraction or 0}")) if (fraction or "0").isdigit() else moment


def _positive(header: Elements, tag: int) -> float | None:
    value = _plain(header.get(tag))
    try:
        return float(value) if float(value) > 0 else None
    except ValueError:
        return None


def _plain(value: Any) -> str:  # noqa: ANN401 (any DICOM value)
    value = getattr(value, "value", value)
    return value.decode("ascii", "ignore").strip("\0 ") if isinstance(value, bytes) else str(value or "")


def _dataset(path: Path) -> Elements:
    from pydicom import dcmread

    header: Elements = dcmread(path, stop_before_pixels=True, force=True)
    return header
