"""Whether a run folder belongs to this study, these files and these splits."""

from __future__ import annotations

from collections.abc import Mapping

from ruamel.yaml import YAML
from torch import nn

from medvision.cohort import Splits, check_disjoint
from medvision.config import dump_study
from medvision.errors import RunError
from medvision.runs import RunFolder
from medvision.workflows.opened import OpenedStudy
from medvision.workflows.record import read_record

# The results do not depend on these, so they may change between two starts.
_HARMLESS = (
    "training.workers", "training.checkpoint_seconds", "evaluation.nested_interval", "title", "question",
    "caution",
)  # fmt: skip


def check_belongs(
    folder: RunFolder, opened: OpenedStudy, hashes: Mapping[str, str], model: nn.Module | None
) -> None:
    """Refuse a folder that holds another study's run, or whose input files have changed since.

    Raises:
        RunError: Names the settings or files that differ, and what to do.
        LeakageError: The stored splits were edited so that a patient stands on both sides.
    """
    record = read_record(folder)
    if record is None:
        return
    _check_study(folder, opened)
    _check_inputs(folder, record.get("inputs", {}), hashes)
    _check_splits(folder, opened)
    made_by = "from the study" if model is None else f"passed from Python: {type(model).__name__}"
    if record.get("model", made_by) != made_by:
        raise RunError(f"{folder.path} was begun with the model {record['model']}, not {made_by}; {_CURE}")


_CURE = "choose another folder with --out, or start anew with --fresh"


def _check_study(folder: RunFolder, opened: OpenedStudy) -> None:
    reader = YAML(typ="safe", pure=True)
    before = _flat(reader.load(folder.experiment.read_text(encoding="utf-8")))
    now = _flat(reader.load(dump_study(opened.study)))
    changed = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
    changed = [key for key in changed if key not in _HARMLESS]
    if changed:
        raise RunError(
            f"{folder.path} holds a run of other settings; {_CURE}",
            problems=[f"{key}: was {before.get(key)!r}, is now {now.get(key)!r}" for key in changed[:10]],
        )


def _check_inputs(folder: RunFolder, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    changed = [path for path, digest in now.items() if before.get(path, digest) != digest]
    gone = sorted(set(before) - set(now))
    new = sorted(set(now) - set(before))
    problems = [f"{path}: its content changed since the run began" for path in changed]
    problems += [f"{path}: was an input and is none now" for path in gone]
    problems += [f"{path}: is a new input" for path in new]
    if problems:
        raise RunError(
            f"the input files of {folder.path} are not those it began with; restore them, or {_CURE}",
            problems=problems[:10],
        )


def _check_splits(folder: RunFolder, opened: OpenedStudy) -> None:
    stored = Splits.from_json(folder.splits.read_text(encoding="utf-8"))
    check_disjoint(stored, opened.cohort)
    if stored.sha256 != opened.splits.sha256:
        raise RunError(f"{folder.splits} is not the split that this study makes; {_CURE}")


def _flat(value: object, path: str = "") -> dict[str, object]:
    if isinstance(value, dict):
        flat: dict[str, object] = {}
        for key, item in value.items():
            flat |= _flat(item, f"{path}.{key}" if path else str(key))
        return flat
    return {path: value}
