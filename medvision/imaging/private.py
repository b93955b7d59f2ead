"""Private elements: found by their creator, whichever block of the group it has reserved (PS3.5 7.8.1)."""

from __future__ import annotations

from typing import Any

from medvision.imaging.values import Elements

_BLOCKS = range(0x10, 0x18)


def private_tags(group: int, *elements: int) -> tuple[int, ...]:
    """The tags to read so that `private` can find elements of a group, in any of its first eight blocks.

    Example:
        >>> [f"{tag:08X}" for tag in private_tags(0x2005, 0x0E)[:4]]
        ['20050010', '2005100E', '20050011', '2005110E']
    """
    found: list[int] = []
    for block in _BLOCKS:
        found += [group << 16 | block, *(group << 16 | block << 8 | element for element in elements)]
    return tuple(found)


def private(elements: Elements, group: int, creator: str, element: int) -> Any:  # noqa: ANN401 (any DICOM value)
    """The value of a private element; None where its creator is not named, or it is absent.

    Args:
        elements: With `private_tags` among them.
        group: Its group.
        creator: Who defines it, in any case of letters.
        element: Its last two digits.

    Example:
        >>> file = {0x20050011: "Philips MR Imaging DD 001", 0x2005110E: 0.25, 0x2005100E: 7.0}
        >>> private(file, 0x2005, "Philips MR Imaging DD 001", 0x0E)
        0.25
    """
    for block in _BLOCKS:
        if group << 16 | block not in elements:
            continue
        stated = _value(elements.get(group << 16 | block))
        if isinstance(stated, bytes):
            stated = stated.decode("ascii", "ignore")
        if str(stated or "").strip(" \0").casefold() == creator.casefold():
            value = _value(elements.get(group << 16 | block << 8 | element))
            if value is not None:
                return value
    return None


def _value(element: Any) -> Any:  # noqa: ANN401 (any DICOM value)
    """What pydicom wraps in an element, and this package's own reader does not."""
    return getattr(element, "value", element)
