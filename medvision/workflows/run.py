"""The main job: scans in, cross-validated model, numbers with intervals, tables, figures, report."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from medvision.cohort import Part
from medvision.config import ClassificationTask, Study, StudyFile, dump_study, study_hash
from medvision.errors import RunError
from medvision.reporting import write_report
from medvision.runs import RunFolder, atomic_json, atomic_path, atomic_write
from medvision.training.device import choose_device
from medvision.workflows.belongs import check_belongs
from medvision.workflows.cases import hash_inputs
from medvision.workflows.fitted import prepare_folds
from medvision.workflows.fold import FoldWork, fit_fold, is_finished
from medvision.workflows.locked_results import locked_results
from medvision.workflows.locked_test import check_unlock, is_predicted, locked_table, predict_locked_test
from medvision.workflows.members import Network
from medvision.workflows.nested import fit_pairs, nested_results
from medvision.workflows.opened import OpenedStudy, open_study
from medvision.workflows.progress import Display, display
from medvision.workflows.record import Record, git_state, hardware, read_unlocks, versions
from medvision.workflows.results import results


@dataclass(frozen=True)
class Run:
    """What a run left.

    Args:
        path: The run folder.
        results: The content of `results.json`.
        report: The page to open.
        finished: Finished folds, and folds in all.
    """

    path: Path
    results: dict[str, Any]
    report: Path
    finished: tuple[int, int]


def run(
    study: str | Path | Study | StudyFile,
    overrides: Sequence[str] = (),
    *,
    model: nn.Module | None = None,
    out: str | Path | None = None,
    folds: Iterable[int] | None = None,
    fresh: bool = False,
    unlock_test: bool = False,
    device: str = "auto",
    allow: Collection[str] = (),
    quiet: bool = False,
) -> Run:
    """Run a study from scans to report, going on where an earlier start was stopped.

    Args:
        study: A study file, or a `Study` made in Python.
        overrides: Settings that come last, such as `training.epochs=5`.
        model: A network to train instead of the study's own: from (batch, 1, i, j, k) to
            (batch, 1) for classification, or (batch, structures + 1, i, j, k) for segmentation.
        out: The run folder; by default `runs/<name>`.
        folds: Train only these folds; the results then say that they are of some folds.
        fresh: Remove an earlier run of this folder first; when its test set was unlocked stays noted.
        unlock_test: Open the locked test set once all folds are finished, and predict it by the mean of
            their models. It is noted in the record, before any of its files is opened.
        device: `auto`, `cpu` or `cuda`.
        allow: Packages whose classes `kind: custom` may name.
        quiet: Show no progress.

    Returns:
        Where everything lies, and the estimates.

    Raises:
        MedvisionError: Whatever is wrong with study, cohort, scans, folder or memory, before training
            where it can be known before.
    """
    opened = open_study(study, overrides)
    chosen = _chosen_parts(opened, folds)
    folder = RunFolder(Path(out) if out is not None else Path("runs") / opened.study.name)
    if unlock_test:
        check_unlock(opened, folder, chosen, fresh=fresh)
    computes_on = choose_device(device)
    network = Network(opened.study, given=model, allow=allow)
    network.fresh(0)
    with folder.hold(), display(quiet=quiet) as shown:
        if fresh:
            folder.clear()
        hashes = hash_inputs(opened.development, shown)
        check_belongs(folder, opened, hashes, model)
        record = Record(folder)
        _write_inputs(folder, opened)
        record.begin(_facts(opened, hashes, model, computes_on.type))
        prepared = prepare_folds(opened, hashes, shown, chosen)
        parts = opened.splits.parts
        work = FoldWork(network, opened.cohort, prepared, folder, computes_on, shown, parts)
        for part in chosen:
            if not is_finished(folder, part):
                fit_fold(work, part)
        finished = [part for part in parts if is_finished(folder, part)]
        if opened.study.evaluation.nested_interval and len(finished) == len(parts):
            fit_pairs(work, opened, hashes)
        if unlock_test and not is_predicted(folder):
            predict_locked_test(work, opened, hashes, record)
        content = _gather(folder, opened, finished)
        record.end([_json(folder.fold(part.repeat, part.fold) / "fold.json") for part in finished])
        report = _report(folder, shown)
    return Run(folder.path, content, report, (len(finished), len(parts)))


def _chosen_parts(opened: OpenedStudy, folds: Iterable[int] | None) -> list[Part]:
    if folds is None:
        return list(opened.splits.parts)
    wanted = set(folds)
    unknown = sorted(wanted - set(range(opened.splits.folds)))
    if unknown:
        raise RunError(
            f"--folds {','.join(map(str, unknown))}: the study has the folds 0 to {opened.splits.folds - 1}"
        )
    return [part for part in opened.splits.parts if part.fold in wanted]


def _write_inputs(folder: RunFolder, opened: OpenedStudy) -> None:
    atomic_write(folder.experiment, dump_study(opened.study))
    atomic_write(folder.splits, opened.splits.to_json())
    with atomic_path(folder.cohort) as temporary:
        opened.cohort.table.to_parquet(temporary, index=False)


def _facts(
    opened: OpenedStudy, hashes: dict[str, str], model: nn.Module | None, device: str
) -> dict[str, object]:
    found = versions()
    return {
        "medvision": found["medvision"],
        "versions": found,
        "seed": opened.study.seed,
        "study_file": str(opened.file.source),
        "study_sha256": study_hash(opened.study),
        "splits_sha256": opened.splits.sha256,
        "locked_test_sha256": opened.splits.locked_sha256 if opened.splits.locked else None,
        "inputs": hashes,
        "model": "from the study" if model is None else f"passed from Python: {type(model).__name__}",
        "git": git_state(opened.file.folder),
        "hardware": hardware(device),
    }


def _gather(folder: RunFolder, opened: OpenedStudy, finished: Sequence[Part]) -> dict[str, Any]:
    """Join the folds' predictions and write every estimate."""
    classification = isinstance(opened.study.task, ClassificationTask)
    targets = [folder.predictions] + ([] if classification else [folder.segmentation])
    for target in targets:
        tables = [pd.read_parquet(folder.fold(part.repeat, part.fold) / target.name) for part in finished]
        with atomic_path(target) as temporary:
            pd.concat(tables, ignore_index=True).to_parquet(temporary, index=False)
    content = results(opened.study, pd.read_parquet(targets[-1]), opened.splits)
    if opened.study.evaluation.nested_interval:
        content["nested"] = nested_results(opened, folder, pd.read_parquet(targets[-1]))
    if is_predicted(folder):
        table = locked_table(folder, segmentation=not classification)
        content["locked_test"] = locked_results(opened.study, table, read_unlocks(folder))
    if len(finished) < len(opened.splits.parts):
        done = f"only {len(finished)} of {len(opened.splits.parts)} folds are finished"
        note = f"{done}; these are not the study's results"
        content["notes"].insert(0, note)
    atomic_json(folder.results, content)
    return content


def _report(folder: RunFolder, shown: Display) -> Path:
    task = shown.task("tables, figures, report", 1)
    report = write_report(folder.path)
    task.advance(1)
    return report


def _json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
