"""Several cases a patient, and patients who are lost: what a plan must add. It loads nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass

from medvision.errors import EvaluationError


@dataclass(frozen=True)
class Clusters:
    """What a formula for independent cases leaves out: several cases a patient, and patients who are lost.

    Attributes:
        per_patient: Cases (lesions, scans) a patient.
        icc: Correlation of the outcomes of two cases of one patient; 0 takes them for independent.
        lost: Share of patients who are lost: drop-out, unreadable scans, no reference standard.

    Example:
        >>> Clusters(per_patient=2, icc=0.3).patients(100)
        65
    """

    per_patient: float = 1.0
    icc: float | None = None
    lost: float = 0.0

    @property
    def design_effect(self) -> float:
        """How many times as many cases are needed.

        Raises:
            EvaluationError: Several cases a patient and their correlation are not both given.
        """
        from medvision.evaluation.paired_sizes import design_effect

        if self.per_patient > 1 and self.icc is None:
            raise EvaluationError(
                f"per_patient={self.per_patient:g} needs icc, the correlation of a patient's cases: 0.3, "
                "or what a pilot shows; 0 takes them for independent, and too few patients if they are not"
            )
        if self.per_patient == 1 and self.icc:
            raise EvaluationError(f"icc={self.icc:g} is said of several cases a patient; name per_patient")
        return design_effect(self.per_patient, self.icc or 0.0)

    def patients(self, independent_cases: float) -> int:
        """Patients to recruit, where so many independent cases would do."""
        from medvision.evaluation.paired_sizes import allow_for_losses
        from medvision.evaluation.sample_size import whole_cases

        needed = whole_cases(independent_cases * self.design_effect / self.per_patient)
        return allow_for_losses(needed, self.lost)
