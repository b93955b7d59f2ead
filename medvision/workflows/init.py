"""Propose a study: a manifest and a commented study file, and say what was assumed."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from medvision.cohort.tables import as_text
from medvision.config import load_study
from medvision.errors import CohortError, MedvisionError
from medvision.runs import atomic_path, atomic_write
from medvision.wording import first_of
from medvision.workflows.init_columns import Inputs, Label, is_named_label, label_of, label_text, sort_inputs
from medvision.workflows.init_images import ImageSummary, box_extent_mm, structures_in, summarise_images
from medvision.workflows.init_sources import Source, read_source
from medvision.workflows.init_study import (
    Grid,
    Line,
    Sections,
    assumptions,
    augmentation_lines,
    cohort_lines,
    crop_grid,
    crop_line,
    label_lines,
    network_sections,
    patch_grid,
    preprocessing_lines,
    split_lines,
    structure_lines,
    study_text,
)

_FOLDS = 5
_NO_LABEL = (
    "NO LABEL WAS FOUND: fill in the column label of manifest.csv, 1 for diseased and 0 for not; until then "
    "medvision check refuses the study"
)
TaskKind = Literal["classification", "segmentation"]


@dataclass(frozen=True)
class Proposal:
    """A proposed study; its text is what the command line prints.

    Attributes:
        study: The study file.
        manifest: The table that it uses, new or given.
        assumed: What was assumed, one sentence each.
        cases: How many cases.
        patients: How many patients they are taken to be.
    """

    study: Path
    manifest: Path
    assumed: tuple[str, ...]
    cases: int
    patients: int

    def __str__(self) -> str:
        lines = [f"{self.study}: {self.cases} cases of {self.patients} patients, listed in {self.manifest}"]
        lines += ["Assumed:", *(f"  - {sentence}" for sentence in self.assumed)]
        return "\n".join([*lines, f"Read the comments, then: medvision check {self.study}"])


def init(
    source: str | Path,
    out: str | Path = ".",
    *,
    label: str | None = None,
    positive: str | None = None,
    task: TaskKind | None = None,
    patient: str | None = None,
    images: str | None = None,
    overwrite: bool = False,
) -> Proposal:
    """Propose `study.yaml`, and `manifest.csv` where the source has no table, that `check` accepts.

    Args:
        source: A folder of NIfTI, a BIDS tree, an MSD `dataset.json`, a MedMNIST `.npz`, or a table of cases
            (an inventory too).
        out: Where both are written.
        label: Column of the label, where several could be.
        positive: Its value for diseased.
        task: What is learned, where the source allows both.
        patient: Column of the patient; for files, a regular expression whose first group is the patient, or
            `file` for one patient a file.
        images: Pattern of the images' file names, such as `*_T1w.nii.gz`.
        overwrite: Replace files that are there.

    Returns:
        The files and what was assumed.

    Raises:
        MedvisionError: Files are there already; nothing usable in the source; something that must not be
            guessed, such as which of several columns is the label.

    Example:
        >>> import tempfile
        >>> from medvision.testing import write_mr_cohort
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     data = write_mr_cohort(folder, patients=5, shape=(32, 48, 32))
        ...     proposal = init(data, f"{folder}/study")
        ...     "kind: msd" in proposal.study.read_text(), proposal.patients
        (True, 5)
    """
    out = Path(out)
    study, manifest = out / "study.yaml", out / "manifest.csv"
    _refuse_to_replace([study, manifest], overwrite)
    found = read_source(Path(source), out, patient=patient, images=images, positive=positive)
    found, target, why = _task(found, task, label, positive)
    summary = summarise_images(found.paths("image"), found.modality)
    sections = _sections(found, target, why, summary, out)
    heading = (
        f"Proposed by `medvision init` from {Path(source).name}. Comments that begin with `assumed:` "
        "are guesses: "
        f"read each of them.\nThen: medvision check {study.name}, and medvision run {study.name}"
    )
    if found.table is None:
        atomic_write(manifest, _table(found, out))
    text = study_text(heading, sections)
    with atomic_path(study) as temporary:
        temporary.write_text(text, encoding="utf-8")
        load_study(temporary)
    patients = {as_text(who) for who in found.columns[found.roles["patient"]]}
    assumed = (*found.assumed, *assumptions(sections), *_refused(summary))
    cases = len(found.columns[found.roles["image"]])
    return Proposal(study, found.table or manifest, assumed, cases, len(patients))


def _refuse_to_replace(files: Sequence[Path], overwrite: bool) -> None:
    present = [str(file) for file in files if file.exists()]
    if present and not overwrite:
        raise MedvisionError(
            f"{' and '.join(present)} is there already; choose another --out, or pass --overwrite"
        )


def _task(
    found: Source, task: TaskKind | None, asked: str | None, positive: str | None
) -> tuple[Source, Label | None, str]:
    """What is learned: the label of a classification, or None for a segmentation."""
    if found.is_msd and (asked or task == "classification"):
        raise CohortError(
            "a dataset.json has masks but no labels of cases; write a table with a label column"
        )
    has_masks = "mask" in found.roles
    if task == "segmentation" or found.is_msd or (found.structures and asked is None and task is None):
        return _with_masks(found), None, ""
    if found.label is not None and asked is None:
        return found, found.label, "as in the source"
    try:
        label, why = label_of(found.columns, list(found.roles.values()), asked=asked, positive=positive)
    except CohortError:
        if not has_masks or asked is not None or task is not None:
            raise
        return _with_masks(found), None, ""
    if has_masks and task is None and asked is None and not (label and is_named_label(label.column)):
        return _with_masks(found), None, ""
    if label is not None:
        return _say_missing(found, label), label, why
    if "label" in found.columns:
        raise CohortError(f"{why}; make a column with two values, or name another with --label")
    columns: dict[str, list[object]] = {
        **found.columns,
        "label": [None] * len(found.columns[found.roles["image"]]),
    }
    found = replace(found, columns=columns, table=None, assumed=(*found.assumed, _NO_LABEL))
    return found, Label("label", 1, 0), f"{why}: to be filled in"


def _with_masks(found: Source) -> Source:
    if "mask" not in found.roles:
        raise CohortError(f"{found.name}: a segmentation learns from masks, and no mask was found")
    masks = found.columns[found.roles["mask"]]
    rows = [row for row, mask in enumerate(masks) if mask is not None]
    if len(rows) == len(masks):
        return found
    return found.keep(rows, f"{len(masks) - len(rows)} cases without a mask are left out")


def _say_missing(found: Source, label: Label) -> Source:
    empty = sum(value is None for value in found.columns[label.column])
    if not empty:
        return found
    note = f"{empty} CASES HAVE NO {label.column!r}: medvision check refuses them; fill them in"
    return replace(found, assumed=(*found.assumed, note))


def _sections(found: Source, label: Label | None, why: str, summary: ImageSummary, out: Path) -> Sections:
    learned = _segmentation(found, summary) if label is None else _classification(found, label, why, summary)
    path = os.path.relpath(found.table or out / "manifest.csv", out)
    roles = found.roles if found.table is not None else {role: _STANDARD[role] for role in found.roles}
    cohort = cohort_lines(
        path, roles, is_msd=found.is_msd, with_mask=learned.with_mask, inputs=learned.inputs
    )
    cases = len(found.columns[found.roles["image"]])
    return [
        (
            "",
            [
                Line("name", found.name),
                Line("title", ""),
                Line("question", "", "What the study answers; printed in the report."),
            ],
        ),
        ("cohort", cohort),
        ("task", learned.task),
        ("preprocessing", preprocessing_lines(summary, learned.grid, learned.crop)),
        ("augmentation", augmentation_lines()),
        ("split", split_lines(_folds(found, label), found.split)),
        *network_sections(learned.grid, learned.stride, segments=label is None, cases=cases),
    ]


@dataclass(frozen=True)
class _Learned:
    """What depends on the task."""

    task: list[Line]
    grid: Grid
    with_mask: bool
    crop: Line | None = None
    inputs: Inputs | None = None
    stride: int = 1


def _segmentation(found: Source, summary: ImageSummary) -> _Learned:
    voxels = [mm / size for mm, size in zip(summary.smallest_mm, summary.spacing_mm, strict=True)]
    stride = 8 if min(voxels) >= 16 else 4
    structures, told = found.structures, "as the source names them"
    if not structures:
        structures, count = structures_in(found.paths("mask"))
        told = f"the values found in {count} masks; GIVE THEM NAMES"
    return _Learned(structure_lines(structures, told), patch_grid(summary, stride), True, stride=stride)


def _classification(found: Source, label: Label, why: str, summary: ImageSummary) -> _Learned:
    with_mask = _crops_around_masks(found, summary)
    grid = crop_grid(summary, box_extent_mm(found.paths("mask")) if with_mask else None)
    taken = [*found.roles.values(), *([found.split] if found.split else [])]
    inputs = sort_inputs(found.columns, taken, label, found.folder)
    crop = crop_line(grid, "mask" if with_mask else "image")
    return _Learned(label_lines(label, why), grid, with_mask, crop, inputs)


_STANDARD = {"patient": "patient_id", "case": "case_id", "image": "image", "mask": "mask"}


def _crops_around_masks(found: Source, summary: ImageSummary) -> bool:
    """Around masks where every case has one and images are much larger than what they outline."""
    if "mask" not in found.roles or None in found.columns[found.roles["mask"]]:
        return False
    box = box_extent_mm(found.paths("mask"))
    return max(whole / inside for whole, inside in zip(summary.extent_mm, box, strict=True)) > 3


def _folds(found: Source, label: Label | None) -> int:
    """Five, or as many as the rarer class has patients; two at least."""
    patients = found.columns[found.roles["patient"]]
    if label is None:
        return max(2, min(_FOLDS, len({as_text(who) for who in patients})))
    positive = label_text(label.positive)
    having: dict[bool, set[str]] = {True: set(), False: set()}
    for who, value in zip(patients, found.columns[label.column], strict=True):
        if value is not None:
            having[label_text(value) == positive].add(as_text(who))
    return max(2, min(_FOLDS, *(len(those) for those in having.values()))) if any(having.values()) else _FOLDS


def _refused(summary: ImageSummary) -> list[str]:
    count = len(summary.refused)
    if not count:
        return []
    shown = "; ".join(first_of(summary.refused, 3))
    return [
        f"{count} OF {summary.looked_at} IMAGES LOOKED AT ARE REFUSED, and medvision check will name "
        f"all: {shown}"
    ]


def _table(found: Source, out: Path) -> str:
    """The manifest, with paths relative to its own folder."""
    names = {name: _STANDARD[role] for role, name in found.roles.items()}
    files = {found.roles[role] for role in ("image", "mask") if role in found.roles}
    columns = [
        (
            names.get(name, name),
            [_cell(value, found, out) if name in files else as_text(value) for value in values],
        )
        for name, values in found.columns.items()
    ]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([name for name, _ in columns])
    writer.writerows(zip(*(values for _, values in columns), strict=True))
    return stream.getvalue()


def _cell(value: object, found: Source, out: Path) -> str:
    if value is None:
        return ""
    return Path(os.path.relpath(found.folder / as_text(value), out.resolve())).as_posix()
