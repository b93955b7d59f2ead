"""What worker processes do in a scan: turn files into rows of plain values."""

from __future__ import annotations

import gc
import hashlib
import hmac
import json
import logging
import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from medvision.errors import RunError

if TYPE_CHECKING:
    from medvision.imaging.survey import SeriesFacts, Surveyed

Given = TypeVar("Given")
Made = TypeVar("Made")

_MOST_REMEMBERED = 1000
INLINE_FILES = 5000
"""With fewer files than this, starting processes takes longer than reading."""


class FileRow(NamedTuple):
    """What a scan keeps of one file.

    Attributes:
        name: Its name in its folder.
        size: Bytes.
        changed: Time of change in ns.
        series: SeriesInstanceUID; None where the file could not be read.
        instance: SOPInstanceUID.
        kind: Of DICOM object; "" where the file could not be read.
        slices: From :func:`medvision.imaging.judging.pack`; "" where it holds none.
        problem: Why it could not be read; "" where it could.
        blocking: Whether reading its folder as a series would stumble over it.
        facts: Of its series as JSON; "" where this chunk has them already.
    """

    name: str
    size: int
    changed: int
    series: str | None
    instance: str
    kind: str
    slices: str
    problem: str
    blocking: bool
    facts: str


Chunk: TypeAlias = tuple[str, list[tuple[str, int, int]]]
"""A folder, and name, size and time of change of some of its files."""


class Pseudonyms:
    """Names for patients, studies and series that say nothing to who has not the key.

    Args:
        key: Secret bytes; the same key gives the same pseudonyms.
        show_patient: Whether rows keep the patient's own name and number.
    """

    def __init__(self, key: bytes, *, show_patient: bool) -> None:
        self._key = key
        self.show_patient = show_patient
        self._patients: dict[tuple[str, str], str] = {}

    def of(self, letter: str, *parts: str) -> str:
        """A pseudonym such as `P-3f9c01a2b4d6`; "" where all parts are empty."""
        if not any(parts):
            return ""
        text = json.dumps(parts).encode()
        return f"{letter}-{hmac.new(self._key, text, hashlib.sha256).hexdigest()[:12]}"

    def patient(self, issuer: str, number: str) -> str:
        """The pseudonym of a patient: PatientIDs of two issuers are two patients; "" without a number."""
        if (issuer, number) not in self._patients:
            if len(self._patients) >= _MOST_REMEMBERED:
                self._patients.clear()
            self._patients[issuer, number] = self.of("P", issuer, number) if number else ""
        return self._patients[issuer, number]


def read_chunk(pseudonyms: Pseudonyms, chunk: Chunk) -> tuple[str, list[FileRow]]:
    """Read some files of one folder; a file that cannot be read is a row with its problem."""
    folder, files = chunk
    known: set[str] = set()
    place = Path(folder)
    with quiet_pydicom():
        return folder, [_read(pseudonyms, place, known, *one) for one in files]


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Without the warnings and log lines of pydicom, which quote values."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logger.setLevel(level)


def _read(
    pseudonyms: Pseudonyms, folder: Path, known: set[str], name: str, size: int, changed: int
) -> FileRow:
    from medvision.imaging.blocks import NotDicomError
    from medvision.imaging.decoding import in_short, unreadable
    from medvision.imaging.survey import survey_file

    try:
        found = survey_file(folder / name, known=known)
    except NotDicomError as error:
        problem, blocking = _not_dicom(name, str(error)), may_be_image(name)
    except OSError as error:
        problem, blocking = f"cannot be opened ({error.strerror})", True
    except unreadable() as error:
        problem, blocking = in_short(error), True
    else:
        known.add(found.series_uid)
        return _row(pseudonyms, found, folder, name, size, changed)
    return FileRow(name, size, changed, None, "", "", "", problem, blocking, "")


def _row(
    pseudonyms: Pseudonyms, found: Surveyed, folder: Path, name: str, size: int, changed: int
) -> FileRow:
    from medvision.imaging.judging import pack

    patient = pseudonyms.patient(found.issuer, found.patient_id)
    return FileRow(
        name=name,
        size=size,
        changed=changed,
        series=found.series_uid or f"in {folder}",
        instance=found.instance_uid or f"in {folder / name}",
        kind=found.kind,
        slices=pack(found.slices, patient) if found.slices else "",
        problem="",
        blocking=False,
        facts="" if found.facts is None else _facts(pseudonyms, found, found.facts),
    )


def read_facts(pseudonyms: Pseudonyms, file: Path) -> str:
    """What one file says of its series, as JSON; of nobody where it can no longer be read."""
    from medvision.imaging.survey import SeriesFacts

    with quiet_pydicom():
        row = _read(pseudonyms, file.parent, set(), file.name, 0, 0)
    texts = {field.name: "" for field in fields(SeriesFacts)}
    return row.facts or json.dumps({"patient": "", "study": "", "number": "", **texts, "thickness_mm": None})


def _facts(pseudonyms: Pseudonyms, found: Surveyed, facts: SeriesFacts) -> str:
    patient = pseudonyms.patient(found.issuer, found.patient_id)
    study = pseudonyms.of("E", patient, facts.study_uid)
    number = pseudonyms.of("N", found.patient_id)
    kept = {
        "patient": patient,
        "study": study,
        "number": number,
        "issued": bool(found.issuer),
        **asdict(facts),
    }
    if pseudonyms.show_patient:
        kept |= {"patient_id": found.patient_id, "issuer": found.issuer}
    else:
        del kept["patient_name"]
    return json.dumps(kept)


def _not_dicom(name: str, reason: str) -> str:
    """Why a file that is no DICOM is worth a line; "" where it does not pretend to be one."""
    if name.lower().endswith((".zip", ".tar", ".tgz", ".7z", ".rar")):
        return "an archive, not looked into; unpack it"
    return f"{reason}; take it out of the folder, or export it again" if may_be_image(name) else ""


def may_be_image(name: str) -> bool:
    """Whether a file that is no DICOM is named as if it were, so that reading its folder stumbles over it."""
    from medvision.imaging import files

    return name.upper() not in files.NOT_IMAGE_NAMES and Path(name).suffix.lower() not in files.NOT_IMAGES


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_processes(work: Callable[[Given], Made], items: Iterable[Given], *, workers: int) -> Iterator[Made]:
    """Do the same work on many items in worker processes, a few items ahead and never more.

    Args:
        work: What can be sent to another process: a function of a module, or a `partial` of one.
        items: What it is done on.
        workers: How many processes; 0 works in this one.

    Returns:
        The results, in the order of the items.

    Raises:
        RunError: A worker process was ended from outside, such as for want of memory.
    """
    if workers == 0:
        yield from map(work, items)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_prepare_worker, initargs=(os.getpid(),))
    try:
        waiting: deque[Future[Made]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 4 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise RunError(
            "a process that reads files was ended from outside (out of memory?); give the same command again "
            "to go on, with fewer --workers"
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _prepare_worker(parent: int) -> None:
    """Be quiet, leave Ctrl-C to the parent, and end when it has ended, however that came."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Headers are read into short-lived objects without cycles: looking for cycles costs a fifth of the time.
    gc.set_threshold(50_000)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
