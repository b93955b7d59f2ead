"""A cohort of brain MR crops for segmentation, in the layout of the Medical Segmentation Decathlon."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from medvision.testing.brain import STRUCTURES, brain_phantom
from medvision.testing.faults import Fault, apply_fault
from medvision.testing.folder import Progress, Row, begin, checked_faults, finish, named_faults
from medvision.testing.nifti import write_nifti


def write_mr_cohort(
    folder: str | Path,
    *,
    patients: int = 24,
    seed: int = 0,
    shape: tuple[int, int, int] = (40, 48, 40),
    faults: Mapping[int, Fault] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write MR crops and masks with ``imagesTr/``, ``labelsTr/``, ``dataset.json`` and ``manifest.csv``.

    The columns of ``manifest.csv`` are ``patient_id, case_id, image, mask, age, sex, anterior_ml,
    posterior_ml``. The mask's values are 1 (anterior) and 2 (posterior). Contrast, gain, bias field and, by a
    few degrees, orientation differ between patients.

    Args:
        folder: Where to; made if absent. A finished cohort of the same arguments is left alone.
        patients: How many, one scan each; at least 2.
        seed: Decides everything.
        shape: Voxels of each scan.
        faults: For some patients (from 0) what is broken: the image, or for faults of masks the mask.
        overwrite: Replace a cohort of other arguments.
        progress: Called with the number of finished patients and of all.

    Returns:
        The path of ``dataset.json``.

    Raises:
        CohortError: Arguments that make no cohort, or a folder that holds something else.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     dataset = json.loads(write_mr_cohort(folder, patients=2, shape=(32, 48, 32)).read_text())
        >>> dataset["labels"]
        {'0': 'background', '1': 'anterior', '2': 'posterior'}
    """
    faults = checked_faults(patients, faults)
    folder = Path(folder)
    parameters: dict[str, object] = {
        "kind": "mr", "patients": patients, "seed": seed, "shape": list(shape),
        "faults": named_faults(faults),
    }  # fmt: skip
    if not begin(folder, parameters, overwrite=overwrite):
        return folder / "dataset.json"
    rows: list[Row] = []
    for n, random in enumerate(np.random.default_rng(seed).spawn(patients)):
        rows.append(_write_patient(folder, n, random, shape))
        if n in faults:
            part = "mask" if "mask" in faults[n] else "image"
            apply_fault(folder / str(rows[-1][part]), faults[n], seed=n)
        if progress:
            progress(n + 1, patients)
    _write_description(folder, rows)
    finish(folder, parameters, rows, "manifest.csv")
    return folder / "dataset.json"


def _write_patient(folder: Path, n: int, random: np.random.Generator, shape: tuple[int, int, int]) -> Row:
    case = f"phantom_{n + 1:03d}"
    phantom = brain_phantom(
        int(random.integers(2**31)),
        shape=shape,
        spacing_mm=(1.0, 1.0, float(random.choice([1.0, 1.0, 1.2]))),
        oblique_deg=float(np.round(random.uniform(-8, 8), 2)),
    )
    image = write_nifti(phantom, folder / f"imagesTr/{case}.nii.gz")
    mask = write_nifti(phantom, folder / f"labelsTr/{case}.nii.gz", what="mask")
    voxel_ml = float(np.prod(phantom.spacing_mm)) / 1000
    return {
        "patient_id": case.replace("phantom_", "PHANTOM-"),
        "case_id": case,
        "image": image.relative_to(folder).as_posix(),
        "mask": mask.relative_to(folder).as_posix(),
        "age": int(random.integers(20, 85)),
        "sex": "FM"[int(random.integers(2))],
        **{
            f"{name}_ml": round(np.count_nonzero(phantom.mask == value) * voxel_ml, 3)
            for name, value in STRUCTURES.items()
        },
    }


def _write_description(folder: Path, rows: list[Row]) -> None:
    description = {
        "name": "Phantom",
        "description": "Synthetic MR crops with one organ of two parts",
        "reference": "medvision.testing",
        "licence": "CC0 1.0",
        "tensorImageSize": "3D",
        "modality": {"0": "MRI"},
        "labels": {"0": "background", **{str(value): name for name, value in STRUCTURES.items()}},
        "numTraining": len(rows),
        "numTest": 0,
        "training": [{"image": f"./{row['image']}", "label": f"./{row['mask']}"} for row in rows],
        "test": [],
    }
    (folder / "dataset.json").write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")
