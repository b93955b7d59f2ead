"""The command line: `medvision VERB …`. Each verb is a function of `medvision.workflows`."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from medvision.cli_evaluate import COMPARE_EXAMPLES, EVALUATE_EXAMPLES, compare, evaluate
from medvision.cli_options import examples, refuse_given
from medvision.cli_readers import plan
from medvision.errors import MedvisionError, missing_to_train, needs_training_extra
from medvision.imaging.options import Reading

_AS_IT_IS = Reading()
_NO_PATH = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EACCES)


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
Overrides = Annotated[str, Parameter(show_default=False)]
Allow = Annotated[tuple[str, ...], Parameter(name="--allow", show_default=False)]


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
    except ModuleNotFoundError as error:
        if not missing_to_train(error.name):
            raise
        print(f"medvision: {' '.join(words[:1])} {needs_training_extra(error.name)}", file=sys.stderr)
        code = 2
    except BrokenPipeError:
        # The reader (such as `head`) has gone; Python must not complain again while it shuts down.
        sys.stdout = None
        code = 0
    except OSError as error:
        if error.errno not in _NO_PATH:
            raise
        print(f"medvision: {error.filename}: {error.strerror}; give another path", file=sys.stderr)
        code = 2
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


@app.command(
    sort_key=1,
    help_epilogue=examples(
        "medvision run study.yaml",
        "medvision run study.yaml training.epochs=5 --folds 0,1 --out runs/trial",
    ),
)
def run(
    study: Path,
    /,
    *overrides: Overrides,
    out: Path | None = None,
    folds: str | None = None,
    resume: Annotated[bool, Parameter(name="--resume", negative="--fresh")] = True,
    unlock_test: bool = False,
    device: Device = "auto",
    allow: Allow = (),
    quiet: bool = False,
) -> int:
    """Run a study from scans to report. Stopped runs go on with the same command.

    Args:
        study: The study file.
        overrides: Settings that come last, such as training.epochs=5.
        out: The run folder; by default runs/NAME.
        folds: Only these folds, such as 0,1.
        resume: Go on where an earlier start was stopped; --fresh removes that run first.
        unlock_test: Open the locked test set (split.test) when all folds are finished; the record keeps it.
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
        unlock_test=unlock_test,
        device=device,
        allow=allow,
        quiet=quiet,
    )
    print(terminal_summary(done.path))
    print(f"\nReport: {done.report}")
    return 0


@app.command(
    sort_key=0,
    help_epilogue=examples(
        "medvision check study.yaml",
        "medvision check study.yaml --deep",
        "medvision check study.yaml --data --out quality",
    ),
)
def check(
    study: Path,
    /,
    *overrides: Overrides,
    deep: bool = False,
    splits: Path | None = None,
    data: bool = False,
    out: Path | None = None,
    device: Device = "auto",
    allow: Allow = (),
    quiet: bool = False,
) -> int:
    """Find everything that can be wrong before hours of training.

    Args:
        study: The study file.
        overrides: Settings that come last, such as training.epochs=5.
        deep: Also read every voxel, and compute one step forward and backward.
        splits: Also write the split to this file, as a run would store it.
        data: Also measure every scan: outliers, copies, shortcuts to the label; as a page and tables.
        out: Folder of that page; by default quality beside the study file.
        device: Where --deep computes.
        allow: Package whose classes `model.kind: custom` may name.
        quiet: Show no progress.
    """
    from medvision.workflows.check import check as check_study

    if data:
        from medvision.interrupt import stop_on_interrupt

        stop_on_interrupt("Scans that were measured are kept; give the same command again for the rest.")
        from medvision.workflows.quality import check_data

        print(check_data(study, overrides, out=out, quiet=quiet))
    print(check_study(study, overrides, deep=deep, splits=splits, device=device, allow=allow))
    return 0


@app.command(
    sort_key=2,
    help_epilogue=examples(
        "medvision predict runs/hippocampus scan.nii.gz dicom_folder --out predictions",
        "medvision predict runs/lung_nodules new_cases.csv --out predictions",
    ),
)
def predict(
    run: Path,
    /,
    *inputs: Path,
    out: Path,
    device: Device = "auto",
    allow: Allow = (),
    quiet: bool = False,
) -> int:
    """Apply a finished run to new scans; masks come out in each scan's own geometry.

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


app.command(evaluate, sort_key=3, help_epilogue=EVALUATE_EXAMPLES)
app.command(compare, sort_key=4, help_epilogue=COMPARE_EXAMPLES)


@app.command(
    sort_key=5,
    help_epilogue=examples(
        "medvision report runs/quickstart",
    ),
)
def report(run: Path, /) -> int:
    """Make tables, figures and report.html of a run again.

    Args:
        run: The run folder.
    """
    from medvision.workflows.report import report as write

    print(write(run))
    return 0


@app.command(
    sort_key=6,
    help_epilogue=examples(
        "medvision convert dicom_folder scan.nii.gz",
        "medvision convert series.zip scan.nii.gz --sidecar",
        "medvision convert dicom_folder scan.nii.gz --on-gap fill --on-tilt shear",
        "medvision convert diffusion_folder dwi.nii.gz --every-volume",
        "medvision convert seg_or_rtstruct.dcm mask.nii.gz --reference dicom_folder",
        "medvision convert mask.nii.gz seg.dcm --reference dicom_folder --segments 1:liver,2:tumour "
        "--algorithm manual",
    ),
)
def convert(
    series: Path,
    out: Path,
    /,
    *,
    sidecar: bool = False,
    overwrite: bool = False,
    show_patient: bool = False,
    every_volume: bool = False,
    reading: Annotated[Reading, Parameter(name="*", show_default=False)] = _AS_IT_IS,
    reference: Path | None = None,
    segments: str | None = None,
    threshold: float | None = None,
    overlap: Literal["refuse", "first"] = "refuse",
    allow_other_series: bool = False,
    algorithm: str | None = None,
) -> int:
    """Convert a scan to NIfTI, a mask to NIfTI or DICOM SEG, or refuse it with the reason.

    Args:
        series: A folder with one DICOM series, one file (DICOM, NIfTI, NRRD, MetaImage), or a zip of these;
            with --reference a mask (DICOM SEG, RTSTRUCT, NIfTI).
        out: The NIfTI to write; with --reference any other name is a DICOM SEG.
        sidecar: Also write what the header says as JSON beside it, with BIDS' names and units.
        overwrite: Replace a file that is there.
        show_patient: Let the sidecar hold PatientID and UIDs.
        every_volume: Write all volumes of the scan as 4D NIfTI; with .bval and .bvec of a diffusion series.
        reading: What to do where a DICOM series leaves a choice; by default it is refused.
        reference: The scan on which the mask lies.
        segments: Structures of the mask, such as 1:liver,2:tumour; numbers instead of names, such as 1:7.
        threshold: A voxel of a fractional segmentation belongs from this fraction on.
        overlap: first gives voxels that structures share to the first one named.
        allow_other_series: Accept a mask of another series in the same frame of reference.
        algorithm: How a DICOM SEG was outlined: manual, semiautomatic:NAME or automatic:NAME.
    """
    from medvision.workflows.convert import convert as convert_series
    from medvision.workflows.convert_masks import convert_mask, refuse_lone_mask

    if reference is not None:
        refuse_given(
            "is said of a scan, not of a mask with --reference",
            every_volume=every_volume, show_patient=show_patient,
        )  # fmt: skip
        written = convert_mask(
            series, out, reference=reference, segments=segments, threshold=threshold, overlap=overlap,
            allow_other_series=allow_other_series, algorithm=algorithm, sidecar=sidecar, overwrite=overwrite,
            **asdict(reading),
        )  # fmt: skip
        print(written)
        return 0
    refuse_lone_mask(series)
    refuse_given(
        "is said of a mask; name its scan with --reference",
        segments=segments, threshold=threshold, overlap=overlap == "first",
        allow_other_series=allow_other_series, algorithm=algorithm,
    )  # fmt: skip
    written = convert_series(
        series, out, sidecar=sidecar, overwrite=overwrite, show_patient=show_patient,
        every_volume=every_volume, **asdict(reading),
    )  # fmt: skip
    print(written)
    return 0


@app.command(
    sort_key=-1,
    help_epilogue=examples(
        "medvision init data/Task04_Hippocampus/dataset.json --out study",
        "medvision init cohort.csv --label malignant --positive 1",
        "medvision init scans --patient '(p[0-9]+)' --task segmentation",
    ),
)
def init(
    source: Path,
    /,
    *,
    out: Path = Path(),
    label: str | None = None,
    positive: str | None = None,
    task: Literal["classification", "segmentation"] | None = None,
    patient: str | None = None,
    images: str | None = None,
    overwrite: bool = False,
) -> int:
    """Propose a manifest and a commented study file, and say what was assumed.

    Args:
        source: A folder of NIfTI, a BIDS tree, an MSD dataset.json, a MedMNIST .npz, or a table of cases.
        out: Folder for study.yaml and manifest.csv; by default this one.
        label: Column of the label.
        positive: Its value for diseased.
        task: What is learned, where the source allows both.
        patient: Column of the patient; for files a regular expression with the patient in brackets, or file.
        images: Pattern of the images' file names, such as '*_T1w.nii.gz'.
        overwrite: Replace files that are there.
    """
    from medvision.workflows.init import init as propose

    proposal = propose(
        source,
        out,
        label=label,
        positive=positive,
        task=task,
        patient=patient,
        images=images,
        overwrite=overwrite,
    )
    print(proposal)
    return 0


@app.command(
    name="check-deidentified",
    sort_key=7,
    help_epilogue=examples(
        "medvision check-deidentified export --out deidentification",
        "medvision check-deidentified export --frames 0 --strict",
    ),
)
def check_deidentified(
    folder: Path,
    /,
    *,
    out: Path | None = None,
    frames: int = 3,
    show_patient: bool = False,
    strict: bool = False,
    quiet: bool = False,
) -> int:
    """Find what in DICOM, NIfTI and JSON files still tells whom they show. Changes nothing.

    Args:
        folder: A folder, searched with its subfolders.
        out: Folder for the report as HTML and its tables as CSV.
        frames: Files of each series whose pixels are searched for letters; 0 searches none.
        show_patient: Show values and paths; otherwise counts alone.
        strict: Leave with exit code 1 where something was found that identifies.
        quiet: Show no progress.
    """
    from medvision.interrupt import stop_on_interrupt
    from medvision.workflows.deidentification import check_deidentified as check_folder

    stop_on_interrupt("Nothing was written.")
    found = check_folder(folder, out=out, frames=frames, show_patient=show_patient, quiet=quiet)
    print(found)
    return 1 if strict and found.identifies else 0


@app.command(
    sort_key=-2,
    help_epilogue=examples(
        "medvision scan /data/export",
        "medvision scan /data/export --rules rules.yaml --thumbnails --out inventory",
    ),
)
def scan(
    export: Path,
    /,
    *,
    out: Path = Path("inventory"),
    rules: Path | None = None,
    thumbnails: bool = False,
    show_patient: bool = False,
    workers: int | None = None,
    quiet: bool = False,
) -> int:
    """List the series of a DICOM export, complete or why not, and choose among them by rules.

    Args:
        export: A folder with whatever the PACS wrote.
        out: Where inventory.parquet, inventory.html and what the rules choose are written.
        rules: A rule file; writes OUT/NAME/manifest.csv and the flow diagram.
        thumbnails: Show a picture of each complete series.
        show_patient: Show the patients' own numbers and names.
        workers: Processes that read; by default as many as there are processors.
        quiet: Show no progress.
    """
    from medvision.interrupt import stop_on_interrupt

    stop_on_interrupt("What was read is kept; give the same command again for the rest.")
    from medvision.workflows.scan_page import scan_export

    for line in scan_export(
        export, out=out, rules=rules, with_thumbnails=thumbnails, show_patient=show_patient,
        workers=workers, quiet=quiet,
    ):  # fmt: skip
        print(line)
    return 0


app.command(plan)

cache = App(
    name="cache",
    help="Look at the preprocessed cases that are kept between runs, or remove them.",
    help_epilogue="\n\n".join(
        [
            examples("medvision cache", "medvision cache clear --older-than 30d"),
            "The cache is in $MEDVISION_CACHE, or ~/.cache/medvision. $MEDVISION_CACHE_LIMIT, such as 50 GB, "
            "is the most it may hold: what was not used for longest goes first, and nothing that a running "
            "process uses.",
        ]
    ),
    version_flags=[],
    default_parameter=Parameter(negative=()),
    result_action="return_value",
    sort_key=8,
)
app.command(cache)


@cache.default
@cache.command(name="list", help_epilogue=examples("medvision cache list --verify"))
def list_cache(*, verify: bool = False) -> int:
    """Show what the cache holds.

    Args:
        verify: Read every byte and name what is damaged.
    """
    from medvision.workflows.cache import cache_contents

    print(cache_contents(verify=verify))
    return 0


@cache.command(
    name="clear", help_epilogue=examples("medvision cache clear", "medvision cache clear --older-than 30d")
)
def clear_cache(*, older_than: str | None = None) -> int:
    """Remove preprocessed cases that no running process uses; a run that needs them makes them again.

    Args:
        older_than: Keep what was used more lately: 12h, 30d or 4w.
    """
    from medvision.workflows.cache import clear_cache as remove

    print(remove(older_than))
    return 0


def _numbers(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise MedvisionError(f"--folds {text}: write fold numbers with commas, such as 0,1") from None
