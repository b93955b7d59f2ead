"""Several cases a patient, and patients who are lost: what a plan must add. It loads nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Clusters:
    """What a formula for independent cases leaves out: several cases a patient, and patients who are lost.

    Attributes:
        per_patient: Cases (lesions, scans) a patient.
        icc: Correlation of the outcomes of two cases of one patient.
        lost: Share of patients who are lost: drop-out, unreadable scans, no reference standard.

    Example:
        >>> Clusters(per_patient=2, icc=0.3).patients(100)
        65
    """

    per_patient: float = 1.0
    icc: float = 0.0
    lost: float = 0.0

    @property
    def design_effect(self) -> float:
        """How many times as many cases are needed."""
        from medvision.evaluation.paired_sizes import design_effect

        return design_effect(self.per_patient, self.icc)

    def patients(self, independent_cases: float) -> int:
        """Patients to recruit, where so many independent cases would do."""
        from medvision.evaluation.paired_sizes import allow_for_losses
        from medvision.evaluation.sample_size import whole_cases

        needed = whole_cases(independent_cases * self.design_effect / self.per_patient)
        return allow_for_losses(needed, self.lost)
