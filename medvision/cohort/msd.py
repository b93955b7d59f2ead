"""A cohort in the layout of the Medical Segmentation Decathlon."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from medvision.cohort.assemble import Rows, assemble
from medvision.cohort.cases import Cohort
from medvision.errors import CohortError
from medvision.wording import first_of, listed

_ENDINGS = (".nii.gz", ".nii")


def read_msd(
    dataset_json: str | Path, *, labels: Mapping[str, int], patients: Mapping[str, str] | None = None
) -> Cohort:
    """Read the training cases of a `dataset.json`.

    Args:
        dataset_json: The file; paths in it are relative to its folder.
        labels: Structures and their mask values as the study declares them. Each must be in
            `dataset.json` under the same name (but for capitals, spaces and hyphens) and value;
            structures that the study leaves out may be there too.
        patients: The patient of each case; by default each case is a patient of its own.

    Returns:
        The cases in the order of the file, named after their image files.

    Raises:
        CohortError: No such file, no JSON, labels that differ, images or masks that are missing.
        LeakageError: One image stands under two patients.

    Example:
        >>> folder = getfixture("tmp_path")
        >>> for name in ("image.nii", "mask.nii"):
        ...     _ = (folder / name).write_bytes(b"")
        >>> _ = (folder / "dataset.json").write_text(json.dumps({
        ...     "labels": {"0": "background", "1": "Anterior"},
        ...     "training": [{"image": "./image.nii", "label": "./mask.nii"}],
        ... }))
        >>> [case.case_id for case in read_msd(folder / "dataset.json", labels={"anterior": 1})]
        ['image']
    """
    file = Path(dataset_json)
    file = file.parent.resolve() / file.name
    content = _read(file)
    problems = _label_problems(content.get("labels"), labels, file.name)
    pairs, wrong = _pairs(content.get("training"), file.name)
    cases = [_stem(image) for image, _ in pairs]
    unknown = sorted(set(cases) - set(patients)) if patients is not None else []
    problems += wrong + first_of([f"no patient is given for the case {case!r}" for case in unknown])
    rows = Rows(
        places=[f"{file.name}: training[{place}]" for place in range(len(pairs))],
        patients=[patients.get(case, case) for case in cases] if patients is not None else cases,
        cases=cases,
        images=[str(file.parent / image) for image, _ in pairs],
        masks=[str(file.parent / mask) for _, mask in pairs],
    )
    return assemble(file, rows, problems)


@dataclass(frozen=True)
class MsdDescription:
    """What a `dataset.json` says of itself.

    Attributes:
        structures: Value in the masks by name, without background.
        modality: Names of its channels, such as `MRI`.
        cases: Name, image and mask of each training case, the files absolute; none where it lists none.
    """

    structures: dict[str, int]
    modality: str
    cases: tuple[tuple[str, str, str], ...]


def describe_msd(dataset_json: str | Path) -> MsdDescription:
    """Read what a `dataset.json` says, without comparing it with a study.

    Args:
        dataset_json: The file.

    Returns:
        Its structures, modality and training cases.

    Raises:
        CohortError: No such file, no JSON, no structures, or cases without a file.

    Example:
        >>> file = getfixture("tmp_path") / "dataset.json"
        >>> _ = file.write_text(json.dumps({
        ...     "labels": {"0": "background", "1": "Anterior"},
        ...     "modality": {"0": "MRI"},
        ...     "training": [{"image": "./image.nii", "label": "./mask.nii"}],
        ... }))
        >>> describe_msd(file).structures
        {'Anterior': 1}
    """
    file = Path(dataset_json)
    file = file.parent.resolve() / file.name
    content = _read(file)
    values = _values(content.get("labels"))
    # nnU-Net's second format lists no cases: they are those of its folders.
    pairs, problems = _pairs(content["training"], file.name) if "training" in content else ([], [])
    if values is None:
        problems += _label_problems(content.get("labels"), {}, file.name)
    if values is None or problems:
        raise CohortError(f"{file.name} cannot be used", problems=problems)
    channels = content.get("modality") or content.get("channel_names") or {}
    return MsdDescription(
        structures={name: value for name, value in values.items() if value > 0},
        modality=", ".join(map(str, channels.values())) if isinstance(channels, dict) else str(channels),
        cases=tuple((_stem(i), str(file.parent / i), str(file.parent / m)) for i, m in pairs),
    )


def _read(file: Path) -> dict[str, object]:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise CohortError(f"there is no {str(file)!r}") from None
    except json.JSONDecodeError as error:
        raise CohortError(f"{file}:{error.lineno}:{error.colno}: is no JSON: {error.msg}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CohortError(f"{file} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise CohortError(f"{file}: expected an object with labels and training")
    return content


def _label_problems(found: object, declared: Mapping[str, int], name: str) -> list[str]:
    """Compare the declared structures with those of the file: a swapped pair must not pass."""
    values = _values(found)
    if values is None:
        return [f"{name}: labels is missing or of another form than {{'1': 'name'}}"]
    held = listed(f"{value}: {label}" for label, value in values.items())
    known = {_plain(label): value for label, value in values.items()}
    problems = []
    for label, value in declared.items():
        there = known.get(_plain(label))
        if there is None:
            problems.append(
                f"{name} has no structure {label!r} (declared with the value {value}); it has {held}"
            )
        elif there != value:
            problems.append(
                f"{label!r} is declared with the value {value}, but {name} says {there}; it has {held}"
            )
    return problems


def _values(found: object) -> dict[str, int] | None:
    """Value by name, from `{"1": "name"}` (Decathlon) or `{"name": 1}` (nnU-Net)."""
    if not isinstance(found, dict) or not found:
        return None
    pairs = [(name, value) if str(value).isdigit() else (value, name) for name, value in found.items()]
    if not all(str(value).isdigit() and isinstance(name, str) for name, value in pairs):
        return None
    return {name: int(value) for name, value in pairs}


def _plain(label: str) -> str:
    return re.sub(r"[\s_-]+", " ", label.strip().lower())


def _pairs(training: object, name: str) -> tuple[list[tuple[str, str]], list[str]]:
    if not isinstance(training, list) or not training:
        return [], [f"{name}: training is missing or lists no case"]
    pairs: list[tuple[str, str]] = []
    problems: list[str] = []
    for place, entry in enumerate(training):
        image, mask = (entry.get("image"), entry.get("label")) if isinstance(entry, dict) else (None, None)
        if isinstance(image, str) and isinstance(mask, str) and image and mask:
            pairs.append((image, mask))
        else:
            problems.append(f"{name}: training[{place}] needs an image and a label")
    return pairs, first_of(problems)


def _stem(image: str) -> str:
    name = Path(image).name
    return next((name.removesuffix(ending) for ending in _ENDINGS if name.endswith(ending)), Path(name).stem)
