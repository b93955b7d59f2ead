"""Cases as they are found in files and folders, before anybody said what they are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medvision.errors import CohortError
from medvision.wording import listed

ENDINGS = (".nii.gz", ".nii")
ONE_FILE_ONE_PATIENT = "file"
"""The rule that takes every file as a patient of its own."""
_OCCASION = re.compile(
    r"(?i)(?P<patient>.*\d.*?)[_.-](\d{1,2}|\d{8}|(v|t|tp|m|fu|day|scan|run|visit|session|timepoint)-?\d+|"
    r"ses-?[a-z0-9]+|pre|post|baseline|bl|fu|followup|follow-up|left|right|l|r)"
)
_SUBJECT = re.compile(r"(?:^|[/_])sub-([A-Za-z0-9]+)(?=[/_.]|$)")


@dataclass(frozen=True)
class FoundCases:
    """Cases of a source that has no table of its own.

    Attributes:
        columns: Values by column: `patient_id`, `case_id`, `image`, perhaps `mask` and others; absolute
            paths as text, None where there is none.
        assumed: What was assumed to get there, one sentence each.
    """

    columns: dict[str, list[object]]
    assumed: tuple[str, ...] = field(default=())


def stem(path: str | Path) -> str:
    """The name of a NIfTI file without its ending.

    Example:
        >>> stem("scans/p001_1.nii.gz")
        'p001_1'
    """
    name = Path(path).name
    lower = name.lower()
    return next((name[: -len(end)] for end in ENDINGS if lower.endswith(end)), Path(name).stem)


def patients_of(names: Sequence[str], rule: str | None = None) -> tuple[list[str], str]:
    """Tell the patients of cases apart by the cases' names, and say by which rule.

    A patient who is divided into two leaks from training into the test; two patients who are joined only
    widen the intervals. So names that look like several scans of one patient are joined.

    Args:
        names: Name of each case, perhaps with folders before it.
        rule: A regular expression whose first group is the patient; `file` for one patient a case; by
            default BIDS's `sub-XX`, then occasions such as `p001_1` and `p001_2`, then one patient a case.

    Returns:
        The patient of each case, and a sentence on the rule.

    Raises:
        CohortError: The expression is none, or does not fit every name.

    Example:
        >>> patients_of(["p001_1", "p001_2", "p002_1"])[0]
        ['p001', 'p001', 'p002']
        >>> patients_of(["case_1", "case_2"])[0]
        ['case_1', 'case_2']
    """
    if rule is not None and rule != ONE_FILE_ONE_PATIENT:
        return _by_expression(names, rule), f"patients are what {rule!r} finds in the names, as asked for"
    subjects = [match[1] if (match := _SUBJECT.search(name)) else None for name in names]
    if rule is None and names and all(subjects):
        return [f"sub-{subject}" for subject in subjects], "patients are the sub-XX of the names, as in BIDS"
    joined = [_without_occasion(name) for name in names]
    groups = defaultdict(list)
    for patient, name in zip(joined, names, strict=True):
        groups[patient].append(name)
    shared = {patient: members for patient, members in groups.items() if len(members) > 1}
    if rule is None and shared and len(groups) > 1:
        return joined, (
            f"names that share a beginning were taken as scans of one patient ({_shown(shared)}): "
            f"{len(names)} scans of {len(groups)} patients; if each file is a patient, give --patient file, "
            "else mend patient_id in the manifest"
        )
    asked = ", as asked for" if rule else ""
    sentence = (
        f"EVERY FILE IS TAKEN AS A PATIENT OF ITS OWN{asked}; if a patient has several scans, correct "
        "patient_id in the manifest, or give --patient REGEX, or test cases will have been trained on"
    )
    return list(names), sentence


def _by_expression(names: Sequence[str], rule: str) -> list[str]:
    try:
        expression = re.compile(rule)
    except re.error as error:
        raise CohortError(f"--patient {rule!r} is no regular expression: {error}") from None
    if expression.groups < 1:
        raise CohortError(
            f"--patient {rule!r} has no group; put the patient in brackets, such as '(p[0-9]+)'"
        )
    matches = [expression.search(name) for name in names]
    missed = [name for name, match in zip(names, matches, strict=True) if match is None or not match[1]]
    if missed:
        raise CohortError(f"--patient {rule!r} finds no patient in {listed(missed)}")
    return [match[1] for match in matches if match is not None]


def _without_occasion(name: str) -> str:
    match = _OCCASION.fullmatch(name)
    while match is not None:
        name = match["patient"]
        match = _OCCASION.fullmatch(name)
    return name


def _shown(shared: dict[str, list[str]]) -> str:
    return "; ".join(f"{listed(names, 3)} → {who}" for who, names in list(shared.items())[:3])
