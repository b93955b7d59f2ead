"""Cases in a folder of NIfTI files: which are images, which are masks, and which belong together."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from medvision.cohort.found import ENDINGS, FoundCases, patients_of, stem
from medvision.errors import CohortError
from medvision.wording import listed

_MASK_FOLDER = re.compile(
    r"(?i)(labels?|masks?|segs?|segmentations?|annotations?|rois?|gt)([-_]?(tr|train))?"
)
_IMAGE_FOLDER = re.compile(r"(?i)(images?|imgs?|scans?|volumes?|data)([-_]?(tr|train))?")
_MASK_NAME = re.compile(r"(?i)^(?P<rest>.*?)(?:^|[-_.])(?:mask|seg|label|labels|segmentation|dseg|roi|gt)$")
_IMAGE_NAME = re.compile(r"(?i)^(?P<rest>.*?)(?:^|[-_.])(?:image|img|scan|volume|im)$")
_NNUNET = re.compile(r"^(?P<rest>.+)_(?P<channel>\d{4})$")


def nifti_files(folder: Path) -> list[Path]:
    """Every NIfTI file below a folder, sorted; hidden ones and links to folders are passed over."""
    return sorted(
        Path(where, name)
        for where, folders, names in os.walk(folder)
        for name in names
        if name.lower().endswith(ENDINGS)
        and not name.startswith(".")
        and folders is not None
        and not any(part.startswith(".") for part in Path(where).relative_to(folder).parts)
    )


def read_nifti_folder(
    folder: str | Path, *, patient: str | None = None, images: str | None = None
) -> FoundCases:
    """Find the cases in a folder of NIfTI files.

    A file is a mask if its folder is called `labels…`, `masks…` or alike, or its name ends in `_mask`,
    `_seg`, `_label` or alike; every other one is an image. A mask belongs to the image whose path is the same
    but for these words. nnU-Net's `_0000` is passed over.

    Args:
        folder: The folder, searched with its subfolders.
        patient: How patients are told apart; see `patients_of`.
        images: Only images whose name fits this pattern, such as `*_T1w.nii.gz`.

    Returns:
        The images, each with its mask; `mask` is left out where there is none at all.

    Raises:
        CohortError: No image; several files that would be one case.

    Example:
        >>> folder = getfixture("tmp_path")
        >>> for name in ("a.nii.gz", "a_mask.nii.gz", "b.nii.gz"):
        ...     _ = (folder / name).write_bytes(b"")
        >>> found = read_nifti_folder(folder)
        >>> found.columns["case_id"], [value is None for value in found.columns["mask"]]
        (['a', 'b'], [False, True])
    """
    root = Path(folder).resolve()
    pictures: dict[str, list[Path]] = defaultdict(list)
    masks: dict[str, list[Path]] = defaultdict(list)
    others = []
    for path in nifti_files(root):
        key, is_mask = _key(path.relative_to(root))
        if is_mask:
            masks[key].append(path)
        elif images is None or fnmatch(path.name, images):
            pictures[key].append(path)
        else:
            others.append(path)
    if not pictures:
        raise CohortError(f"{folder}: no NIfTI image in it{f' that fits {images!r}' if images else ''}")
    chosen, notes = _first_channel(pictures, root)
    pairs, unpaired = _pair(chosen, masks, root)
    notes += unpaired
    keys = list(chosen)
    patients, rule = patients_of(keys, patient)
    columns: dict[str, list[object]] = {
        "patient_id": [_identifier(name) for name in patients],
        "case_id": [_identifier(key) for key in keys],
        "image": [str(chosen[key]) for key in keys],
    }
    if any(pairs.values()):
        columns["mask"] = [str(pairs[key]) if pairs[key] else None for key in keys]
    if others:
        notes.append(f"{len(others)} files do not fit {images!r} and are left out")
    return FoundCases(columns, (rule, *notes))


def _key(path: Path) -> tuple[str, bool]:
    """What an image and its mask have in common, and whether the file is a mask."""
    is_mask = False
    parts = []
    for part in path.parts[:-1]:
        if _MASK_FOLDER.fullmatch(part):
            is_mask = True
        elif not _IMAGE_FOLDER.fullmatch(part):
            parts.append(part)
    name = stem(path)
    marked = _MASK_NAME.match(name)
    plain = marked or _IMAGE_NAME.match(name)
    rest = name if plain is None else plain["rest"]
    parts += [rest] if rest or not parts else []
    return "/".join(parts) or name, is_mask or marked is not None


def _first_channel(pictures: dict[str, list[Path]], root: Path) -> tuple[dict[str, Path], list[str]]:
    """One file a case; nnU-Net numbers the channels of a case from `_0000`."""
    numbered = {key: match for key in pictures if (match := _NNUNET.match(key))}
    notes = []
    if len(numbered) == len(pictures) and any(match["channel"] == "0000" for match in numbered.values()):
        channels = sorted({match["channel"] for match in numbered.values()})
        pictures = {m["rest"]: pictures[key] for key, m in numbered.items() if m["channel"] == "0000"}
        if len(channels) > 1:
            notes.append(f"of the channels {listed(channels)} only 0000 is used: a case has one image")
    twice = [paths for paths in pictures.values() if len(paths) > 1]
    if twice:
        shown = [listed((path.relative_to(root).as_posix() for path in paths), 4) for paths in twice[:5]]
        raise CohortError(
            f"{root.name}: {len(twice)} cases have several images; choose with --images, such as "
            "'*_T1w.nii.gz'",
            problems=shown,
        )
    return {key: paths[0] for key, paths in sorted(pictures.items())}, notes


def _pair(
    images: dict[str, Path], masks: dict[str, list[Path]], root: Path
) -> tuple[dict[str, Path | None], list[str]]:
    pairs = {key: masks[key][0] if len(masks.get(key, ())) == 1 else None for key in images}
    return pairs, list(_pairing_notes(images, masks, root))


def _pairing_notes(images: dict[str, Path], masks: dict[str, list[Path]], root: Path) -> Iterator[str]:
    if not masks:
        return
    yield "masks were paired with images by their names, labels… with images…, or _mask, _seg, _label"
    without = [key for key in images if key not in masks]
    several = [key for key in images if len(masks.get(key, ())) > 1]
    alone = [path.relative_to(root).as_posix() for key in masks if key not in images for path in masks[key]]
    if without:
        yield f"{len(without)} images have no mask: {listed(without)}"
    if several:
        yield f"{len(several)} images have several masks, so none was taken: {listed(several)}"
    if alone:
        yield f"{len(alone)} masks belong to no image and are left out: {listed(alone)}"


def _identifier(key: str) -> str:
    return key.replace("/", "_")
