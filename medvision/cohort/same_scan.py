"""One scan under two patients, found by what the files hold."""

from __future__ import annotations

from collections.abc import Mapping

from medvision.cohort.cases import Case, Cohort
from medvision.errors import CohortError, LeakageError
from medvision.wording import first_of


def same_scan_twice(cohort: Cohort, hashes: Mapping[str, str]) -> None:
    """Refuse a cohort in which one scan is used as two.

    Several cases of one patient may share a scan if their masks differ, as several nodules in one CT do.

    Args:
        cohort: The cases.
        hashes: Content hash by path, of every image and, where there are masks, of every mask; as
            :func:`~medvision.cohort.file_hashes` makes them.

    Raises:
        LeakageError: Two patients have the same scan; names them and the files.
        CohortError: Two cases of a patient have the same scan and mask; or a hash is missing.
    """
    owners: dict[str, Case] = {}
    pairs: dict[tuple[str, str | None], Case] = {}
    leaks, duplicates = [], []
    for case in cohort:
        image = _hash(case.image, hashes)
        mask = None if case.mask is None else _hash(case.mask, hashes)
        owner = owners.setdefault(image, case)
        twin = pairs.setdefault((image, mask), case)
        if owner.patient_id != case.patient_id:
            who = f"patients {owner.patient_id} and {case.patient_id} have the same scan"
            leaks.append(f"{who}: {owner.image} and {case.image}")
        elif twin is not case:
            what = "the same scan" if mask is None else "the same scan and mask"
            who = f"cases {twin.case_id} and {case.case_id} of patient {case.patient_id}"
            duplicates.append(f"{who} have {what}: {twin.image} and {case.image}")
    problems = [*first_of(leaks), *first_of(duplicates)]
    if leaks:
        raise LeakageError(
            "one scan stands under two patients, who could fall into training and test; "
            "give both rows one patient, or leave one out",
            problems=problems,
        )
    if duplicates:
        raise CohortError("cases stand there twice; leave one out", problems=problems)


def _hash(path: object, hashes: Mapping[str, str]) -> str:
    if str(path) not in hashes:
        raise CohortError(f"there is no hash of {path}; hash every image and mask of the cohort")
    return hashes[str(path)]
