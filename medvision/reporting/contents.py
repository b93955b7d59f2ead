"""What a run folder holds, read once for all tables and figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from medvision.errors import RunError
from medvision.reporting.estimates import (
    ReportedComparison,
    ReportedEstimate,
    comparison_from,
    estimate_from,
)
from medvision.runs import RunFolder


@dataclass(frozen=True)
class SplitPart:
    """The cases of one fold of one repeat."""

    repeat: int
    fold: int
    train: tuple[str, ...]
    test: tuple[str, ...]
    name: str = ""

    @property
    def title(self) -> str:
        """What the part is called in a table: its name, or the number of its fold."""
        return self.name[:1].upper() + self.name[1:] if self.name else f"Fold {self.fold}"

    @property
    def where(self) -> str:
        """The part in words."""
        named = f" ({self.name})" if self.name else ""
        return f"repeat {self.repeat}, fold {self.fold}{named}"


@dataclass(frozen=True)
class RunContents:
    """The files of one finished run.

    Args:
        folder: The run folder.
        study: `experiment.yaml` as plain data.
        record: `record.json`: versions, hashes, hardware, times.
        cohort: One row a case, without a locked test set.
        splits: `splits.json`.
        predictions: One row a case and repeat.
        segmentation: One row a case, repeat and structure; None for a classification.
        results: `results.json`.
        locked: One row a case of the locked test set; empty without one.

    Raises:
        RunError: Made by `read_run`, never by the class itself.
    """

    folder: Path
    study: Mapping[str, Any]
    record: Mapping[str, Any]
    cohort: pd.DataFrame
    splits: Mapping[str, Any]
    predictions: pd.DataFrame
    segmentation: pd.DataFrame | None
    results: Mapping[str, Any]
    locked: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def kind(self) -> str:
        """How the cohort was split: `kfold`, `hash`, `site`, `time` or `column`."""
        return str(self.splits.get("kind", "kfold"))

    @property
    def locked_results(self) -> Mapping[str, Any]:
        """What was found on the locked test set; empty where it was not opened."""
        found = self.results.get("locked_test")
        return found if isinstance(found, Mapping) else {}

    @property
    def is_segmentation(self) -> bool:
        """Whether structures were outlined rather than cases classified."""
        return bool(self.study["task"]["kind"] == "segmentation")

    @property
    def unit(self) -> str:
        """What one case is: `nodule`, `scan`, `case`."""
        return str(self.study["task"].get("unit") or "case")

    @property
    def title(self) -> str:
        """The heading of the report."""
        return str(self.study.get("title") or self.study.get("name") or self.folder.name)

    @property
    def level(self) -> float:
        """Confidence level of the study's intervals."""
        return float((self.study.get("evaluation") or {}).get("level", 0.95))

    @cached_property
    def estimates(self) -> tuple[ReportedEstimate, ...]:
        """Every estimate of `results.json`, in its order."""
        return tuple(estimate_from(entry) for entry in self.results.get("estimates") or ())

    @cached_property
    def comparisons(self) -> tuple[ReportedComparison, ...]:
        """Every comparison of two models."""
        return tuple(comparison_from(entry) for entry in self.results.get("comparisons") or ())

    @property
    def notes(self) -> tuple[str, ...]:
        """What the evaluation wants the reader to know."""
        return tuple(str(note) for note in self.results.get("notes") or ())

    @cached_property
    def models(self) -> tuple[str, ...]:
        """`image` first, then the comparators in the order of the study."""
        named = [str(item["name"]) for item in self.study.get("comparators") or ()]
        found = list(dict.fromkeys(estimate.model for estimate in self.estimates if estimate.model))
        ordered = [name for name in ["image", *named] if name in found]
        return tuple(ordered + [name for name in found if name not in ordered])

    @cached_property
    def structures(self) -> tuple[str, ...]:
        """The structures in the order of the study."""
        return tuple(str(name) for name in (self.study["task"].get("labels") or {}))

    @cached_property
    def covariates(self) -> tuple[str, ...]:
        """Covariates of the cohort and of the comparators that stand in the table of cases."""
        wanted = list((self.study.get("cohort") or {}).get("covariates") or ())
        for comparator in self.study.get("comparators") or ():
            wanted += list(comparator.get("covariates") or ())
        return tuple(name for name in dict.fromkeys(map(str, wanted)) if name in self.cohort.columns)

    @cached_property
    def fingerprints(self) -> tuple[Mapping[str, Any], ...]:
        """Voxel sizes, shapes and intensities of each finished fold's training part, where they were kept."""
        found = sorted(self.folder.glob("folds/*/fingerprint.json"))
        return tuple(json.loads(path.read_text(encoding="utf-8")) for path in found)

    @property
    def class_names(self) -> tuple[str, str]:
        """Names of the negative and of the positive class."""
        task = self.study["task"]
        label, positive, negative = (
            str(task.get("label", "label")),
            task.get("positive", 1),
            task.get("negative"),
        )
        if isinstance(positive, str) and not positive.lstrip("-").isdigit():
            return (str(negative) if negative is not None else f"not {positive}", positive)
        if label.lower() in ("label", "labels", "target", "class", "y", "outcome"):
            return ("negative", "positive")
        return (f"not {label}", label)

    @cached_property
    def thresholds(self) -> pd.DataFrame:
        """One row a repeat, fold and model: the operating point and what it was fitted on."""
        rows = []
        for repeat, fold in self.parts:
            path = RunFolder(self.folder).fold(repeat, fold) / "threshold.json"
            if path.exists():
                for model, entry in (_json(path).get("models") or {}).items():
                    rows.append({"repeat": repeat, "fold": fold, "model": str(model), **entry})
        return pd.DataFrame(rows)

    @cached_property
    def logs(self) -> pd.DataFrame:
        """The training logs of all folds, with the columns repeat and fold in front."""
        frames = []
        for repeat, fold in self.parts:
            path = RunFolder(self.folder).fold(repeat, fold) / "log.csv"
            if path.exists():
                frames.append(pd.read_csv(path).assign(repeat=repeat, fold=fold))
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    @cached_property
    def split_parts(self) -> tuple[SplitPart, ...]:
        """Who is in the training and test part of every fold, by repeat and fold."""
        parts = [
            SplitPart(
                int(part["repeat"]),
                int(part["fold"]),
                tuple(map(str, part["train"])),
                tuple(map(str, part["test"])),
                str(part.get("name", "")),
            )
            for part in self.splits["parts"]
        ]
        return tuple(sorted(parts, key=lambda part: (part.repeat, part.fold)))

    @property
    def parts(self) -> tuple[tuple[int, int], ...]:
        """(repeat, fold) of every part of the split, sorted."""
        return tuple((part.repeat, part.fold) for part in self.split_parts)

    @cached_property
    def averaged(self) -> str:
        """What the first area or overlap over all parts is called, such as `fold-averaged`."""
        found = [each for each in self.estimates if each.metric == "auroc" and each.fold is None]
        return found[0].aggregation if found else ""

    @property
    def repeats(self) -> int:
        """How often the cohort was split anew."""
        return len({part.repeat for part in self.split_parts})

    def select(
        self,
        *,
        model: str | None = None,
        metric: str | None = None,
        aggregation: str | None = None,
        structure: str | None = None,
    ) -> tuple[ReportedEstimate, ...]:
        """Return the estimates that have all of the given properties; None leaves one open."""
        wanted = {"model": model, "metric": metric, "aggregation": aggregation, "structure": structure}
        return tuple(
            estimate
            for estimate in self.estimates
            if all(value is None or getattr(estimate, key) == value for key, value in wanted.items())
        )


def read_run(folder: Path) -> RunContents:
    """Read a finished run.

    Raises:
        RunError: Files are missing (all are named), cannot be read, or lack columns.

    Example:
        >>> read_run(Path("nowhere"))
        Traceback (most recent call last):
        ...
        medvision.errors.RunError: nowhere is no finished run: 6 files are missing; finish it first
          - experiment.yaml
          - record.json
          - cohort.parquet
          - splits.json
          - predictions.parquet
          - results.json
    """
    run = RunFolder(folder)
    needed = (run.experiment, run.record, run.cohort, run.splits, run.predictions, run.results)
    missing = [path.name for path in needed if not path.exists()]
    if missing:
        files = "1 file is" if len(missing) == 1 else f"{len(missing)} files are"
        raise RunError(f"{folder} is no finished run: {files} missing; finish it first", problems=missing)
    study = _yaml(run.experiment)
    segmentation = study["task"]["kind"] == "segmentation"
    splits, everyone = _json(run.splits), _parquet(run.cohort, ("case_id", "patient_id"))
    locked = everyone["case_id"].isin([str(case) for case in _locked_cases(splits)])
    return RunContents(
        folder=folder,
        study=study,
        record=_json(run.record),
        cohort=everyone[~locked].reset_index(drop=True),
        splits=splits,
        predictions=_parquet(run.predictions, _prediction_columns(segmentation)),
        segmentation=_parquet(run.segmentation, _SEGMENTATION_COLUMNS) if segmentation else None,
        results=_json(run.results),
        locked=everyone[locked].reset_index(drop=True),
    )


def _locked_cases(splits: Mapping[str, Any]) -> list[object]:
    return list((splits.get("locked_test") or {}).get("cases") or ())


_SEGMENTATION_COLUMNS = ("case_id", "patient_id", "repeat", "structure", "dice")


def _prediction_columns(segmentation: bool) -> tuple[str, ...]:
    common = ("case_id", "patient_id", "repeat", "fold")
    return common if segmentation else (*common, "label", "score", "threshold", "prediction")


def _yaml(path: Path) -> dict[str, Any]:
    try:
        data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, YAMLError) as error:
        raise RunError(f"{path} cannot be read: {error}; restore it or run the study again") from error
    if not isinstance(data, dict) or not isinstance(data.get("task"), dict):
        raise RunError(f"{path} is not a resolved study: it has no `task:`; run the study again")
    return data


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}; restore it or run the study again") from error
    if not isinstance(data, dict):
        raise RunError(f"{path} holds {type(data).__name__}, not an object; run the study again")
    return data


def _parquet(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}; restore it or run the study again") from error
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise RunError(
            f"{path} lacks {', '.join(missing)}; it has {', '.join(map(str, table.columns))}; evaluate again"
        )
    for column in ("case_id", "patient_id", "structure"):
        if column in table:
            # Identifiers are names: 7, "7" and a categorical 7 are the same case in every file.
            table[column] = table[column].astype(str)
    return table
