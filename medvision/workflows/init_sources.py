"""What a new study is made from: a table, a folder, a `dataset.json`, a BIDS tree, a MedMNIST file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from medvision.cohort.bids import is_bids, read_bids
from medvision.cohort.found import FoundCases, patients_of, stem
from medvision.cohort.medmnist import PARTS, MedMnist, read_medmnist
from medvision.cohort.msd import describe_msd
from medvision.cohort.nifti_folder import nifti_files, read_nifti_folder
from medvision.cohort.tables import as_text, read_table
from medvision.errors import CohortError
from medvision.imaging import save_nifti
from medvision.wording import did_you_mean, listed
from medvision.workflows.init_columns import Label, column_of, official_splits

_TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq", ".xlsx")
_COMPLETE = re.compile(r"(?i)(is_?)?complete")
_SLICES = re.compile(r"(?i)(n_?|number_?of_?)?slices")
_YES = {"1", "true", "yes", "y", "complete", "ok"}


@dataclass(frozen=True)
class Source:
    """Cases, before a study is made of them.

    Attributes:
        name: What the study may be called.
        columns: Values by column; paths absolute or relative to `folder`.
        roles: Column of `patient`, `image` and, where there are such, `case` and `mask`.
        folder: What relative paths are relative to.
        table: The table or `dataset.json` that the study can use as it is; None where one is written.
        is_msd: Whether that is a `dataset.json`.
        structures: Value in the masks by name, where the source names them.
        modality: What the source says of it.
        label: The label, where the source knows it.
        split: Column with an official split.
        assumed: What was assumed so far.
    """

    name: str
    columns: dict[str, list[object]]
    roles: dict[str, str]
    folder: Path
    table: Path | None = None
    is_msd: bool = False
    structures: dict[str, int] = field(default_factory=dict)
    modality: str = ""
    label: Label | None = None
    split: str | None = None
    assumed: tuple[str, ...] = ()

    def paths(self, role: str) -> list[str]:
        """The files of a role, absolute, without empty cells."""
        name = self.roles.get(role)
        values = self.columns[name] if name is not None else []
        return [str(self.folder / as_text(value)) for value in values if value is not None]

    def keep(self, rows: Sequence[int], why: str) -> Source:
        """The same source with some of its rows, for which a table has to be written."""
        columns = {name: [values[row] for row in rows] for name, values in self.columns.items()}
        return replace(self, columns=columns, table=None, is_msd=False, assumed=(*self.assumed, why))


def read_source(
    source: Path, out: Path, *, patient: str | None, images: str | None, positive: str | None
) -> Source:
    """Find the cases of a source, whatever it is.

    Args:
        source: A table, `dataset.json`, `.npz`, or a folder (BIDS, Decathlon or NIfTI).
        out: Where images are written that stand in no files of their own.
        patient: Column of the patient, or for files a regular expression or `file`.
        images: Pattern of the images' file names.
        positive: The positive class of a MedMNIST file with more than two.

    Returns:
        The cases.

    Raises:
        CohortError: Nothing there that can be used; says what would be.
    """
    suffix = source.suffix.lower()
    if images is not None and not source.is_dir():
        raise CohortError(f"--images chooses files of a folder; {source.name} is none")
    if source.is_dir():
        return _from_folder(source, patient, images)
    if not source.is_file():
        raise CohortError(f"there is no {str(source)!r}; name a folder, dataset.json, table or .npz")
    if suffix == ".json":
        return _from_msd(source, patient)
    if suffix == ".npz":
        if patient is not None:
            raise CohortError(f"{source.name}: MedMNIST names no patients, so --patient finds none")
        return _from_medmnist(source, out, positive)
    if suffix in _TABLES:
        return _from_table(source, patient)
    raise CohortError(f"{source}: a study begins with a folder, dataset.json, {', '.join(_TABLES)} or .npz")


def _from_folder(folder: Path, patient: str | None, images: str | None) -> Source:
    if (folder / "dataset.json").is_file():
        return _from_msd(folder / "dataset.json", patient)
    if is_bids(folder):
        if patient is not None:
            raise CohortError(
                f"{folder}: the patients of a BIDS data set are its subjects; leave --patient out"
            )
        return _found(_name(folder), read_bids(folder, images=images), folder)
    if not nifti_files(folder):
        raise CohortError(
            f"{folder}: no NIfTI in it; for a DICOM export make an inventory first, with medvision scan, "
            "or write a table with the columns patient_id and image (the folder of each series)"
        )
    return _found(_name(folder), read_nifti_folder(folder, patient=patient, images=images), folder)


def _found(name: str, found: FoundCases, folder: Path) -> Source:
    roles = {"patient": "patient_id", "case": "case_id", "image": "image"}
    roles |= {"mask": "mask"} if "mask" in found.columns else {}
    return Source(name, found.columns, roles, folder.resolve(), assumed=found.assumed)


def _from_msd(file: Path, patient: str | None) -> Source:
    described = describe_msd(file)
    folder = file.parent.resolve()
    if not described.cases:
        source = _found(_name(folder), read_nifti_folder(folder, patient=patient), folder)
        return replace(source, structures=described.structures, modality=described.modality)
    names = [name for name, _, _ in described.cases]
    patients, rule = patients_of(names, patient)
    columns: dict[str, list[object]] = {
        "patient_id": list(patients),
        "case_id": list(names),
        "image": [image for _, image, _ in described.cases],
        "mask": [mask for _, _, mask in described.cases],
    }
    as_it_is = patients == names
    return Source(
        _name(folder),
        columns,
        {"patient": "patient_id", "case": "case_id", "image": "image", "mask": "mask"},
        folder,
        table=file if as_it_is else None,
        is_msd=as_it_is,
        structures=described.structures,
        modality=described.modality,
        assumed=(rule,),
    )


def _from_table(file: Path, patient: str | None) -> Source:
    table = read_table(file)
    columns, folder = table.columns, table.path.parent
    image = column_of("image", columns, folder)
    if image is None:
        raise CohortError(
            f"{file.name}: no column names files that are there; paths are relative to {folder}, and the "
            f"column is called image, path or scan (columns: {listed(columns, 20)})"
        )
    if patient is not None and patient not in columns:
        raise CohortError(f"{file.name}: no column {patient!r} for --patient{did_you_mean(patient, columns)}")
    who = patient or column_of("patient", columns, folder)
    if who is None:
        raise CohortError(
            f"{file.name}: no column says who the patient is, and a patient must never stand in two parts of "
            f"a split; name one with --patient (columns: {listed(columns, 20)})"
        )
    roles = {"patient": who, "image": image}
    if (mask := column_of("mask", columns, folder)) is not None:
        roles["mask"] = mask
    case = column_of("case", columns, folder)
    if case is not None and len({as_text(value) for value in columns[case]}) == len(columns[case]):
        roles["case"] = case
    assumed = [f"{role}: column {name!r}" for role, name in roles.items()]
    count = len({as_text(value) for value in columns[who]})
    assumed.append(f"{len(table.places)} rows are {count} patients, by {who!r}; nobody stands on two sides")
    assumed += [
        f"THE SPLIT IN {name!r} ({', '.join(values)}) IS NOT FOLLOWED: a cross-validation of all cases is "
        f"proposed; to follow it, write split: {{kind: column, column: {name}, train_values: […], …}}"
        for name, values in official_splits(columns).items()
    ]
    source = Source(_name(file), columns, roles, folder, table=table.path, assumed=tuple(assumed))
    return _volumes_only(source)


def _volumes_only(source: Source) -> Source:
    """Of an inventory of series, only those that are complete and have several slices."""
    rows = list(range(len(source.columns[source.roles["image"]])))
    count = len(rows)
    notes = []
    for name, values in source.columns.items():
        if _COMPLETE.fullmatch(name):
            rows = [row for row in rows if as_text(values[row]).lower() in _YES]
            notes.append(f"{name} is true")
        elif _SLICES.fullmatch(name):
            rows = [row for row in rows if _number(values[row]) > 1]
            notes.append(f"{name} is over 1")
    if not notes or len(rows) == count:
        return source
    if not rows:
        raise CohortError(f"{source.name}: none of its {count} series is one where {' and '.join(notes)}")
    return source.keep(rows, f"{len(rows)} of {count} series are kept, those where {' and '.join(notes)}")


def _number(value: object) -> float:
    try:
        return float(as_text(value))
    except ValueError:
        return 0.0


def _from_medmnist(file: Path, out: Path, positive: str | None) -> Source:
    data = read_medmnist(file)
    chosen = _positive_class(data, positive, file.name)
    kept, notes = _without_copies(data)
    folder = out / "images"
    columns: dict[str, list[object]] = {
        name: [] for name in ("patient_id", "case_id", "image", "label", "split")
    }
    for part, row in kept:
        name = f"{part}_{row:05d}"
        pixels = data.images[part][row]
        volume = pixels[..., np.newaxis].transpose(1, 0, 2) if pixels.ndim == 2 else pixels
        path = save_nifti(folder / f"{name}.nii.gz", np.ascontiguousarray(volume), np.eye(4))
        label = int(data.labels[part][row])
        values = (
            name,
            name,
            str(path.resolve()),
            label if chosen is None else int(label == chosen),
            part,
        )
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
    source = _found(_name(file), FoundCases(columns, tuple(_medmnist_notes(data, chosen, notes))), out)
    return replace(source, label=Label("label", 1, 0), split="split")


def _positive_class(data: MedMnist, positive: str | None, name: str) -> int | None:
    """The class that counts as diseased where there are more than two; None for 0 and 1 as they stand."""
    if positive is None and data.classes == [0, 1]:
        return None
    if positive is None:
        raise CohortError(
            f"{name}: {len(data.classes)} classes ({listed(data.classes)}), and a classification "
            "takes two; name "
            "the one to tell from all others with --positive"
        )
    if positive not in {str(label) for label in data.classes}:
        raise CohortError(f"{name}: no class {positive!r} (--positive); it has {listed(data.classes)}")
    return int(positive)


def _without_copies(data: MedMnist) -> tuple[list[tuple[str, int]], list[str]]:
    """Every image once: of copies the one of the latest part stays, so that the test part is whole."""
    owner: dict[str, tuple[str, int]] = {}
    left_out = []
    for part in reversed(PARTS):
        for row, pixels in enumerate(data.images[part]):
            first = owner.setdefault(hashlib.sha256(pixels.tobytes()).hexdigest(), (part, row))
            if first != (part, row):
                other = (
                    "" if data.labels[part][row] == data.labels[first[0]][first[1]] else ", of another label"
                )
                left_out.append(f"{part}_{row:05d} (is {first[0]}_{first[1]:05d}{other})")
    order = {part: place for place, part in enumerate(PARTS)}
    kept = sorted(owner.values(), key=lambda case: (order[case[0]], case[1]))
    copies = "1 copy was" if len(left_out) == 1 else f"{len(left_out)} copies were"
    return kept, [f"{copies} left out: {listed(left_out)}"] * bool(left_out)


def _medmnist_notes(data: MedMnist, chosen: int | None, notes: Sequence[str]) -> Iterator[str]:
    sizes = ", ".join(f"{len(data.labels[part])} {part}" for part in PARTS)
    yield f"official split ({sizes}) kept in the column split"
    yield (
        "MedMNIST names no patients, so each image is its own: ONLY THE OFFICIAL SPLIT IS VALID; a "
        "cross-validation may train and test on one patient"
    )
    yield "the voxel size is unknown and was written as 1 mm: lengths and volumes mean nothing"
    if next(iter(data.images.values())).ndim == 3:
        yield "the images are 2D and were written as volumes of one slice, for 3D networks with one slice"
    if chosen is None:
        yield (
            "class 1 counts as diseased, which the file does not say (in BreastMNIST 1 is benign); "
            "--positive 0 "
            "turns it round"
        )
    else:
        yield f"class {chosen} is label 1, and every other class is label 0"
    yield from notes


def _name(path: Path) -> str:
    """A name for a study after a file or folder."""
    resolved = path.resolve()
    base = (
        resolved.parent.name
        if resolved.name in {"dataset.json", "cohort.csv", "manifest.csv"}
        else stem(resolved)
    )
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", base).strip("_.-")
    return plain or "study"
