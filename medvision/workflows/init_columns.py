"""What the columns of a table are: patient, image, mask, label, covariates, and what must be no input."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from medvision.cohort.cases import STANDARD_COLUMNS
from medvision.cohort.covariates import covariate_column
from medvision.cohort.tables import as_text
from medvision.errors import CohortError
from medvision.wording import did_you_mean, listed
from medvision.workflows.inventory import COLUMNS

Columns = Mapping[str, Sequence[object]]
_NAMES = {
    "patient": (
        "patientid", "patient", "patientidentifier", "subjectid", "subject", "participantid", "participant",
        "pseudonym", "patientpseudonym", "patid", "pid",
    ),
    "case": ("caseid", "case", "scanid", "imageid", "seriesid", "id"),
    "image": (
        "image", "imagepath", "imagefile", "img", "imgpath", "scan", "scanpath", "path", "filepath", "file",
        "filename", "folder", "series", "seriespath", "seriesfolder", "dicom", "dicomfolder",
        "nifti", "volume",
    ),
    "mask": (
        "mask", "maskpath", "maskfile", "seg", "segpath", "segmentation", "segmentationpath", "labelmap",
        "roi", "annotation", "labelpath",
    ),
}  # fmt: skip
_LABELS = {
    "label", "class", "target", "diagnosis", "outcome", "y", "groundtruth", "gt", "disease", "malignant",
    "malignancy", "cancer", "positive", "status", "finding", "pathology", "event", "response", "group",
    "tumour", "tumor", "abnormal", "casecontrol",
}  # fmt: skip
_NO_LABELS = re.compile(
    r"(?i)sex|gender|side|later|hand|scanner|site|cent(er|re)|vendor|manufact|kernel|contrast|split|fold|(^|_)set"
    r"|batch|modality|smok|complete|duplicate"
)
_ANSWERS = re.compile(
    r"(?i)rating|bi-?rads|pi-?rads|li-?rads|lung-?rads|gleason|histolog|patholog|biops|diagnos|outcome|surviv"
    r"|death|died|recur|relapse|follow.?up|reader|radiologist|ground.?truth"
)
_PERSONAL = re.compile(
    r"(?i)(^|_)(name|surname|first_?name|last_?name|address|phone|e?mail|mrn|ssn|accession.*|dob)($|_)|birth"
)
_SPLIT = re.compile(r"(?i)split|fold|(^|_)set$|partition")
_DATE = re.compile(r"\d{4}-?\d{2}-?\d{2}.*|\d{1,2}[./]\d{1,2}[./]\d{2,4}")
_POSITIVE = (
    {"1", "true", "yes", "y", "positive", "pos", "malignant", "cancer", "abnormal", "disease", "diseased",
     "tumour", "tumor", "case", "patient", "present", "event"},
    {"0", "false", "no", "n", "negative", "neg", "benign", "normal", "healthy", "control", "absent", "none"},
)  # fmt: skip
_PERFECT, _STRONG, _MOST_VALUES = 0.995, 0.9, 12


@dataclass(frozen=True)
class Label:
    """The label of a classification.

    Attributes:
        column: Its column.
        positive: The value for diseased.
        negative: The value for not diseased.
    """

    column: str
    positive: str | int | bool
    negative: str | int | bool


@dataclass(frozen=True)
class Inputs:
    """What the columns that are neither label nor file may be.

    Attributes:
        covariates: Kept for Table 1 and comparators.
        forbidden: Must be no input, with the reason.
        left_out: Not named in the study, with the reason.
        strong: Covariates that alone tell the label, with their AUC.
    """

    covariates: list[str] = field(default_factory=list)
    forbidden: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    strong: dict[str, float] = field(default_factory=dict)


def column_of(role: str, columns: Columns, folder: Path) -> str | None:
    """Find the column for a role by its name, and for files also by whether they are there.

    Args:
        role: `patient`, `case`, `image` or `mask`.
        columns: The table.
        folder: What its paths are relative to.

    Returns:
        The column; None where there is none.

    Raises:
        CohortError: Several columns could be it.
    """
    by_plain = {_plain(name): name for name in reversed(list(columns))}
    fitting = [by_plain[name] for name in _NAMES[role] if name in by_plain]
    if role in {"image", "mask"}:
        fitting = [name for name in fitting if _are_files(columns[name], folder)]
        return fitting[0] if fitting else None
    if len(fitting) > 1 and _plain(fitting[0]) != _NAMES[role][0]:
        raise CohortError(f"{listed(fitting)} could all be the {role}; name one with --{role}")
    return fitting[0] if fitting else None


def label_of(
    columns: Columns, taken: Sequence[str], *, asked: str | None, positive: str | None
) -> tuple[Label | None, str]:
    """Find the label, and say why it was taken.

    Args:
        columns: The table.
        taken: Columns that are something else.
        asked: The column that the user names.
        positive: The positive value that the user names.

    Returns:
        The label, and the sentence; None where no column has the name and the two values of a label.

    Raises:
        CohortError: No such column, no two values, several candidates, or no telling which value is positive.
    """
    if asked is not None:
        if asked not in columns:
            raise CohortError(f"no column {asked!r} for --label{did_you_mean(asked, columns)}")
        return _label(asked, columns, positive), f"the label is {asked!r}, as asked for"
    two = [name for name in columns if name not in taken and len(_values(columns[name])) == 2]
    named = [name for name in two if is_named_label(name)]
    others = [name for name in two if name not in {*named, *COLUMNS} and not _NO_LABELS.search(name)]
    candidates = named or others
    if len(candidates) > 1:
        raise CohortError(
            f"{len(candidates)} columns could be the label; name one with --label",
            problems=[f"{name}: {' or '.join(_values(columns[name]))}" for name in candidates],
        )
    if not candidates:
        return None, _several_values(columns, taken)
    why = "by its name" if named else "it alone has two values"
    return _label(candidates[0], columns, positive), f"the label is {candidates[0]!r} ({why})"


def official_splits(columns: Columns) -> dict[str, list[str]]:
    """Columns that name the training and test part of a split, and their values.

    Example:
        >>> official_splits({"split": ["train", "val", "test"], "fold": [0, 1, 2]})
        {'split': ['test', 'train', 'val']}
    """
    found = {name: _values(values) for name, values in columns.items() if _SPLIT.search(name)}
    return {
        name: values
        for name, values in found.items()
        if {"train", "test"} <= {re.sub(r"ing$", "", value.lower()) for value in values}
    }


def is_named_label(name: str) -> bool:
    """Whether a column is called as labels are, such as `diagnosis`."""
    return _plain(name) in _LABELS


def _several_values(columns: Columns, taken: Sequence[str]) -> str:
    """Say that a column is called like a label and has not two values."""
    named = [name for name in columns if name not in taken and is_named_label(name)]
    held = [f"{name} has {len(_values(columns[name]))} values" for name in named]
    return f"no label: {'; '.join(held)}, and a classification takes two" if held else "no label was found"


def _label(name: str, columns: Columns, positive: str | None) -> Label:
    values = _values(columns[name])
    if len(values) != 2:
        raise CohortError(
            f"the label {name!r} has {len(values)} values ({listed(values)}), and a classification "
            "takes two; make a column with two values"
        )
    if positive is None:
        likely = [
            value
            for value in values
            if value.lower() in _POSITIVE[0]
            or not {v.lower() for v in values if v != value}.isdisjoint(_POSITIVE[1])
        ]
        if len(likely) != 1:
            raise CohortError(
                f"the label {name!r} is {' or '.join(values)}; say which is diseased with --positive"
            )
        positive = likely[0]
    if positive not in values:
        raise CohortError(
            f"the label {name!r} never is {positive!r} (--positive); it is {' or '.join(values)}"
        )
    negative = next(value for value in values if value != positive)
    return Label(name, _typed(positive), _typed(negative))


def sort_inputs(columns: Columns, taken: Sequence[str], label: Label | None, folder: Path) -> Inputs:
    """Sort the other columns into covariates, forbidden ones, and those that are neither.

    Args:
        columns: The table.
        taken: Columns that are something else.
        label: The label; None for a segmentation.
        folder: What paths are relative to.

    Returns:
        The columns with reasons.
    """
    inputs = Inputs()
    truth = None if label is None else _truth(columns[label.column], label)
    for name, values in columns.items():
        if name in taken or (label is not None and name == label.column):
            continue
        reason = next(_unfit(name, values, folder), None)
        auc = None if truth is None else separation(values, truth)
        if reason is not None:
            inputs.left_out[name] = reason
        elif label is not None and (why := _tells(name, label, auc)):
            inputs.forbidden[name] = why
        else:
            inputs.covariates.append(name)
            if auc is not None and auc >= _STRONG:
                inputs.strong[name] = auc
    return inputs


def separation(values: Sequence[object], truth: Sequence[bool | None]) -> float | None:
    """How well a column alone tells the label: AUC, at least 0.5, of numbers or of categories.

    Categories are ranked by their share of positive cases, so that a rare one tells more than it should.

    Args:
        values: The column.
        truth: Whether each case is positive; None where that is missing.

    Returns:
        The area, 0.5 to 1; None for fewer than 10 cases with a value, or cases of one class.

    Example:
        >>> separation([1, 2, 3, 4, 5] * 2, [False, False, False, True, True] * 2)
        1.0
    """
    from scipy.stats import rankdata

    known = [
        (value, is_positive)
        for value, is_positive in zip(values, truth, strict=True)
        if value is not None and is_positive is not None
    ]
    positive = np.array([is_positive for _, is_positive in known], dtype=bool)
    if len(known) < 10 or positive.all() or not positive.any():
        return None
    series = covariate_column([value for value, _ in known])
    if series.dtype == object:
        texts = np.array([as_text(value) for value, _ in known])
        if len(set(texts)) > _MOST_VALUES:
            return None
        scores = np.array([positive[texts == text].mean() for text in texts])
    else:
        scores = series.to_numpy(dtype=np.float64)
    count, all_positive = len(known), int(positive.sum())
    ranks = float(rankdata(scores)[positive].sum())
    area = (ranks - all_positive * (all_positive + 1) / 2) / (all_positive * (count - all_positive))
    return max(area, 1 - area)


def _unfit(name: str, values: Sequence[object], folder: Path) -> Iterator[str]:
    """Why a column can be no covariate."""
    known = [value for value in values if value is not None]
    texts = {as_text(value) for value in known}
    if name in STANDARD_COLUMNS:
        yield "its name means something else here"
    if _PERSONAL.search(name):
        yield "it may name a person"
    if _SPLIT.search(name):
        yield "it names parts of a split"
    if len(known) < len(values) / 2:
        yield "it is empty for more than half of the cases"
    if len(texts) < 2:
        yield "it has one value"
    if known and all(_DATE.fullmatch(as_text(value)) for value in known):
        yield "it is a date"
    if _are_files(values, folder):
        yield "it names files"
    if covariate_column(list(values)).dtype == object and len(texts) > _MOST_VALUES:
        yield f"it is text of {len(texts)} different values"
    if re.search(r"(?i)uid$|(^|_)id$|number$|^(study|series)$", name):
        yield "it is an identifier"


def _tells(name: str, label: Label, auc: float | None) -> str:
    """Why a column might be the label in another form; nothing where it is not."""
    plain, other = _plain(name), _plain(label.column)
    if auc is not None and auc >= _PERFECT:
        return f"alone it tells {label.column!r} with AUC {auc:.3f}: the label in another form?"
    if len(other) >= 4 and (plain.startswith(other[:6]) or other.startswith(plain[:6])):
        return f"its name begins like the label {label.column!r}"
    if _ANSWERS.search(name):
        return "its name says that somebody who knew the answer wrote it"
    return ""


def _truth(values: Sequence[object], label: Label) -> list[bool | None]:
    positive = label_text(label.positive)
    return [None if value is None else label_text(value) == positive for value in values]


def _are_files(values: Sequence[object], folder: Path) -> bool:
    """Whether the first cells all name something that is there."""
    texts = [as_text(value) for value in values if value is not None][:20]
    return bool(texts) and all(
        ("/" in text or "." in text or "\\" in text or (folder / text).is_dir()) and (folder / text).exists()
        for text in texts
    )


def _values(values: Sequence[object]) -> list[str]:
    return sorted({label_text(value) for value in values if value is not None})


def label_text(value: object) -> str:
    """A label as text; a whole number that a program wrote as `1.0` is 1.

    Example:
        >>> label_text("1.0"), label_text(1), label_text("yes")
        ('1', '1', 'yes')
    """
    return re.sub(r"^(-?\d+)\.0+$", r"\1", as_text(value))


def _typed(text: str) -> str | int | bool:
    """A value as YAML would give it, so that `positive: 1` stays a number."""
    if re.fullmatch(r"-?(0|[1-9]\d*)", text):
        return int(text)
    return text


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
