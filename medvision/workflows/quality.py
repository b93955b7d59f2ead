"""`medvision check --data`: every scan of a cohort measured, copies and shortcuts found, and a page of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from medvision.cohort import Case, Cohort, file_hashes
from medvision.cohort.outliers import THRESHOLD, Oddness, find_outliers
from medvision.config import ClassificationTask, Study, StudyFile
from medvision.errors import CohortError, LeakageError, MedvisionError
from medvision.runs import atomic_write, cache_folder
from medvision.wording import first_of, listed, several
from medvision.workflows.copies import Copies, find_copies
from medvision.workflows.header_fields import case_fields
from medvision.workflows.opened import MOST_NAMED, OpenedStudy, open_study, reads_masks
from medvision.workflows.progress import Display, display
from medvision.workflows.quality_case import ExaminedCase, examine
from medvision.workflows.quality_tables import (
    FAULTS,
    copies_table,
    measures_table,
    numeric_measures,
    shortcuts_table,
)
from medvision.workflows.shortcuts import Shortcut, find_shortcuts, label_contradictions


@dataclass(frozen=True, eq=False)
class CheckedData:
    """What a look at every voxel found; its text is what the command line prints.

    Args:
        opened: The study, its cases and splits.
        examined: Measures by case id, of those that could be read.
        unreadable: Why each of the others could not, by case id.
        measures: The numbers that cases are ranked by, in the order of `examined`.
        oddness: The rank.
        copies: Pairs of cases that show the same.
        shortcuts: Fields that tell the label, the best first; none without labels.
        mixed: Patients with cases of both labels, and how many of each (0, 1).
        page: Where `quality.html` lies.
    """

    opened: OpenedStudy
    examined: dict[str, ExaminedCase]
    unreadable: dict[str, str]
    measures: pd.DataFrame
    oddness: Oddness
    copies: Copies
    shortcuts: tuple[Shortcut, ...]
    mixed: dict[str, tuple[int, int]]
    page: Path

    @property
    def outliers(self) -> list[str]:
        """Cases with a measure beyond the threshold, the oddest first."""
        names = list(self.examined)
        return [names[place] for place in self.oddness.order if self.oddness.score[place] > THRESHOLD]

    def __str__(self) -> str:
        study = self.opened.study
        exact = sum(pair.kind == "exact" for pair in self.copies.pairs)
        near = len(self.copies.pairs) - exact
        leaks = sum(pair.leaks for pair in self.copies.pairs)
        lines = [
            f"{study.name}: {len(self.examined)} of {len(self.opened.development)} {study.task.unit}s read",
            f"  outliers    {len(self.outliers)} beyond a robust z of {THRESHOLD:g}{self._oddest()}",
            f"  copies      {exact} exact, {near} near-duplicates (similarity from "
            f"{self.copies.threshold:.2f}); {leaks} cross a patient or a split",
        ]
        if isinstance(study.task, ClassificationTask):
            lines.append(f"  labels      {several(len(self.mixed), 'patient')} with cases of both classes")
            best: dict[str, str] = {}
            for each in self.shortcuts:
                if each.strong:
                    best.setdefault(each.field, f"{each.field} {each.area}")
            named = f", AUC: {listed(best.values(), 5)}" if best else ""
            lines.append(f"  shortcuts   {several(len(best), 'strong field')}{named}")
        return "\n".join([*lines, f"  page        {self.page}"])

    def _oddest(self) -> str:
        if not self.outliers:
            return ""
        place = self.oddness.order[0]
        return f", the oddest {self.outliers[0]} ({self.oddness.measure[place]})"


def check_data(
    study: str | Path | Study | StudyFile,
    overrides: Sequence[str] = (),
    *,
    out: Path | None = None,
    quiet: bool = True,
) -> CheckedData:
    """Read every scan and mask, and write `quality.html`, `quality.csv`, `duplicates.csv`, `shortcuts.csv`.

    Scans that were read before are not read again: what is kept of them depends on the files' content. The
    four files are written before any error is raised.

    Args:
        study: A study file, or a `Study` made in Python.
        overrides: Settings that come last.
        out: Folder of the four files; by default `quality` beside the study file.
        quiet: Show no progress.

    Returns:
        What was found.

    Raises:
        LeakageError: One scan, or a near-duplicate of it, stands under two patients, or in training and test.
        CohortError: Scans that cannot be read, or one scan with one mask and two labels.
        MedvisionError: The study or its cohort is wrong.
    """
    from medvision.reporting.quality_page import render_quality
    from medvision.workflows.quality_contents import page_contents

    opened = open_study(study, overrides)
    folder = Path(out) if out is not None else opened.file.folder / "quality"
    with display(quiet=quiet) as shown:
        examined, unreadable = _examine_all(opened, shown)
        cohort = opened.development.select(list(examined))
        task = shown.task("comparing scans", len({each.voxels for each in examined.values()}))
        copies = find_copies(
            cohort, opened.splits, examined, threads=_threads(), progress=lambda done: task.advance(done)
        )
    measures = numeric_measures(examined)
    oddness = find_outliers(measures, faults=FAULTS)
    shortcuts, mixed = _labels(opened, cohort, examined)
    found = CheckedData(
        opened, examined, unreadable, measures, oddness, copies, shortcuts, mixed, folder / "quality.html"
    )
    tables = {
        "quality": measures_table(opened.development, examined, unreadable, measures, oddness),
        "duplicates": copies_table(copies),
        "shortcuts": shortcuts_table(shortcuts),
    }
    for name, table in tables.items():
        atomic_write(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
    atomic_write(found.page, render_quality(page_contents(found)))
    _refuse(found)
    return found


def _examine_all(opened: OpenedStudy, shown: Display) -> tuple[dict[str, ExaminedCase], dict[str, str]]:
    """Measure every case; what cannot be read is named and does not stop the others."""
    cases, with_mask = list(opened.development), _with_masks(opened)
    paths = [path for case in cases for path in (case.image, case.mask if with_mask else None) if path]
    hashing = shown.task("reading input files", len(paths))
    hashes = file_hashes(paths, index=cache_folder() / "hashes.json")
    hashing.advance(len(paths))
    task = shown.task("measuring scans", len(cases))
    done: dict[str, ExaminedCase] = {}
    problems: dict[str, str] = {}
    look = partial(
        examine,
        with_mask=with_mask,
        hashes=hashes,
        labels=opened.structures,
        **opened.study.preprocessing.reading.options(),
    )
    with ThreadPoolExecutor(_threads()) as pool:
        futures = {pool.submit(look, case): case for case in cases}
        for finished, future in enumerate(as_completed(futures), start=1):
            case: Case = futures[future]
            try:
                done[case.case_id] = future.result()
            except MedvisionError as error:
                problems[case.case_id] = str(error)
            task.advance(finished)
    order = [case.case_id for case in cases]
    return (
        {name: done[name] for name in order if name in done},
        {name: problems[name] for name in order if name in problems},
    )


def _with_masks(opened: OpenedStudy) -> bool:
    """Masks are looked at wherever every case has one, whether or not the study learns from them."""
    return reads_masks(opened.study) or all(case.mask is not None for case in opened.development)


def _threads() -> int:
    return min(8, os.cpu_count() or 1)


def _labels(
    opened: OpenedStudy, cohort: Cohort, examined: dict[str, ExaminedCase]
) -> tuple[tuple[Shortcut, ...], dict[str, tuple[int, int]]]:
    if not isinstance(opened.study.task, ClassificationTask) or not len(cohort):
        return (), {}
    cases = list(cohort)
    labels = [int(label) for label in cohort.table["label"]]
    patients = cohort.table["patient_id"].tolist()
    fields = case_fields(opened, cases, examined)
    shortcuts = find_shortcuts(fields, labels, patients, seed=opened.study.seed)
    return tuple(shortcuts), dict(label_contradictions(patients, labels))


def _refuse(found: CheckedData) -> None:
    leaks = [str(pair) for pair in found.copies.pairs if pair.leaks]
    contradictions = [
        f"{pair}, labelled {pair.labels[0]} and {pair.labels[1]}"
        for pair in found.copies.pairs
        if pair.kind == "exact" and pair.contradicts
    ]
    if leaks:
        raise LeakageError(
            f"one scan stands under two patients or in training and test ({several(len(leaks), 'pair')}); "
            f"give both cases one patient id or leave one out, and see {found.page}",
            problems=[*first_of(leaks, MOST_NAMED), *first_of(contradictions, MOST_NAMED)],
        )
    cohort = {case.case_id: case for case in found.opened.development}
    broken = [
        f"case {name} of patient {cohort[name].patient_id}: {problem}"
        for name, problem in found.unreadable.items()
    ]
    if broken or contradictions:
        told = [f"{several(len(broken), 'case')} cannot be read"] * bool(broken)
        told += [f"{several(len(contradictions), 'pair')} of one scan with two labels"] * bool(contradictions)
        raise CohortError(
            f"{' and '.join(told)}; mend or exclude them, and see {found.page}",
            problems=[*first_of(broken, MOST_NAMED), *first_of(contradictions, MOST_NAMED)],
        )
