"""Standardised uptake value by body weight, from what a PET header says of dose, time and decay.

SUVbw in g/ml = activity in Bq/ml · body weight in g / injected dose in Bq, decayed to the moment to which
the images are corrected. Assumes that 1 ml of tissue weighs 1 g.

Reference: QIBA FDG-PET/CT profile, "SUV computation, vendor neutral pseudo-code"; DICOM PS3.3 C.8.9.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from medvision.errors import SeriesError
from medvision.imaging.elements import read_elements
from medvision.imaging.header import SliceHeader
from medvision.imaging.pet_times import (
    TIME_TAGS,
    MissingError,
    injection_time,
    moment_of,
    plain,
    reference_time,
)
from medvision.imaging.private import private, private_tags
from medvision.imaging.values import Elements, number, strings, text

_PHILIPS, _SUV, _ACTIVITY = (0x7053, "Philips PET Private Group"), 0x00, 0x09
_TAGS: tuple[str | int, ...] = (
    "PatientWeight", "SUVType", "CorrectedImage", "DecayCorrection", "RadiopharmaceuticalInformationSequence",
    *private_tags(_PHILIPS[0], _SUV, _ACTIVITY), *TIME_TAGS,
)  # fmt: skip
_DOSES_BQ = (1e5, 2e10)  # outside of them a dose was written in MBq or kBq as if it were Bq
_HEAVIEST_KG = 700.0  # more is a weight in grams
_MOST_HALF_LIVES = 10.0  # after which nothing is left to be imaged
_NEVER = datetime.max


def suv_factor(slices: Sequence[SliceHeader], where: str) -> float:
    """What rescaled values are multiplied with to become SUV by body weight in g/ml.

    Args:
        slices: One PET volume.
        where: What an error calls it.

    Raises:
        SeriesError: No PET, or the header lacks what the dose at the time of the scan needs; all that is
            missing at once.
    """
    try:
        return _common_factor(slices)
    except MissingError as error:
        problems = error.problems
    except ValueError as error:
        problems = [f"{error}: no such value can be"]
    raise SeriesError(
        f"{where}: no SUV can be computed; export it with these elements, or read values='rescaled'",
        problems=problems,
    )


def _common_factor(slices: Sequence[SliceHeader]) -> float:
    """The factor of all slices, decayed to one moment: the start of the scan, told by the earliest."""
    if slices[0].modality != "PT":
        raise MissingError(f"the modality is {slices[0].modality or 'not stated'}, not PT")
    headers = {path: read_elements(path, _TAGS) for path in dict.fromkeys(one.path for one in slices)}
    earliest = min(headers.values(), key=lambda h: moment_of(h, "Acquisition") or _NEVER)
    factors = [_factor(header, slices[0].same["units"], earliest) for header in headers.values()]
    if max(factors) > min(factors) * (1 + 1e-6):
        other = [path.name for path, factor in zip(headers, factors, strict=True) if factor != factors[0]]
        raise MissingError(
            f"weight, dose, injection or Philips' factor of {other[0]} are not those of "
            f"{next(iter(headers)).name}"
        )
    return factors[0]


def _factor(header: Elements, units: str, earliest: Elements) -> float:
    if units == "GML":
        kind = text(header, "SUVType") or "BW"
        if kind != "BW":
            raise MissingError(f"its values are SUV of type {kind}, not by body weight")
        return 1.0
    activity = 1.0
    if units == "CNTS":
        suv, activity_scale = (_positive(private(header, *_PHILIPS, place)) for place in (_SUV, _ACTIVITY))
        if suv is not None:
            return suv
        if activity_scale is None:
            raise MissingError("Units is CNTS, without Philips' factors (7053,1000) or (7053,1009)")
        activity = activity_scale
    elif units != "BQML":
        raise MissingError(f"Units is {units or 'absent'}; it must be BQML, GML or Philips' CNTS")
    return activity * _grams(header) / _dose_at_reference(header, earliest)


def _grams(header: Elements) -> float:
    weight = number(header, "PatientWeight")
    if not weight or weight <= 0:
        raise MissingError("PatientWeight is absent or 0")
    if weight > _HEAVIEST_KG:
        raise MissingError(f"PatientWeight is {weight:g} kg: is it in g?")
    return weight * 1000


def _dose_at_reference(header: Elements, earliest: Elements) -> float:
    """The injected dose in Bq, decayed to the moment to which the images are corrected."""
    drugs = header.get("RadiopharmaceuticalInformationSequence") or [{}]
    if len(drugs) > 1:
        raise MissingError(f"{len(drugs)} radiopharmaceuticals are stated, so which dose counts is open")
    drug = drugs[0]
    dose, half_life = number(drug, "RadionuclideTotalDose"), number(drug, "RadionuclideHalfLife")
    problems = []
    if not dose or dose <= 0:
        problems.append("RadionuclideTotalDose is absent or 0")
    elif dose < _DOSES_BQ[0]:
        problems.append(f"RadionuclideTotalDose is {dose:g} Bq: too little, is it in MBq?")
    elif dose > _DOSES_BQ[1]:
        problems.append(f"RadionuclideTotalDose is {dose:g} Bq: too much")
    if not half_life or half_life <= 0:
        problems.append("RadionuclideHalfLife is absent or 0")
    problems += _correction_problems(header)
    if problems or dose is None or half_life is None:
        raise MissingError(*problems)
    if text(header, "DecayCorrection") == "ADMIN":
        return dose
    reference = reference_time(earliest, half_life)
    injected = injection_time(drug, reference, half_life, text(header, "TimezoneOffsetFromUTC"))
    elapsed = (reference - injected).total_seconds()
    if elapsed < 0:
        raise MissingError(f"the injection lies {-elapsed:.0f} s after the scan")
    if elapsed > _MOST_HALF_LIVES * half_life:
        raise MissingError(
            f"the injection lies {elapsed / half_life:.3g} half-lives before the scan: were dates changed?"
        )
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


def _positive(value: Any) -> float | None:  # noqa: ANN401 (any DICOM value)
    try:
        return float(plain(value)) if float(plain(value)) > 0 else None
    except ValueError:
        return None
