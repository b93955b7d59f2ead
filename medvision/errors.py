"""The errors of medvision: each one is a sentence that a user can act on.

Every error names what was found, where (file, line, patient, slice) and what to do. An error that
collects several problems prints them all, one a line. The command line prints the text without a
traceback and leaves with ``MedvisionError.exit_code``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class MedvisionError(Exception):
    """Something that the user can mend: a file, a setting, a command.

    Args:
        message: One sentence: what, where, what to do.
        problems: Where several things are wrong, one sentence for each.

    Example:
        >>> print(MedvisionError("2 problems in study.yaml", problems=["a is wrong", "b is missing"]))
        2 problems in study.yaml
          - a is wrong
          - b is missing
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  - {problem}" for problem in self.problems)])

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.problems)


def missing_to_train(module: str | None) -> bool:
    """Whether a module that was not found belongs to what only training and prediction need.

    Example:
        >>> missing_to_train("torch.nn"), missing_to_train("pandas")
        (True, False)
    """
    return (module or "").partition(".")[0] in {"torch", "monai", "lightning"}


def needs_training_extra(module: str | None) -> str:
    """The end of a sentence that says what to install.

    Example:
        >>> print("run", needs_training_extra("torch"))
        run needs torch, which is not installed; pip install 'medvision[train]'
    """
    return f"needs {module}, which is not installed; pip install 'medvision[train]'"


def _rebuild(kind: type[MedvisionError], message: str, problems: tuple[str, ...]) -> MedvisionError:
    return kind(message, problems=problems)


class ConfigError(MedvisionError):
    """The study file, an override or a command-line argument is wrong."""


class SeriesError(MedvisionError):
    """Files do not form one readable image series; names the files or slices."""


class GeometryError(MedvisionError):
    """Two images that must lie in the same place do not, or a position in space is impossible."""


class CohortError(MedvisionError):
    """The manifest, its files or its labels are wrong; names rows and patients."""


class LeakageError(CohortError):
    """The same patient, or the same scan, stands in two parts that must be disjoint."""


class EvaluationError(MedvisionError):
    """Labels, scores or masks that cannot be evaluated as given; names rows or patients."""


class PredictionError(MedvisionError):
    """A trained run and the input that it should predict do not fit."""


class RunError(MedvisionError):
    """The run folder is in use, belongs to another study, or cannot be written."""


class TrainingError(MedvisionError):
    """Training cannot start or go on: memory, patch size, a loss that is not finite."""
