"""Write a synthetic cohort: ``python -m medvision.testing OUT [--patients N] [--kind ct|mr] [--fault …]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import get_args

from medvision.errors import MedvisionError
from medvision.testing.ct_cohort import write_ct_cohort
from medvision.testing.faults import DicomFault, Fault, NiftiFault
from medvision.testing.mr_cohort import write_mr_cohort

_FAULTS = sorted({*get_args(DicomFault), *get_args(NiftiFault)})


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a cohort and name its table on the last line; returns the exit code."""
    options = _parser().parse_args(arguments)
    faults: dict[int, Fault] = dict(enumerate(options.fault))
    write = write_ct_cohort if options.kind == "ct" else write_mr_cohort
    count = {"patients": options.patients} if options.patients is not None else {}
    try:
        table = write(
            options.out,
            seed=options.seed,
            faults=faults,
            overwrite=options.overwrite,
            progress=_show_progress if sys.stderr.isatty() else None,
            **count,
        )
    except MedvisionError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"{table}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m medvision.testing",
        description="Write synthetic patients: chest CT as DICOM with nodules, or brain MR as NIfTI. "
        "A finished cohort of the same arguments is left alone.",
    )
    parser.add_argument("out", help="folder for the cohort; new or empty")
    parser.add_argument("--patients", type=int, help="how many; 48 for ct and 24 for mr by default")
    parser.add_argument("--seed", type=int, default=0, help="decides everything (default: %(default)s)")
    parser.add_argument("--kind", choices=["ct", "mr"], default="ct", help="default: %(default)s")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        choices=_FAULTS,
        metavar="FAULT",
        help=f"break the first patient so, the second for a second --fault, and so on: {', '.join(_FAULTS)}",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a cohort of other arguments")
    return parser


def _show_progress(done: int, total: int) -> None:
    sys.stderr.write(f"\r{done} of {total} patients" + ("\n" if done == total else ""))
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
