"""A folder with a synthetic cohort: begun, finished, and not written twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_args

import pandas as pd

from medvision.errors import CohortError
from medvision.testing.faults import DicomFault, Fault, NiftiFault

MARKER = "phantom.json"
# Raised whenever the same arguments would write other files: an old cohort is then not taken for a new one.
FORMAT = 1

Progress = Callable[[int, int], None]
Row = dict[str, str | int | float]
Parameters = dict[str, object]

_CONTENT = ("images", "masks", "imagesTr", "labelsTr", "cohort.csv", "manifest.csv", "dataset.json", MARKER)


def begin(folder: Path, parameters: Parameters, *, overwrite: bool) -> bool:
    """Make room for a cohort, unless the folder holds it already.

    An unfinished cohort is removed and written anew; one of other arguments only with ``overwrite``.

    Returns:
        Whether the cohort is to be written.

    Raises:
        CohortError: The folder holds another cohort or other files.
    """
    marker = folder / MARKER
    wanted: Parameters = {"format": FORMAT, **parameters}
    if marker.exists():
        found = json.loads(marker.read_text(encoding="utf-8"))
        if found == {**wanted, "finished": True}:
            return False
        if found.get("finished") and not overwrite:
            raise CohortError(
                f"{folder} holds a phantom cohort of other arguments: choose another folder, delete it, "
                "or ask to overwrite it",
                problems=[
                    f"{key}: {found.get(key)!r} there, {value!r} asked for"
                    for key, value in wanted.items()
                    if found.get(key) != value
                ],
            )
    elif folder.exists() and any(folder.iterdir()):
        raise CohortError(f"{folder} is not empty and holds no phantom cohort: choose an empty or new folder")
    clear(folder)
    folder.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps({**wanted, "finished": False}, indent=1) + "\n", encoding="utf-8")
    return True


def clear(folder: Path) -> None:
    """Remove what a cohort consists of and nothing else."""
    for name in _CONTENT:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def finish(folder: Path, parameters: Parameters, rows: list[Row], table: str) -> None:
    """Write the table, and last of all that the cohort is finished."""
    pd.DataFrame(rows).to_csv(folder / table, index=False, lineterminator="\n")
    finished = {"format": FORMAT, **parameters, "finished": True}
    (folder / MARKER).write_text(json.dumps(finished, indent=1) + "\n", encoding="utf-8")


def checked_faults(patients: int, faults: Mapping[int, Fault] | None) -> dict[int, Fault]:
    """The faults by patient, from 0.

    Raises:
        CohortError: Fewer than two patients, an unknown fault, or a patient that there is not.
    """
    problems = (
        [] if patients >= 2 else [f"patients must be at least 2, so that both labels occur, not {patients}"]
    )
    known = {*get_args(DicomFault), *get_args(NiftiFault)}
    for n, fault in (faults or {}).items():
        if fault not in known:
            problems.append(f"there is no fault {fault!r}; there are {', '.join(sorted(known))}")
        if not 0 <= n < patients:
            problems.append(f"fault {fault!r} is for patient {n}, but patients are 0 to {patients - 1}")
    if problems:
        raise CohortError("the cohort cannot be made", problems=problems)
    return dict(sorted((faults or {}).items()))


def named_faults(faults: Mapping[int, Fault]) -> dict[str, str]:
    """The faults as JSON holds them."""
    return {str(n): fault for n, fault in faults.items()}
