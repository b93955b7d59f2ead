"""Values of DICOM elements as plain Python, whatever read them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Protocol, TypeAlias

import numpy as np

from medvision.imaging.geometry import FloatArray

Key: TypeAlias = "tuple[float | str, ...]"
Keys: TypeAlias = "dict[str, Key]"


class Elements(Protocol):
    """What pydicom's data sets and this package's own reader of headers have in common."""

    def get(self, name: str | int, default: Any = None, /) -> Any:  # noqa: ANN401 (any DICOM value)
        """The value of an element by keyword, or `default`."""
        ...

    def __contains__(self, name: str | int, /) -> bool: ...


def text(elements: Elements, name: str) -> str:
    """A value as text; "" where it is absent or empty."""
    value = elements.get(name)
    return "" if value is None else str(value)


def number(elements: Elements, name: str) -> float | None:
    """A single finite number; None where it is absent or empty.

    Raises:
        ValueError: Several values, or one that is no finite number.
    """
    value = elements.get(name)
    if value is None or value == "":
        return None
    if is_many(value) or not math.isfinite(float(value)):
        raise ValueError(f"{name} is {value}")
    return float(value)


def vector(elements: Elements, name: str, length: int) -> FloatArray | None:
    """So many finite numbers; None where they are absent or empty.

    Raises:
        ValueError: Another number of values, or some that are no finite numbers.
    """
    value = elements.get(name)
    if not is_many(value) or len(value) == 0:
        return None
    found = [float(v) for v in value]
    if len(found) != length or not all(map(math.isfinite, found)):
        raise ValueError(f"{name} is {list(value)}")
    return np.array(found, dtype=np.float64)


def strings(value: Any) -> list[str]:  # noqa: ANN401 (any DICOM value)
    """One value or several, as a list of texts."""
    return [str(v) for v in _listed(value)]


def key(value: Any) -> Key:  # noqa: ANN401 (any DICOM value)
    """One value or several, as a tuple of numbers and texts that can be compared."""
    return tuple(float(v) if isinstance(v, int | float) else str(v) for v in _listed(value))


def is_many(value: Any) -> bool:  # noqa: ANN401 (any DICOM value)
    """Whether an element has several values."""
    if value is None or isinstance(value, str | float | int | bytes):  # most values; spares the import
        return False
    from pydicom.multival import MultiValue

    return isinstance(value, MultiValue | list | tuple)


def _listed(value: Any) -> Iterable[Any]:  # noqa: ANN401 (any DICOM value)
    return value if is_many(value) else [value]
