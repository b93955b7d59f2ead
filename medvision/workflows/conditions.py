"""The conditions of a rule file as steps of a selection."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd

from medvision.cohort.selection import Step
from medvision.config.selection import Conditions, Period, Range, Selection, Text

_RANGES = {
    "slice_spacing_mm": "slice spacing {} mm",
    "thickness_mm": "slice thickness {} mm",
    "pixel_spacing_mm": "pixel spacing {} mm",
    "slices": "{} slices",
}


def steps_of(selection: Selection, inventory: pd.DataFrame) -> list[Step]:
    """The steps of a rule file on an inventory: what no rule can allow, what it asks for, completeness.

    Args:
        selection: The rule file.
        inventory: One row a series.

    Returns:
        The steps in the order of the flow diagram.

    Example:
        >>> from medvision.workflows.inventory import inventory_table
        >>> rules = Selection(name="thin", where={"modality": ["CT"], "slice_spacing_mm": {"at_most": 2}})
        >>> [step.name for step in steps_of(rules, inventory_table([], show_patient=False))]
        ['original image', 'patient known', 'no copy', 'CT', 'slice spacing ≤ 2 mm', 'complete volume']
    """
    kinds = selection.where.kind
    wanted = " or ".join("original image" if kind == "image" else "derived image" for kind in kinds)
    other = inventory["kind"].replace({"image": "original image", "derived": "derived image"})
    return [
        Step(wanted, inventory["kind"].isin(kinds), other),
        Step("patient known", inventory["patient"] != "", _always(inventory, "no PatientID")),
        Step("no copy", inventory["duplicate_of"] == "", _always(inventory, "the same images once more")),
        *_asked_for(selection.where, inventory),
        Step("complete volume", inventory["complete"], inventory["why_not"].map(in_brief)),
    ]


def in_brief(why_not: str) -> str:
    """The kind of a refusal, for counting.

    Example:
        >>> in_brief("1 slice missing between image 3 and image 4: 5.00 mm apart where others are 2.50 mm")
        'slices missing'
    """
    for mark, brief in _BRIEF.items():
        if mark in why_not:
            return brief
    return why_not.split(":")[0].split(";")[0].split(",")[0]


_BRIEF = {
    "missing between": "slices missing",
    "cut short": "files cut short",
    "volumes at the same positions": "several volumes in one series",
    "positions hold several images": "several images at one position",
    "multi-frame": "multi-frame object, not read",
    "cannot be read and may belong": "unreadable files beside it",
    "is absent in": "without position, orientation or spacing",
    "gantry tilt": "gantry tilt",
    "shifted in their plane": "slices shifted",
    "colour image": "colour image",
    "transfer syntax": "transfer syntax not decoded",
    "lone slice": "a lone slice of unknown thickness",
}


def _asked_for(where: Conditions, inventory: pd.DataFrame) -> Iterator[Step]:
    if where.modality:
        name = " or ".join(where.modality)
        yield Step(name, inventory["modality"].isin(where.modality), "modality " + inventory["modality"])
    if where.study_date:
        yield _period(where.study_date, inventory["study_date"])
    yield from _text_steps(where, inventory)
    if where.orientation:
        yield _orientation(where, inventory)
    for column, words in _RANGES.items():
        wanted = getattr(where, column)
        if wanted is not None:
            yield Step(
                words.format(_bounds(wanted)),
                _within(inventory[column], wanted),
                _missing(inventory, column, words),
            )
    yield from _reconstruction(where, inventory)


def _text_steps(where: Conditions, inventory: pd.DataFrame) -> Iterator[Step]:
    for name in ("body_part", "description", "manufacturer"):
        wanted = getattr(where, name)
        if wanted is not None:
            yield _text_step(name.replace("_", " "), inventory[name], wanted)


def _period(wanted: Period, days: pd.Series[str]) -> Step:
    early = days < (wanted.first or "").replace("-", "")
    late = days > (wanted.last or "9999").replace("-", "")
    reasons = pd.Series("no study date", index=days.index, dtype=object)
    reasons = reasons.mask(early & (days != ""), f"study before {wanted.first}")
    reasons = reasons.mask(late, f"study after {wanted.last}")
    name = f"study from {wanted.first or 'the first'} to {wanted.last or 'the last'}"
    return Step(name, (days != "") & ~early & ~late, reasons)


def _text_step(what: str, texts: pd.Series[str], wanted: Text) -> Step:
    reasons = pd.Series(f"other {what}", index=texts.index, dtype=object).mask(texts == "", f"no {what}")
    return Step(_text_name(what, wanted), texts.map(_tester(wanted)).astype(bool), reasons)


def _reconstruction(where: Conditions, inventory: pd.DataFrame) -> Iterator[Step]:
    if where.kernel is not None:
        found = inventory["kernel_class"]
        reasons = found.where(found != "", "of unknown class").radd("kernel ")
        yield Step(f"{where.kernel} kernel", found == where.kernel, reasons)
    if where.kernel_name is not None:
        yield _text_step("kernel", inventory["kernel"], where.kernel_name)
    if where.sequence is not None:
        yield _text_step("sequence", inventory["sequence"], where.sequence)
    if where.contrast is not None:
        stated = inventory["contrast"] != ""
        names = ("contrast agent stated", "no contrast agent stated")
        (name, passes), other = ((names[0], stated), names[1]) if where.contrast == "yes" else (
            (names[1], ~stated), names[0]
        )  # fmt: skip
        yield Step(name, passes, _always(inventory, other))


def _orientation(where: Conditions, inventory: pd.DataFrame) -> Step:
    found = inventory["orientation"]
    nearest = found.str.removeprefix("oblique ")
    passes = nearest.isin(where.orientation)
    if where.oblique == "refused":
        passes &= ~found.str.startswith("oblique")
    # Without a volume there is no plane; why there is none says more.
    reasons = found.where(found != "", inventory["why_not"].map(in_brief))
    return Step(" or ".join(where.orientation), passes, reasons)


def _within(values: pd.Series[float], wanted: Range) -> pd.Series[bool]:
    numbers = values.astype("float64")
    # Spacings are computed from positions written with a few decimals.
    low = -1e-3 if wanted.at_least is None else wanted.at_least - 1e-3
    high = float("inf") if wanted.at_most is None else wanted.at_most + 1e-3
    return (numbers >= low) & (numbers <= high)


def _missing(inventory: pd.DataFrame, column: str, words: str) -> pd.Series[str]:
    what = "number of slices" if column == "slices" else words.removesuffix(" {} mm")
    other = _always(inventory, f"other {what}")
    return other.where(
        inventory[column].notna(), inventory["why_not"].map(in_brief).replace("", "not stated")
    )


def _bounds(wanted: Range) -> str:
    if wanted.at_least is None:
        return f"≤ {wanted.at_most:g}"
    return (
        f"≥ {wanted.at_least:g}" if wanted.at_most is None else f"{wanted.at_least:g} to {wanted.at_most:g}"
    )


def _tester(wanted: Text) -> Callable[[str], bool]:
    contains = [word.casefold() for word in wanted.contains]
    without = [word.casefold() for word in wanted.without]

    def passes(text: str) -> bool:
        found = text.casefold()
        return (not contains or any(word in found for word in contains)) and not any(
            word in found for word in without
        )

    return passes


def _text_name(what: str, wanted: Text) -> str:
    parts = []
    if wanted.contains:
        parts.append("with " + " or ".join(wanted.contains))
    if wanted.without:
        parts.append("without " + " or ".join(wanted.without))
    return f"{what} {', '.join(parts)}"


def _always(inventory: pd.DataFrame, text: str) -> pd.Series[str]:
    return pd.Series(text, index=inventory.index, dtype=object)
