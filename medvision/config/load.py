"""From a study file to a checked study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from medvision.config.checks import findings
from medvision.config.explain import explain
from medvision.config.fields import known_keys
from medvision.config.inherit import read_chain, stop
from medvision.config.overrides import apply_overrides
from medvision.config.paths import expand_path
from medvision.config.problem import Problem
from medvision.config.study import Parts, Study
from medvision.config.tree import Plain, Tree, has, locate, renamed
from medvision.wording import closest


@dataclass(frozen=True)
class StudyFile:
    """A study and where it stands.

    Attributes:
        study: What the file says.
        folder: Its folder, absolute; paths in the study are relative to it.
        source: The file itself, absolute.
    """

    study: Study
    folder: Path
    source: Path

    @property
    def cohort_path(self) -> Path:
        """The table or description of the cases, absolute, with environment variables filled in.

        Raises:
            ConfigError: A variable is unset and has no default.
        """
        return (self.folder / expand_path(self.study.cohort.path)).absolute()


def load_study(path: str | Path, overrides: Sequence[str] = ()) -> Study:
    """Read and check a study file.

    Args:
        path: The YAML file.
        overrides: Changes that come last, such as `training.epochs=5`.

    Returns:
        The study, with every default filled in.

    Raises:
        ConfigError: Everything that is wrong with the file, the files that it extends and the
            overrides, each as `file:line:column: path: what`.

    Example:
        >>> folder = getfixture("tmp_path")
        >>> file = folder / "study.yaml"
        >>> _ = file.write_text('''name: hippocampus
        ... cohort: {kind: msd, path: dataset.json}
        ... task: {kind: segmentation, labels: {anterior: 1, posterior: 2}}
        ... model: {kind: unet}
        ... ''')
        >>> load_study(file, ["training.epochs=5"]).training.epochs
        5
    """
    return load_study_file(path, overrides).study


def load_study_file(path: str | Path, overrides: Sequence[str] = ()) -> StudyFile:
    """Read and check a study file, and keep where it stands.

    Args:
        path: The YAML file.
        overrides: Changes that come last, such as `training.epochs=5`.

    Returns:
        The study with its file and folder.

    Raises:
        ConfigError: As :func:`load_study`.
    """
    source = Path(path)
    tree, problems = read_chain(source)
    tree, wrong_overrides = apply_overrides(tree, overrides)
    study, wrong_values = _check(tree)
    problems += wrong_overrides + wrong_values
    if study is None or problems:
        raise stop(problems, str(source))
    absolute = source.absolute()
    return StudyFile(study=study, folder=absolute.parent, source=absolute)


def _check(tree: Tree) -> tuple[Study | None, list[Problem]]:
    study, parts, errors = _validate(tree.plain())
    if study is not None:
        return study, []
    misfits = findings(parts)
    problems = explain(errors, tree)
    unknown = {p.path: closest(str(p.path[-1]), known_keys(p.path[:-1], tree)) for p in problems if p.unknown}
    if unknown:
        # What is right but for the spelling of a key is checked against the rest too, read as it was
        # meant; only what the file does say, because the guess may be wrong.
        _, parts, _ = _validate(renamed(tree, unknown).plain())
        misfits += [(path, message) for path, message in findings(parts) if has(tree, path)]
    return None, [*problems, *(Problem(locate(tree, path), path, message) for path, message in misfits)]


def _validate(data: Plain) -> tuple[Study | None, Parts, list[ErrorDetails]]:
    """Check a study; where it is wrong, return the parts that are right by themselves."""
    parts = Parts()
    try:
        return Study.model_validate(data, context=parts), parts, []
    except ValidationError as error:
        errors = error.errors(include_url=False)
    for name, field in Study.model_fields.items():
        # What a file leaves out is right by itself.
        if isinstance(data, dict) and name not in data and not field.is_required():
            parts[name] = field.default
    return None, parts, [error for error in errors if error["type"] != "study_parts"]
