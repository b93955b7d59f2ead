"""Paths with environment variables, so that one study file serves every machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from medvision.errors import ConfigError

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^{}]*))?\}")


def expand_path(text: str) -> str:
    """Fill in `${NAME}` and `${NAME:-default}` from the environment.

    Nothing else of a shell is understood. A variable that is set but empty counts as unset, as it
    does for `:-` in a shell.

    Args:
        text: A path as a study file states it.

    Returns:
        The path with its variables filled in; values are not expanded again.

    Raises:
        ConfigError: A variable is unset and has no default, or `${` has another form.

    Example:
        >>> expand_path("${MEDVISION_EXAMPLE_UNSET:-../data}/hippocampus/dataset.json")
        '../data/hippocampus/dataset.json'
    """
    problems = [*malformed_variables(text), *_unset(text)]
    if problems:
        raise ConfigError(f"the path {text!r} cannot be filled in", problems=problems)
    return _VARIABLE.sub(_value, text)


def malformed_variables(text: str) -> Iterator[str]:
    """Say what is wrong with each `${` that is neither `${NAME}` nor `${NAME:-default}`.

    Args:
        text: A path as a study file states it.

    Yields:
        One sentence a place.

    Example:
        >>> list(malformed_variables("${DATA-x}/a.csv"))
        ["'${DATA-x}/a.csv' has a variable of another form than ${NAME} or ${NAME:-default}"]
    """
    if "${" in _VARIABLE.sub("", text):
        yield f"{text!r} has a variable of another form than ${{NAME}} or ${{NAME:-default}}"


def _unset(text: str) -> Iterator[str]:
    for match in _VARIABLE.finditer(text):
        name = match["name"]
        if match["default"] is None and not os.environ.get(name):
            yield (
                f"the environment variable {name} is not set; set it, "
                f"or write ${{{name}:-folder}} to name a default"
            )


def _value(match: re.Match[str]) -> str:
    return os.environ.get(match["name"]) or match["default"] or ""
