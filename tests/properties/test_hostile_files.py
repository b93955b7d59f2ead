"""Two thousand hostile scans: each gives a volume or an error that a user can act on, soon, in little memory.

Run as a script it is one worker: ``python test_hostile_files.py SEED FIRST LAST STEP``. It prints the number
of each scan before opening it, so that one that ends the process is known, and what went wrong.
"""

from __future__ import annotations

import faulthandler
import re
import resource
import signal
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import pytest

from medvision.errors import GeometryError, SeriesError
from medvision.imaging import ImageHeader, Volume, inspect, load_volume
from medvision.testing.mutations import write_mutant

SCANS, WORKERS, SEED = 2000, 4, 20
MOST_SECONDS, MOST_MEBIBYTES = 5, 1024


def main(seed: int, first: int, last: int, step: int) -> None:
    """Open every mutant; more than five seconds of processor time end the process by a signal."""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    faulthandler.enable()
    for number in range(first, last, step):
        with tempfile.TemporaryDirectory() as folder:
            mutant = write_mutant(Path(folder), seed, number)
            print(f"{number} {mutant.name}", flush=True)
            for read in (inspect, load_volume):
                faulthandler.dump_traceback_later(60, exit=True)  # a wait that takes no processor time
                signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
                wrong = outcome(read, mutant.source)
                signal.setitimer(signal.ITIMER_PROF, 0)
                faulthandler.cancel_dump_traceback_later()
                peak = peak_mebibytes()
                if wrong or peak > MOST_MEBIBYTES:
                    print(f"WRONG {number} {mutant.name}: {wrong or f'{peak} MiB'}", flush=True)
                    sys.exit(1)
    print("done", flush=True)


def peak_mebibytes() -> int:
    """Most memory that this process has held; getrusage would count what its parent held when it forked."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) >> 10


def outcome(read: object, source: Path) -> str:
    """What is wrong with what a reader did; "" where nothing is."""
    try:
        found = read(source)
    except (SeriesError, GeometryError) as error:
        return "" if str(error) else "an error without a sentence"
    except BaseException as error:  # noqa: BLE001 (a panic in Rust is no Exception)
        return f"{type(error).__name__}: {error}"
    return "" if isinstance(found, Volume | ImageHeader) else f"gave {found!r}"


@pytest.mark.slow
def test_none_crashes_hangs_or_takes_a_gibibyte() -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, __file__, str(SEED), str(first), str(SCANS), str(WORKERS)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        for first in range(WORKERS)
    ]
    for worker in workers:
        said, noise = worker.communicate(timeout=500)
        opened = said.splitlines()
        assert worker.returncode == 0, (opened[-1:], worker.returncode, noise[-2000:])
        assert opened[-1] == "done"
        assert len(opened) == SCANS // WORKERS + 1


def test_the_generator_gives_the_same_scan_for_the_same_numbers(tmp_path: Path) -> None:
    for number in range(40):
        twice = []
        for name in ("one", "other"):
            folder = tmp_path / f"{name}{number}"
            folder.mkdir()
            mutant = write_mutant(folder, SEED, number)
            files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
            twice.append((mutant.name, [(p.relative_to(folder), p.read_bytes()) for p in files]))
        assert twice[0] == twice[1]


@pytest.mark.parametrize("kind", ["bomb", "path", "dicom", "nifti", "nrrd", "mha", "zip"])
def test_every_kind_occurs(kind: str, tmp_path: Path) -> None:
    names = []
    for number in range(100):
        folder = tmp_path / str(number)
        folder.mkdir()
        names.append(write_mutant(folder, SEED, number).name)
    assert any(name.startswith(kind) for name in names)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:5]))
