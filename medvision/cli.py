"""The command line: `medvision VERB …`. Each verb is a function of `medvision.workflows`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from medvision.errors import MedvisionError

app = App(
    name="medvision",
    help="Reproducible radiology AI studies: scans in, cross-validated 3D models, right intervals, "
    "the paper's tables out.",
    help_epilogue="Start with: medvision check STUDY.yaml, then medvision run STUDY.yaml",
    version_flags=[],
    default_parameter=Parameter(negative=()),
    result_action="return_value",
)

Device = Literal["auto", "cpu", "cuda"]
Allow = Annotated[
    tuple[str, ...], Parameter(name="--allow", help="Package whose classes `model.kind: custom` may name.")
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code: 0, 2 for the user's input, 1 for a failure.

    Args:
        arguments: Words after `medvision`; by default those of this process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _dispatch(words)
    except MedvisionError as error:
        print(f"medvision: {error}", file=sys.stderr)
        code = error.exit_code
    except BrokenPipeError:
        # The reader (such as `head`) has gone; Python must not complain again while it shuts down.
        sys.stdout = None
        code = 0
    raise SystemExit(code)


def _dispatch(words: list[str]) -> int:
    if words[:1] == ["--version"]:
        return _version()
    try:
        result = app(words or ["--help"], exit_on_error=False, print_error=False)
    except CycloptsError as error:
        print(f"medvision: {error}\nTry: medvision {' '.join(words[:1])} --help", file=sys.stderr)
        return 2
    return result if isinstance(result, int) else 0


def _version() -> int:
    from medvision.workflows.record import versions

    for package, version in versions().items():
        print(f"{package} {version}")
    return 0


@app.command(sort_key=1)
def run(
    study: Path,
    overrides: Annotated[tuple[str, ...], Parameter(show=True)] = (),
    /,
    *,
    out: Path | None = None,
    folds: str | None = None,
    resume: Annotated[bool, Parameter(name="--resume", negative="--fresh")] = True,
    device: Device = "auto",
    allow: Allow = (),
    quiet: bool = False,
) -> int:
    """Run a study from scans to report. Stopped runs go on with the same command.

    Examples:
        medvision run experiments/quickstart/study.yaml

        medvision run study.yaml training.epochs=5 --folds 0,1 --out runs/trial

    Args:
        study: The study file.
        overrides: Settings that come last, such as training.epochs=5.
        out: The run folder; by default runs/NAME.
        folds: Only these folds, such as 0,1.
        resume: Go on where an earlier start was stopped; --fresh removes that run first.
        device: Where it computes; auto takes a CUDA card where there is one.
        allow: Package whose classes `model.kind: custom` may name.
        quiet: Show no progress.
    """
    from medvision.interrupt import stop_on_interrupt

    stop_on_interrupt("Finished folds are kept; give the same command again to go on.")
    from medvision.reporting import terminal_summary
    from medvision.workflows.run import run as run_study

    done = run_study(
        study,
        overrides,
        out=out,
        folds=_numbers(folds),
        fresh=not resume,
        device=device,
        allow=allow,
        quiet=quiet,
    )
    print(terminal_summary(done.path))
    print(f"\nReport: {done.report}")
    return 0


@app.command(sort_key=0)
def check(
    study: Path,
    overrides: tuple[str, ...] = (),
    /,
    *,
    deep: bool = False,
    device: Device = "auto",
    allow: Allow = (),
) -> int:
    """Find everything that can be wrong before hours of training.

    Examples:
        medvision check study.yaml

        medvision check study.yaml --deep

    Args:
        study: The study file.
        overrides: Settings that come last, such as training.epochs=5.
        deep: Also read every voxel, and compute one step forward and backward.
        device: Where --deep computes.
        allow: Package whose classes `model.kind: custom` may name.
    """
    from medvision.workflows.check import check as check_study

    print(check_study(study, overrides, deep=deep, device=device, allow=allow))
    return 0


@app.command(sort_key=2)
def predict(
    run: Path,
    inputs: tuple[Path, ...],
    /,
    *,
    out: Path,
    device: Device = "auto",
    allow: Allow = (),
    quiet: bool = False,
) -> int:
    """Apply a finished run to new scans; masks come out in each scan's own geometry.

    Examples:
        medvision predict runs/hippocampus scan.nii.gz dicom_folder --out predictions

        medvision predict runs/lung_nodules new_cases.csv --out predictions

    Args:
        run: The run folder.
        inputs: NIfTI files, folders with one DICOM series each, or a manifest (CSV or Parquet).
        out: Where predictions.csv and the masks are written.
        device: Where it computes.
        allow: Package whose classes `model.kind: custom` may name.
        quiet: Show no progress.
    """
    from medvision.interrupt import stop_on_interrupt

    stop_on_interrupt("Finished masks are kept; give the same command again for the rest.")
    from medvision.workflows.predict import predict as predict_scans

    table = predict_scans(run, inputs, out=out, device=device, allow=allow, quiet=quiet)
    print(f"{len(table)} scans predicted: {out / 'predictions.csv'}")
    return 0


@app.command(sort_key=5)
def report(run: Path, /) -> int:
    """Make tables, figures and report.html of a run again.

    Example:
        medvision report runs/quickstart

    Args:
        run: The run folder.
    """
    from medvision.workflows.report import report as write

    print(write(run))
    return 0


@app.command(sort_key=6)
def convert(series: Path, out: Path, /, *, sidecar: bool = False, overwrite: bool = False) -> int:
    """Convert a DICOM series to NIfTI, or refuse it with the reason.

    Example:
        medvision convert dicom_folder scan.nii.gz

    Args:
        series: A folder with one series, or one file.
        out: The NIfTI to write.
        sidecar: Also write what the header says as JSON beside it.
        overwrite: Replace a file that is there.
    """
    from medvision.workflows.convert import convert as convert_series

    print(convert_series(series, out, sidecar=sidecar, overwrite=overwrite))
    return 0


def _numbers(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise MedvisionError(f"--folds {text}: write fold numbers with commas, such as 0,1") from None
