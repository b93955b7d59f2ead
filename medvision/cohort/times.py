"""When a case was: dates in the forms that exports have, years, or numbers that grow with time."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from medvision.errors import CohortError
from medvision.wording import first_of, listed

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}([T ].+)?|\d{8}")
_MONTH = re.compile(r"\d{4}-\d{2}")
_CALENDAR = re.compile(r"(19|20|21)\d\d((0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])?)?")
_CURE = "write dates as 2021-05-17, 2021-05 or 20210517, or years or other numbers, the same way in every row"
_START = datetime(1, 1, 1)


@dataclass(frozen=True)
class Times:
    """When each case was, on one scale.

    Attributes:
        keys: Seconds since the year 1 for dates, the numbers themselves else, shape ``(cases,)``.
        form: `day`, `month`, `zoned` (a day with its time zone) or `number`.

    Example:
        >>> times = read_times(["2020-12-31", "2021-01-01"], "date", ["a", "b"])
        >>> (times.keys >= times.boundary("2021")).tolist()
        [False, True]
    """

    keys: NDArray[np.float64]
    form: str

    def boundary(self, value: str | int) -> float:
        """Return where a boundary of the study file lies on this scale; a year is its first day.

        Args:
            value: Such as `2021-01-01`, `2021`, `20210101`, or a number.

        Raises:
            CohortError: It is no date, or the column holds no dates, or only months.
        """
        text = str(value)
        if self.form == "number":
            try:
                return float(text)
            except ValueError:
                raise CohortError(
                    f"test_from is {text}, and the column holds numbers such as {self.keys[0]:g}; write one"
                ) from None
        full = {4: f"{text}-01-01", 7: f"{text}-01"}.get(len(text), text)
        try:
            moment = _moment(full)
        except ValueError:
            raise CohortError(f"test_from is {text}, no date; write 2021-05-17, 2021-05 or 2021") from None
        if self.form == "month" and moment.day != 1:
            raise CohortError(
                f"test_from is {text}, and the column holds months; write the month, such as 2021-05"
            )
        return _seconds(moment)

    def show(self, key: float) -> str:
        """Write a key as a person reads it."""
        if self.form == "number":
            return f"{key:.10g}"
        moment = _START + timedelta(seconds=key)
        if self.form == "month":
            return moment.strftime("%Y-%m")
        whole = moment.time() == datetime.min.time()
        return moment.date().isoformat() if whole else moment.isoformat(" ", "minutes")


def read_times(values: Sequence[object], column: str, names: Sequence[str]) -> Times:
    """Read a column as times.

    Args:
        values: Text, dates, or numbers; eight digits that are a date in every row are one.
        column: Its name, for messages.
        names: What each row is called in messages.

    Raises:
        CohortError: Values that are missing, are no times, or are written in different ways; names rows.

    Example:
        >>> read_times([2019, 2021], "year", ["a", "b"]).show(2021.0)
        '2021'
    """
    missing = [
        f"{name}: {column!r} is empty"
        for name, value in zip(names, values, strict=True)
        if value is None or value != value
    ]
    if missing:
        raise CohortError(f"a split by time needs {column!r} of every case", problems=first_of(missing))
    if all(_is_number(value) for value in values):
        return _numbers([float(str(value)) for value in values], column)
    keys: list[float] = []
    forms: dict[str, str] = {}
    wrong: list[str] = []
    for value, name in zip(values, names, strict=True):
        try:
            form, moment = _read(value)
        except ValueError:
            wrong.append(f"{name}: {column!r} is {value!r}, no date")
            continue
        forms.setdefault(form, f"{value}")
        keys.append(_seconds(moment))
    if len(forms) > 1:
        wrong.append(f"{column!r} is written in different ways: {listed(forms.values())}")
    if wrong:
        raise CohortError(f"{column!r} cannot be read as times; {_CURE}", problems=first_of(wrong))
    return Times(np.array(keys), next(iter(forms)))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _numbers(values: list[float], column: str) -> Times:
    if not all(math.isfinite(value) for value in values):
        raise CohortError("a split by time needs finite numbers")
    digits = [f"{value:.0f}" for value in values]
    # As numbers, every day of 1950 would be later than the year 2021.
    ways = {len(text): text for text in digits if _CALENDAR.fullmatch(text)}
    if len(ways) > 1 and all(_CALENDAR.fullmatch(text) for text in digits):
        raise CohortError(f"{column!r} mixes days, months or years: {listed(ways.values())}; {_CURE}")
    if all(
        value.is_integer() and re.fullmatch(r"(19|20|21)\d{6}", text)
        for value, text in zip(values, digits, strict=True)
    ):
        try:
            return Times(np.array([_seconds(_moment(text)) for text in digits]), "day")
        except ValueError:
            pass  # numbers of eight digits that are no dates, such as microseconds
    return Times(np.array(values, dtype=np.float64), "number")


def _read(value: object) -> tuple[str, datetime]:
    if isinstance(value, datetime | date):
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    else:
        text = str(value).strip()
        if _MONTH.fullmatch(text):
            return "month", _moment(f"{text}-01")
        if not isinstance(value, str) or not _DAY.fullmatch(text):
            raise ValueError
        moment = _moment(text)
    if moment.tzinfo is None:
        return "day", moment
    return "zoned", moment.astimezone(UTC).replace(tzinfo=None)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _seconds(moment: datetime) -> float:
    return (moment.replace(tzinfo=None) - _START).total_seconds()
