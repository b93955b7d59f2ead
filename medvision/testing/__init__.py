"""Synthetic patients with known truth, chosen faults, and checks for one's own models; needs no real data.

Everything is seeded: the same arguments give the same pixels and the same files. On the command line,
``python -m medvision.testing OUT --patients 48`` writes a cohort.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medvision.testing.brain import brain_phantom
    from medvision.testing.checks import (
        check_batch_matches_elements,
        check_gradient_reaches_parameters,
        check_model,
        check_output_shape,
    )
    from medvision.testing.ct_cohort import write_ct_cohort
    from medvision.testing.dicom import write_dicom_series
    from medvision.testing.dicom_header import Patient, Storage
    from medvision.testing.faults import DicomFault, Fault, NiftiFault, apply_fault
    from medvision.testing.mr_cohort import write_mr_cohort
    from medvision.testing.mutations import Mutant, write_mutant
    from medvision.testing.nifti import write_nifti
    from medvision.testing.phantom import Lesion, Phantom, affine_of
    from medvision.testing.rtstruct import write_rtstruct
    from medvision.testing.thorax import thorax_phantom

_HOMES = {
    "DicomFault": "faults",
    "Fault": "faults",
    "Lesion": "phantom",
    "Mutant": "mutations",
    "NiftiFault": "faults",
    "Patient": "dicom_header",
    "Phantom": "phantom",
    "Storage": "dicom_header",
    "affine_of": "phantom",
    "apply_fault": "faults",
    "brain_phantom": "brain",
    "check_batch_matches_elements": "checks",
    "check_gradient_reaches_parameters": "checks",
    "check_model": "checks",
    "check_output_shape": "checks",
    "thorax_phantom": "thorax",
    "write_ct_cohort": "ct_cohort",
    "write_dicom_series": "dicom",
    "write_mr_cohort": "mr_cohort",
    "write_mutant": "mutations",
    "write_nifti": "nifti",
    "write_rtstruct": "rtstruct",
}

__all__ = [
    "DicomFault",
    "Fault",
    "Lesion",
    "Mutant",
    "NiftiFault",
    "Patient",
    "Phantom",
    "Storage",
    "affine_of",
    "apply_fault",
    "brain_phantom",
    "check_batch_matches_elements",
    "check_gradient_reaches_parameters",
    "check_model",
    "check_output_shape",
    "thorax_phantom",
    "write_ct_cohort",
    "write_dicom_series",
    "write_mr_cohort",
    "write_mutant",
    "write_nifti",
    "write_rtstruct",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
