"""When a PET scan began and when its tracer was injected, from what vendors write in several places."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import Any

from medvision.imaging.private import private, private_tags
from medvision.imaging.values import Elements, number, text

_GE, _SCAN_TIME = (0x0009, "GEMS_PETD_01"), 0x0D
_SHORT_HALF_LIFE_S = 6 * 3600.0  # of a drug that is imaged within a day of its injection
_SAME_MOMENT_S = 60.0
_ZONE = re.compile(r"[+-]\d{4}$")  # PS3.5 6.2, VR DT: the offset from UTC at its end
TIME_TAGS: tuple[str | int, ...] = (
    "SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime", "FrameReferenceTime",
    "ActualFrameDuration", "TimezoneOffsetFromUTC", *private_tags(_GE[0], _SCAN_TIME),
)  # fmt: skip
"""What `reference_time` and `moment_of` look at."""


class MissingError(Exception):
    """What a header lacks for SUV, one sentence each in `problems`."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


def reference_time(header: Elements, half_life: float) -> datetime:
    """The moment to which images with DecayCorrection START are corrected.

    That is SeriesTime, unless it lies after the acquisition (a series made later): then GE's private scan
    time, or what the frame's reference time says.

    Args:
        header: Of the earliest slice.
        half_life: In seconds.

    Raises:
        MissingError: The header does not tell.
    """
    series = moment_of(header, "Series")
    acquired = moment_of(header, "Acquisition")
    if acquired is None:
        raise MissingError("AcquisitionDate or AcquisitionTime is absent")
    if series is not None and series <= acquired:
        return series
    scanned = _parsed(plain(private(header, *_GE, _SCAN_TIME)))
    if scanned is not None:
        return scanned
    frame, duration = number(header, "FrameReferenceTime"), number(header, "ActualFrameDuration")
    if not frame or not duration:
        raise MissingError(
            "SeriesTime lies after AcquisitionTime, and FrameReferenceTime or ActualFrameDuration is absent"
        )
    decay = math.log(2) / half_life * duration / 1000
    average = duration / 1000 / decay * math.log(decay / (1 - math.exp(-decay)))
    return acquired - timedelta(seconds=frame / 1000) + timedelta(seconds=average)


def injection_time(drug: Elements, reference: datetime, half_life: float, zone: str) -> datetime:
    """When the drug was injected, in the time zone of the file.

    Args:
        drug: The item of RadiopharmaceuticalInformationSequence.
        reference: The moment of the scan.
        half_life: In seconds.
        zone: TimezoneOffsetFromUTC.

    Raises:
        MissingError: The header does not tell, or contradicts itself.
    """
    stated, clock = (text(drug, f"RadiopharmaceuticalStart{kind}") for kind in ("DateTime", "Time"))
    whole = _parsed(stated)
    moment = _parsed((whole or reference).strftime("%Y%m%d") + clock) if clock else None
    if whole is not None:
        whole += _shift(stated, zone)
        if moment is not None and _apart(whole, moment) > _SAME_MOMENT_S:
            raise MissingError("RadiopharmaceuticalStartTime and RadiopharmaceuticalStartDateTime differ")
        return whole
    if moment is None:
        raise MissingError("RadiopharmaceuticalStartTime and RadiopharmaceuticalStartDateTime are absent")
    if half_life > _SHORT_HALF_LIFE_S:
        raise MissingError(
            "RadiopharmaceuticalStartDateTime is absent, and with a half-life of "
            f"{half_life / 3600:.3g} h the time of day alone does not tell the day of the injection"
        )
    # Only the time of day is known: an injection before midnight of a scan after it was on the day before.
    return moment if moment <= reference else moment - timedelta(days=1)


def _apart(one: datetime, other: datetime) -> float:
    """Seconds between two times of day."""
    apart = abs((one - other).total_seconds()) % 86400
    return min(apart, 86400 - apart)


def _shift(stated: str, zone: str) -> timedelta:
    """What brings a date and time to the zone of the file; nothing where one of the two states no zone."""
    own, files = (_ZONE.search(value) for value in (stated, zone))
    return _offset(files[0]) - _offset(own[0]) if own and files else timedelta(0)


def _offset(zone: str) -> timedelta:
    return timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:]))


def moment_of(header: Elements, event: str) -> datetime | None:
    """The date and time of an event: Series, Acquisition; None where one of the two is absent.

    Example:
        >>> moment_of({"SeriesDate": "20200102", "SeriesTime": "0930"}, "Series").isoformat()
        '2020-01-02T09:30:00'
    """
    date, clock = text(header, f"{event}Date"), text(header, f"{event}Time")
    return _parsed(date + clock) if date and clock else None


def _parsed(value: str) -> datetime | None:
    """A DICOM date and time without its offset from UTC; see `_shift`."""
    digits = value.split("+")[0].split("-")[0].strip()
    whole, _, fraction = digits.partition(".")
    if len(whole) < 10 or not whole.isdigit():
        return None
    try:
        moment = datetime.strptime(whole[:14].ljust(14, "0"), "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return moment + timedelta(seconds=float(f"0.{fraction or 0}")) if (fraction or "0").isdigit() else moment


def plain(value: Any) -> str:  # noqa: ANN401 (any DICOM value)
    """A value as text, whether or not its type was known."""
    return value.decode("ascii", "ignore").strip("\0 ") if isinstance(value, bytes) else str(value or "")
