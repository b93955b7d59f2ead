"""What the page of `medvision check --data` says, in sentences and small tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from medvision.cohort.outliers import THRESHOLD, unusual
from medvision.config import ClassificationTask
from medvision.reporting.quality_page import PairOfThumbnails, QualityPage, Thumbnail
from medvision.reporting.tables.table import Table
from medvision.wording import listed, several
from medvision.workflows.copies import Copy

if TYPE_CHECKING:
    from medvision.workflows.quality import CheckedData

_MOST_THUMBNAILS, _MOST_PAIRS, _MOST_FIELDS = 200, 40, 40


def page_contents(found: CheckedData) -> QualityPage:
    """Return what the page says.

    Args:
        found: What the check found.
    """
    study, cohort = found.opened.study, found.opened.development
    tables = {"measures": _measures(found)}
    if found.shortcuts:
        tables["shortcuts"] = _shortcuts(found)
    thumbnails = [_thumbnail(found, place) for place in found.oddness.order[:_MOST_THUMBNAILS]]
    hidden = len(found.examined) - len(thumbnails)
    return QualityPage(
        title=f"{study.title or study.name}: the data",
        subtitle=f"{len(cohort)} {study.task.unit}s of {cohort.table['patient_id'].nunique()} patients",
        errors=list(_errors(found)),
        findings=list(_findings(found)),
        thumbnails=thumbnails,
        shown=f"The {len(thumbnails)} oddest are shown; all stand in quality.csv." if hidden else "",
        pairs=[_pair(found, pair) for pair in found.copies.pairs[:_MOST_PAIRS]],
        tables=tables,
        notes=_NOTES,
    )


_NOTES = (
    "z is robust: 0.6745 times the distance from the median, divided by the median absolute deviation; "
    f"beyond {THRESHOLD:g} a value is called an outlier (Iglewicz and Hoaglin 1993). Among many measures "
    "some case is always over it: look at these cases, do not leave them out because of the number.",
    "Thumbnails show the slice with most of the mask, or the middle one, in radiological convention.",
)


def _errors(found: CheckedData) -> Iterator[str]:
    leaks = [pair for pair in found.copies.pairs if pair.leaks]
    if leaks:
        yield (
            f"{several(len(leaks), 'pair')} of cases with one scan, across patients or a split: "
            f"{listed((f'{pair.first} and {pair.second}' for pair in leaks), 5)}."
        )
    for pair in found.copies.pairs:
        if pair.kind == "exact" and pair.contradicts:
            yield f"Cases {pair.first} and {pair.second} are one image with two labels."
    for name, problem in list(found.unreadable.items())[:20]:
        yield f"Case {name} cannot be read: {' '.join(problem.split())}"


def _findings(found: CheckedData) -> Iterator[str]:
    examined = found.examined
    yield (
        f"{len(found.outliers)} of {several(len(examined), 'case')} with a measure beyond a robust z of "
        f"{THRESHOLD:g}."
    )
    yield (
        f"{several(len(found.copies.pairs), 'pair')} of copies; near-duplicates from a similarity of "
        f"{found.copies.threshold:.2f}, {found.copies.compared} pairs compared in detail."
    )
    flags = {
        "values that are not finite": [n for n, c in examined.items() if c.image.not_finite > 0],
        "slices of one single value": [n for n, c in examined.items() if c.image.constant_slices > 0],
        "an empty mask": [n for n, c in examined.items() if c.mask is not None and not c.mask.volume_mm3],
        "a mask that touches the border of the volume": [
            n for n, c in examined.items() if c.mask is not None and c.mask.touches_border
        ],
    }
    for what, names in flags.items():
        if names:
            yield f"{several(len(names), 'case')} with {what}: {listed(names, 5)}."
    for field in ("orientation", "dtype", "modality"):
        for value, count in unusual([str(getattr(c.image, field)) for c in examined.values()]).items():
            yield f"{several(count, 'case')} with the {field} {value or 'unknown'}, unlike most."
    if isinstance(found.opened.study.task, ClassificationTask):
        yield from _label_findings(found)


def _label_findings(found: CheckedData) -> Iterator[str]:
    unit = found.opened.study.task.unit
    yield "No label is missing: a case without one is refused when the table is read."
    if found.mixed:
        text = f"{several(len(found.mixed), 'patient')} with cases of both classes: {listed(found.mixed, 5)}."
        meant = "The label belongs to the patient, so one of them is wrong." if unit == "patient" else (
            f"That may be so, since a case is a {unit}."
        )  # fmt: skip
        yield f"{text} {meant}"
    perfect = list(dict.fromkeys(each.field for each in found.shortcuts if each.perfect))
    if perfect:
        yield f"The label is told without error by {listed(perfect)}; none of these may be an input."
    strong = [each for each in found.shortcuts if each.strong and not each.perfect]
    if strong:
        named = listed(dict.fromkeys(f"{each.field} (AUC {each.area.value:.2f})" for each in strong))
        yield f"Strong shortcuts: {named}. Read an image model against them."


def _thumbnail(found: CheckedData, place: int) -> Thumbnail:
    name = list(found.examined)[place]
    measure = found.oddness.measure[place]
    z = found.oddness.z.iloc[place]
    text = "like the others"
    if measure:
        text = f"{measure} {found.measures[measure].iloc[place]:.4g} (z {z[measure]:+.1f})"
    sizes = {str(key): round(abs(float(value)), 3) for key, value in z.dropna().items()}
    score = float(found.oddness.score[place])
    return Thumbnail(
        name, found.examined[name].thumbnail, text, {"oddness": score, **sizes}, score > THRESHOLD
    )


def _pair(found: CheckedData, pair: Copy) -> PairOfThumbnails:
    first, second = (
        Thumbnail(name, _pixels(found, name), f"patient {patient}", {}, odd=False)
        for name, patient in zip((pair.first, pair.second), pair.patients, strict=True)
    )
    what = "The same voxels" if pair.kind == "exact" else f"Near-duplicates, similarity {pair.similarity:.3f}"
    mirrored = f", mirrored {pair.flip}" if pair.flip else ""
    masks = {True: ", the same mask", False: ", another mask", None: ""}[pair.same_mask]
    patients = "different patients" if pair.crosses_patient else "one patient"
    split = (
        "in training and test of a fold" if pair.crosses_split else "never in training and test of one fold"
    )
    return PairOfThumbnails(first, second, f"{what}{mirrored}{masks}; {patients}; {split}.", pair.leaks)


def _pixels(found: CheckedData, name: str) -> npt.NDArray[np.uint8]:
    return found.examined[name].thumbnail


def _measures(found: CheckedData) -> Table:
    numbers, rows = found.measures, []
    for name in numbers.columns:
        known = numbers[name].dropna()
        over = int((found.oddness.z[name].abs() > THRESHOLD).sum())
        spread = (known - known.median()).abs().median()
        cells = (known.median(), spread, known.min(), known.max())
        rows.append((str(name), str(len(known)), *(f"{cell:.4g}" for cell in cells), str(over)))
    columns = ("Measure", "Cases", "Median", "MAD", "Lowest", "Highest", f"|z| > {THRESHOLD:g}")
    return Table("measures", "Measures over the cases", columns, tuple(rows))


def _shortcuts(found: CheckedData) -> Table:
    rows = []
    for each in found.shortcuts[:_MOST_FIELDS]:
        mark = "tells the label" if each.perfect else "strong" if each.strong else ""
        kind = each.kind if not each.direction else f"{each.kind}, {each.direction} in the positive class"
        p = "" if each.p != each.p else f"{each.p:.2g}"
        rows.append((each.field, each.source, kind, str(each.area), p, mark))
    return Table(
        "shortcuts",
        "How well each field tells the label by itself",
        ("Field", "From", "Taken as", "AUC (95% CI)", "p (Holm)", ""),
        tuple(rows),
        (
            "Intervals count patients. Categories are scored by the share of the positive class among other "
            "patients and averaged over five folds. Strong: the lower limit is 0.7 or more. A field that "
            "tells the label is a warning only where a model can see it or the image carries it.",
        ),
    )
