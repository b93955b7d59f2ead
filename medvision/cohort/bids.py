"""Cases of a data set in the Brain Imaging Data Structure (BIDS)."""

from __future__ import annotations

import re
from collections import defaultdict
from fnmatch import fnmatch
from pathlib import Path

from medvision.cohort.found import FoundCases, stem
from medvision.cohort.nifti_folder import nifti_files
from medvision.cohort.tables import as_text, read_table
from medvision.errors import CohortError
from medvision.wording import listed

_SUBJECT = re.compile(r"sub-[A-Za-z0-9]+")
_MASK_SUFFIXES = ("mask", "dseg", "seg", "roi", "label")
# Entities that tell scans of one kind apart, and do not say of which kind they are.
_WHICH_ONE = ("sub", "ses", "run")
# What an image's entities are named in derivatives that were made from it.
_DERIVED = ("desc", "label", "space", "hemi", "res", "den")


def is_bids(folder: Path) -> bool:
    """Whether a folder is a BIDS data set: it says so, or has folders `sub-…`.

    Example:
        >>> is_bids(getfixture("tmp_path"))
        False
    """
    if (folder / "dataset_description.json").is_file():
        return True
    return any(_SUBJECT.fullmatch(path.name) and path.is_dir() for path in folder.iterdir())


def read_bids(folder: str | Path, *, images: str | None = None) -> FoundCases:
    """Find the cases of a BIDS data set.

    Patients are the subjects. All images must be of one kind, such as `anat/…_T1w`; masks are `_mask` and
    `_dseg` files of the same subject, session and run, in `derivatives` or beside the image. The columns of
    `participants.tsv` are kept.

    Args:
        folder: Its root.
        images: Which images, as a pattern of file names such as `*_T1w.nii.gz`.

    Returns:
        The cases, with `session` and `run` in their names where there are any.

    Raises:
        CohortError: No image, or images of several kinds without `images`.

    Example:
        >>> folder = getfixture("tmp_path")
        >>> (folder / "sub-01" / "anat").mkdir(parents=True)
        >>> _ = (folder / "sub-01" / "anat" / "sub-01_T1w.nii.gz").write_bytes(b"")
        >>> read_bids(folder).columns["patient_id"]
        ['sub-01']
    """
    root = Path(folder).resolve()
    pictures, masks = _sorted_out(root, images)
    kinds: dict[str, list[Path]] = defaultdict(list)
    for path in pictures:
        kinds[_kind(path)].append(path)
    if not kinds:
        raise CohortError(f"{folder}: no image of a subject in it; a BIDS image is sub-XX/…/sub-XX_…nii.gz")
    if len(kinds) > 1:
        raise CohortError(
            f"{folder}: images of {len(kinds)} kinds; choose one with --images, such as '*_T1w.nii.gz'",
            problems=[f"{kind}: {len(paths)} images" for kind, paths in sorted(kinds.items())],
        )
    chosen = next(iter(kinds.values()))
    notes = [f"patients are the subjects of BIDS; the images are {next(iter(kinds))}"]
    columns: dict[str, list[object]] = {
        "patient_id": [_entities(path)["sub"] for path in chosen],
        "case_id": ["_".join(value for _, value in _which(path)) for path in chosen],
        "image": [str(path) for path in chosen],
    }
    found = _masks(chosen, masks, notes)
    if any(found):
        columns["mask"] = [None if path is None else str(path) for path in found]
    columns |= _participants(root, columns["patient_id"], notes)
    return FoundCases(columns, tuple(notes))


def _sorted_out(root: Path, images: str | None) -> tuple[list[Path], list[Path]]:
    pictures, masks = [], []
    for path in nifti_files(root):
        first = path.relative_to(root).parts[0]
        if not _SUBJECT.match(path.name):
            continue
        if stem(path).rsplit("_", 1)[-1] in _MASK_SUFFIXES:
            masks.append(path)
        elif _SUBJECT.fullmatch(first) and (images is None or fnmatch(path.name, images)):
            pictures.append(path)
    return pictures, masks


def _entities(path: Path) -> dict[str, str]:
    """`sub`, `ses`, `run`, … with their keys, such as `sub-01`, and the suffix."""
    *pairs, suffix = stem(path).split("_")
    return {pair.partition("-")[0]: pair for pair in pairs} | {"suffix": suffix}


def _which(path: Path) -> tuple[tuple[str, str], ...]:
    found = _entities(path)
    return tuple((name, found[name]) for name in _WHICH_ONE if name in found)


def _kind(path: Path) -> str:
    """Data type, entities that say how it was taken, and suffix."""
    taken = [pair for name, pair in _entities(path).items() if name not in _WHICH_ONE]
    return f"{path.parent.name}/…_{'_'.join(taken)}"


def _masks(images: list[Path], masks: list[Path], notes: list[str]) -> list[Path | None]:
    by_scan: dict[object, list[Path]] = defaultdict(list)
    for path in masks:
        by_scan[_which(path)].append(path)
    found = [by_scan.get(_which(path), []) for path in images]
    if not masks:
        return [None] * len(images)
    several = [path.name for path, those in zip(images, found, strict=True) if len(those) > 1]
    missing = [path.name for path, those in zip(images, found, strict=True) if not those]
    notes.append("masks are the _mask and _dseg files of the same subject, session and run")
    notes += [f"{len(several)} images have several masks, so none was taken: {listed(several)}"] * bool(
        several
    )
    notes += [f"{len(missing)} images have no mask: {listed(missing)}"] * bool(missing)
    return [those[0] if len(those) == 1 else None for those in found]


def _participants(root: Path, patients: list[object], notes: list[str]) -> dict[str, list[object]]:
    file = root / "participants.tsv"
    if not file.is_file():
        return {}
    table = read_table(file)
    if table.missing_columns({"participant_id": "the patient"}):
        notes.append("participants.tsv has no column participant_id and was not used")
        return {}
    row = {as_text(name): place for place, name in enumerate(table.columns["participant_id"])}
    missing = sorted({str(who) for who in patients if who not in row})
    if missing:
        notes.append(f"participants.tsv does not name {listed(missing)}")
    return {
        name: [values[row[str(who)]] if str(who) in row else None for who in patients]
        for name, values in table.columns.items()
        if name != "participant_id"
    }
