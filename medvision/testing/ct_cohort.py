"""A cohort of chest CTs with nodules, as a PACS would export it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from medvision.errors import CohortError
from medvision.testing.dicom import write_dicom_series
from medvision.testing.dicom_header import Patient, Storage, TransferSyntax
from medvision.testing.faults import DicomFault, Fault, apply_fault
from medvision.testing.folder import Progress, Row, begin, checked_faults, finish, named_faults
from medvision.testing.nifti import write_nifti
from medvision.testing.phantom import Label, PatientPosition, Phantom
from medvision.testing.thorax import View, thorax_phantom


@dataclass(frozen=True)
class _Plan:
    """What one patient gets, drawn for the whole cohort before the first pixel."""

    patient: Patient
    seed: int
    labels: tuple[Label, ...]
    scanner: Literal["A", "B"]


def write_ct_cohort(
    folder: str | Path,
    *,
    patients: int = 48,
    seed: int = 0,
    shape: tuple[int, int, int] = (128, 128, 40),
    prevalence: float = 0.5,
    separation: float = 0.55,
    diameters_mm: tuple[float, float] = (8.0, 20.0),
    faults: Mapping[int, Fault] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write chest CTs as DICOM series, a NIfTI mask for each nodule, and ``cohort.csv`` with a row a nodule.

    The columns are ``patient_id, case_id, image, mask, label, diameter_mm, age, sex, scanner, reader_rating,
    lesion_i, lesion_j, lesion_k``; paths are relative to the table. ``label`` (benign or malignant) shows in
    edge and texture; diameter, volume, place, age, sex and scanner say nothing about it. ``reader_rating`` is
    a simulated reader's suspicion from 1 to 5. Nodules of one patient tend to have the same label. Between
    patients differ: side, spacing, noise, bits, encoding, how the patient lies, and the order of instance
    numbers and of file names.

    Args:
        folder: Where to; made if absent. A finished cohort of the same arguments is left alone.
        patients: How many, each with 1 to 4 nodules; at least 2.
        seed: Decides everything.
        shape: Voxels of each scan.
        prevalence: Part of the nodules that is malignant, exact up to rounding.
        separation: How far apart the labels look; 0 makes them alike.
        diameters_mm: Smallest and largest diameter.
        faults: For some patients (from 0) what is broken: the series, or for faults of masks the mask of the
            patient's first nodule.
        overwrite: Replace a cohort of other arguments.
        progress: Called with the number of finished patients and of all.

    Returns:
        The path of ``cohort.csv``.

    Raises:
        CohortError: Arguments that make no cohort, or a folder that holds something else.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     table = write_ct_cohort(folder, patients=2, shape=(80, 80, 24), diameters_mm=(6, 10))
        ...     print(table.read_text().splitlines()[0])
        patient_id,case_id,image,mask,label,...,lesion_i,lesion_j,lesion_k
    """
    faults = checked_faults(patients, faults)
    if not 0 < prevalence < 1:
        raise CohortError(f"prevalence must lie between 0 and 1, not {prevalence:g}")
    folder = Path(folder)
    parameters: dict[str, object] = {
        "kind": "ct", "patients": patients, "seed": seed, "shape": list(shape), "prevalence": prevalence,
        "separation": separation, "diameters_mm": list(diameters_mm), "faults": named_faults(faults),
    }  # fmt: skip
    table = folder / "cohort.csv"
    if not begin(folder, parameters, overwrite=overwrite):
        return table
    rows: list[Row] = []
    for n, plan in enumerate(_plans(patients, seed, prevalence)):
        random = np.random.default_rng(plan.seed)
        phantom = _draw_patient(plan, random, shape, separation, diameters_mm)
        rows += _write_patient(folder, plan, phantom, random)
        if n in faults:
            _break_patient(folder, rows[-len(plan.labels)], faults[n], n)
        if progress:
            progress(n + 1, patients)
    finish(folder, parameters, rows, table.name)
    return table


def _plans(patients: int, seed: int, prevalence: float) -> Iterator[_Plan]:
    """Labels follow a patient's own and a nodule's own propensity; the highest are malignant."""
    random = np.random.default_rng(seed)
    counts = random.integers(1, 5, patients)
    total = int(counts.sum())
    propensity = np.repeat(random.standard_normal(patients), counts) * 0.7 + random.standard_normal(total)
    malignant = int(np.clip(round(prevalence * total), 1, total - 1))
    is_malignant = np.zeros(total, bool)
    is_malignant[np.argsort(-propensity, kind="stable")[:malignant]] = True
    seeds = random.integers(2**31, size=patients)
    for n, part in enumerate(np.split(is_malignant, np.cumsum(counts)[:-1])):
        yield _Plan(
            patient=Patient(
                f"PHANTOM-{n + 1:04d}", int(random.integers(45, 85)), "F" if random.random() < 0.5 else "M"
            ),
            seed=int(seeds[n]),
            labels=tuple("malignant" if one else "benign" for one in part),
            scanner="A" if random.random() < 0.6 else "B",
        )


def _draw_patient(
    plan: _Plan,
    random: np.random.Generator,
    shape: tuple[int, int, int],
    separation: float,
    diameters_mm: tuple[float, float],
) -> Phantom:
    view: View = "right lung" if random.random() < 0.55 else "left lung"
    positions: tuple[PatientPosition, ...] = ("HFS", "HFP", "FFS")
    in_plane = float(np.round(random.uniform(1.0, 1.3), 3))
    return thorax_phantom(
        plan.seed,
        shape=shape,
        spacing_mm=(in_plane, in_plane, float(random.choice([1.5, 2.0, 2.5]))),
        labels=plan.labels,
        diameters_mm=diameters_mm,
        separation=separation,
        view=view,
        patient_position=positions[int(random.choice(3, p=[0.7, 0.15, 0.15]))],
        noise_hu=float(random.uniform(16, 24) if plan.scanner == "A" else random.uniform(24, 34)),
        blur_voxels=0.45 if plan.scanner == "A" else 0.6,
    )


def _write_patient(folder: Path, plan: _Plan, phantom: Phantom, random: np.random.Generator) -> list[Row]:
    patient = plan.patient
    syntaxes: tuple[TransferSyntax, ...] = ("explicit", "implicit", "rle", "jpeg-ls")
    syntax = syntaxes[int(random.choice(4, p=[0.5, 0.2, 0.2, 0.1]))]
    image = f"images/{patient.patient_id}"
    write_dicom_series(
        phantom,
        folder / image,
        patient=patient,
        storage=Storage(12, False, transfer_syntax=syntax)
        if plan.scanner == "A"
        else Storage(16, True, transfer_syntax=syntax),
        scanner=f"Phantom {plan.scanner}",
        instance_order="ascending" if random.random() < 0.5 else "descending",
    )
    rows: list[Row] = []
    for lesion in phantom.lesions:
        case = f"{patient.patient_id}-{lesion.number}"
        mask = write_nifti(phantom, folder / f"masks/{case}.nii.gz", what="mask", structure=lesion.number)
        i, j, k = (round(v, 2) for v in lesion.centre_ijk)
        rating = int(np.clip(np.floor(5 * (lesion.suspicion + 0.1 * random.standard_normal())) + 1, 1, 5))
        rows.append(
            {
                "patient_id": patient.patient_id, "case_id": case, "image": image,
                "mask": mask.relative_to(folder).as_posix(), "label": lesion.label,
                "diameter_mm": round(lesion.diameter_mm, 2), "age": patient.age, "sex": patient.sex,
                "scanner": plan.scanner, "reader_rating": rating,
                "lesion_i": i, "lesion_j": j, "lesion_k": k,
            }
        )  # fmt: skip
    return rows


def _break_patient(folder: Path, row: Row, fault: Fault, seed: int) -> None:
    part = "image" if fault in get_args(DicomFault) else "mask"
    apply_fault(folder / str(row[part]), fault, seed=seed, text=str(row["label"]).upper())
