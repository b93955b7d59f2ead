"""Files a second of `medvision scan` and of a plain loop of pydicom, and the memory of a large scan.

    python benchmarks/scanning.py FOLDER [--links 100000] [--workers 2]

Every DICOM file of FOLDER is linked (hard links) into a scratch folder, again and again in new folders,
until there are `--links` of them. Then, in one run on the warm cache: a loop of
`pydicom.dcmread(stop_before_pixels=True)` over the files, before and after a whole scan, start of its
processes included; a second scan that finds nothing new; and a third after some files were added. Memory is
the highest of the process and of its workers, at a tenth of the links and at all of them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GOAL = 4.0


def dicom_files(folder: Path) -> list[Path]:
    from medvision.imaging.elements import ElementsError, read_elements

    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            read_elements(path, ())
            found.append(path)
        except ElementsError:
            continue
    return found


def link(files: list[Path], source: Path, target: Path, count: int) -> None:
    """Hard links in copies of the tree; other users of the files see nothing of it."""
    made, copy = 0, 0
    made_folders: set[Path] = set()
    while made < count:
        for file in files[: count - made]:
            place = target / f"copy{copy:04d}" / file.relative_to(source)
            if place.parent not in made_folders:
                place.parent.mkdir(parents=True, exist_ok=True)
                made_folders.add(place.parent)
            os.link(file, place)
        made += len(files[: count - made])
        copy += 1


def pydicom_loop(files: list[Path]) -> float:
    from pydicom import dcmread

    start = time.perf_counter()
    for file in files:
        dcmread(file, stop_before_pixels=True)
    return (time.perf_counter() - start) / len(files)


def scan_once(export: Path, out: Path, workers: int) -> tuple[float, int, float, float]:
    """Seconds, files read, MiB and seconds of processor time of one scan in a process of its own."""
    code = (
        "import multiprocessing, resource, time\n"
        "if __name__ == '__main__':\n"
        "    from medvision.workflows.scan import scan\n"
        "    start = time.perf_counter()\n"
        f"    found = scan({str(export)!r}, out={str(out)!r}, workers={workers})\n"
        "    spent = time.perf_counter() - start\n"
        "    for child in multiprocessing.active_children():\n"
        "        child.join()\n"
        "    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "    below = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)\n"
        "    used = [resource.getrusage(one) for one in who]\n"
        "    cpu = sum(one.ru_utime + one.ru_stime for one in used)\n"
        "    print(spent, found.read, max(own, below) / 1024, cpu)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "scan_once.py"
        script.write_text(code)
        done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    spent, read, memory, cpu = done.stdout.split()
    return float(spent), int(read), float(memory), float(cpu)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--links", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scratch", type=Path, default=None, help="where links can be made")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=wanted.scratch) as scratch:
        run(wanted.folder, Path(scratch), wanted.links, wanted.workers)


def run(folder: Path, scratch: Path, links: int, workers: int) -> None:
    own = scratch / "own"
    shutil.copytree(folder, own)
    files = dicom_files(own)
    small, large = scratch / "small", scratch / "large"
    link(files, own, small, links // 10)
    link(files, own, large, links)
    pydicom_loop(files)  # warms the cache
    begun = time.process_time()
    loops = [pydicom_loop(files) for _ in range(2)]
    loop_cpu = (time.process_time() - begun) / len(files) / 2
    _, _, memory_small, _ = scan_once(small, scratch / "out-small", workers)
    spent, read, memory, cpu = scan_once(large, scratch / "out", workers)
    loops += [pydicom_loop(files) for _ in range(2)]
    loop = sorted(loops)[len(loops) // 2]
    again, read_again, _, _ = scan_once(large, scratch / "out", workers)
    link(files, own, large / "new", len(files))
    added, read_added, _, _ = scan_once(large, scratch / "out", workers)
    ratio = loop * read / spent
    print(f"{'':34}{'files':>9}{'seconds':>9}{'files/s':>9}{'ratio':>7}")
    rows = [
        ("loop of pydicom, one process", len(files), loop * len(files)),
        (f"medvision scan, {workers} workers", read, spent),
    ]
    for name, count, seconds in rows:
        print(f"{name:34}{count:9d}{seconds:9.2f}{count / seconds:9.0f}{loop * count / seconds:7.1f}")
    print(
        f"processor time a file: pydicom {loop_cpu * 1e3:.2f} ms, scan {cpu / read * 1e3:.2f} ms, all of its "
        f"processes and their start together; {loop_cpu * read / cpu:.1f}×, and no more than {workers} times "
        f"that where each has a core to itself"
    )
    print(f"second scan: {again:.2f} s, {read_again} files read")
    print(f"after {len(files)} new files: {added:.2f} s, {read_added} files read")
    print(f"memory: {memory_small:.0f} MiB at {links // 10} files, {memory:.0f} MiB at {links} files")
    print(f"goal {GOAL:g}×: {'reached' if ratio >= GOAL else 'missed'}, {ratio:.1f}×")


if __name__ == "__main__":
    main()
