"""Kill a real run again and again, and compare what it ends in with an undisturbed one.

    python benchmarks/kills.py experiments/hippocampus/study.yaml training.epochs=4 --kills 10

Runs the study once undisturbed and once with SIGKILL at random moments, both from the command line and with
the same overrides. Prints both times, how often a finished fold was trained anew (which must be never), and
whether predictions and results are the same bytes.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMPARED = ("predictions.parquet", "results.json", "splits.json")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", type=Path)
    parser.add_argument("overrides", nargs="*", help="such as training.epochs=4")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()

    folder = Path(tempfile.mkdtemp(prefix="medvision-kills-"))
    command = [sys.executable, "-m", "medvision", "run", str(options.study), *options.overrides, "--quiet"]
    calm, killed = folder / "calm", folder / "killed"
    undisturbed = finish([*command, "--out", str(calm)])
    print(f"undisturbed: {undisturbed:.0f} s", flush=True)

    draws = random.Random(options.seed)
    begun, repeated, finished = time.monotonic(), 0, {}
    for kill in range(options.kills):
        # Spread over the run, so that every stage of it is hit, and later kills find folds that are done.
        delay = draws.uniform(0.1, 2 * undisturbed / options.kills)
        process = subprocess.Popen([*command, "--out", str(killed)], stdout=subprocess.DEVNULL)
        time.sleep(delay)
        process.kill()
        process.wait()
        now = {marker: marker.stat().st_mtime_ns for marker in killed.glob("folds/*/fold.json")}
        repeated += sum(now.get(marker) != stamp for marker, stamp in finished.items())
        finished = now
        print(f"kill {kill + 1} after {delay:.1f} s: {len(finished)} folds finished", flush=True)
    finish([*command, "--out", str(killed)])
    after = {marker: marker.stat().st_mtime_ns for marker in finished}
    repeated += sum(after[marker] != stamp for marker, stamp in finished.items())

    same = all((calm / name).read_bytes() == (killed / name).read_bytes() for name in COMPARED)
    left = [path.name for path in killed.rglob("*") if path.name.startswith(".unfinished")]
    print(f"with {options.kills} kills: {time.monotonic() - begun:.0f} s")
    print(f"finished folds trained anew: {repeated}; temporary files left: {len(left)}")
    print(f"{', '.join(COMPARED)}: {'the same bytes' if same else 'DIFFERENT'}")
    shutil.rmtree(folder)
    sys.exit(0 if same and not repeated and not left else 1)


def finish(command: list[str]) -> float:
    """Run a command to its end and return the seconds; stop if it fails."""
    begun = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
