"""The command line: `medvision VERB …`. Each verb is a function of `medvision.workflows`."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter

from medvision.cli_options import examples, refuse_given
from medvision.cli_readers import evaluate_readings, plan
from medvision.errors import MedvisionError, missing_to_train, needs_training_extra
from medvision.imaging.options import Reading
from medvision.workflows.lesion_options import LesionOptions
from medvision.workflows.reader_options import ReadingColumns

if TYPE_CHECKING:
    from medvision.workflows.evaluation_result import Evaluation

_AS_IT_IS = Reading()
_NO_LESIONS = LesionOptions()
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


@app.command(
    sort_key=3,
    help_epilogue=examples(
        "medvision evaluate predictions.csv --label y --score p --patient patient_id --fold fold",
        "medvision evaluate predictions.csv --label y --score p --threshold 0.5 --json",
        "medvision evaluate predictions.csv --label y --score p --patient id --unit nodule --by sex,age:65",
        "medvision evaluate grades.csv --label grade --score low=p_low,mid=p_mid,high=p_high --ordinal",
        "medvision evaluate findings.csv --label mass,cyst --score p_mass,p_cyst --threshold 0.5,0.3",
        "medvision evaluate predictions.csv --label y --score p --calibration --decision-curve 0.05:0.5:0.05",
        "medvision evaluate predictions.csv --label y --score p --threshold 0.5 --missing bounds",
        "medvision evaluate volumes.csv --label measured_ml --score predicted_ml --regression",
        "medvision evaluate followed.csv --time months --event died --score risk --tau 36",
        "medvision evaluate --reference masks --prediction predicted --labels 1:anterior,2:posterior",
        "medvision evaluate ratings.csv --reader reader --modality modality --label truth --score rating",
        "medvision evaluate --reference masks --prediction predicted --labels 1:metastasis --lesions "
        "--patients cases.csv",
    ),
)
def evaluate(
    predictions: Path | None = None,
    /,
    *,
    label: str = "label",
    score: str = "score",
    patient: str | None = None,
    case: str | None = None,
    fold: str | None = None,
    repeat: str | None = None,
    positive: str = "1",
    threshold: str | None = None,
    threshold_rule: str | None = None,
    fit_on: Path | None = None,
    sampling: Literal["cohort", "enriched"] = "cohort",
    prevalence: str | None = None,
    by: str | None = None,
    unit: str = "row",
    classes: str | None = None,
    ordinal: bool = False,
    regression: bool = False,
    time: str | None = None,
    event: str | None = None,
    tau: float | None = None,
    level: float = 0.95,
    missing: Literal["refuse", "drop", "bounds"] = "refuse",
    calibration: bool = False,
    decision_curve: str | None = None,
    reference: Path | None = None,
    prediction: Path | None = None,
    labels: str | None = None,
    nsd_tolerance_mm: float | None = None,
    reader: str | None = None,
    modality: str | None = None,
    ai: str | None = None,
    figure: Literal["auc", "sensitivity", "specificity"] = "auc",
    scope: Literal["RRRC", "FRRC", "RRFC"] = "RRRC",
    patients: Path | None = None,
    by_lesion: Annotated[LesionOptions, Parameter(name="*", show_default=False)] = _NO_LESIONS,
    json: bool = False,
    out: Path | None = None,
    quiet: bool = False,
) -> int:
    """Evaluate predictions made by any software: a table of scores, a folder of masks, or readings.

    Args:
        predictions: CSV, TSV, Parquet or Excel, one row a case.
        label: Column of the reference standard; several with commas, where a row may have several labels.
        score: Column of the score; higher means more disease. Of several classes CLASS=COLUMN,CLASS=COLUMN,…;
            of several labels one column each.
        patient: Column of the patient, the unit of independence.
        case: Column of the case.
        fold: Column of the fold, for out-of-fold scores.
        repeat: Column of the repeat, for a repeated cross-validation.
        positive: The label that means disease.
        threshold: A prediction is positive at this score and above; a number or a column; of several labels
            one number, or one for each.
        threshold_rule: Chooses it: youden, sensitivity>=0.95, specificity>=0.9, cost:5.
        fit_on: Table on which the rule chooses.
        sampling: enriched where cases were picked by their label.
        prevalence: Where the predictive values shall hold; several with commas, such as 0.01,0.05.
        by: Columns of subgroups, such as sex,scanner,age:65; numbers are cut where the colon says.
        unit: What a row is, such as nodule.
        classes: The class of each column of --score, where that names columns alone.
        ordinal: The classes have an order, from the lowest to the highest as they are named.
        regression: --label is a measured number, and --score the predicted one.
        time: Column of the time until the event or the end of follow-up; --score is the risk.
        event: Column that says whether the event was seen (--positive) or the follow-up ended.
        tau: Also give Uno's C, which counts events before this time.
        level: Confidence level.
        missing: Rows without a score: refuse or drop them, or bounds: the worst and the best case beside.
        calibration: Also measure how right the scores are as probabilities.
        decision_curve: Also give the net benefit at thresholds FROM:TO:STEP, such as 0.05:0.5:0.05.
        reference: Folder of reference masks (NIfTI, DICOM SEG); with --prediction instead of a table.
        prediction: Folder of predicted masks of the same file names.
        labels: Structures of the masks, such as 1:anterior,2:posterior; 1:tumour,2:tumour joins two values.
        nsd_tolerance_mm: Surface distance that still counts as agreement; 1 by default.
        reader: Column of the reader, for a table with one row a reading.
        modality: Column of what was read with, such as CT and MRI, or with and without AI.
        ai: Name of the algorithm among the readers, to compare it with their mean.
        figure: What readers are measured by; sensitivity and specificity with --threshold.
        scope: Whether readers (R first) and cases are random or fixed.
        patients: Of masks: a table with the columns case_id and patient_id.
        by_lesion: Whether and how masks are scored lesion by lesion.
        json: Print JSON instead of a table.
        out: Folder for the table as CSV, Markdown, LaTeX, HTML and JSON; of masks also cases and lesions, of
            probabilities also figures of their curves.
        quiet: Show no progress.
    """
    if reader is not None and predictions is not None:
        refuse_given(
            "is not for readings (--reader)", fold=fold, repeat=repeat, threshold_rule=threshold_rule,
            fit_on=fit_on, by=by, prevalence=prevalence, sampling=sampling != "cohort", unit=unit != "row",
            classes=classes, ordinal=ordinal, regression=regression, time=time, event=event, tau=tau,
            missing=missing != "refuse", calibration=calibration, decision_curve=decision_curve,
            reference=reference, prediction=prediction, labels=labels, patients=patients,
            lesions=by_lesion.settings() is not None, nsd_tolerance_mm=nsd_tolerance_mm is not None,
        )  # fmt: skip
        _check_folder(out)
        return evaluate_readings(
            predictions, ReadingColumns(reader, modality, case or "case", label, score, patient, positive),
            ai=ai, figure=figure, threshold=threshold, scope=scope, level=level, json=json, out=out,
        )  # fmt: skip
    if reader or modality or ai or (figure, scope) != ("auc", "RRRC"):
        raise MedvisionError("a reader study needs a table of readings and its column of readers (--reader)")
    _check_folder(out)
    from medvision.workflows.evaluate import evaluate as evaluate_table
    from medvision.workflows.evaluate import evaluate_masks
    from medvision.workflows.evaluation_tables import evaluation_tables, save_curves, show_tables
    from medvision.workflows.mask_tables import write_mask_rows

    settings = by_lesion.settings()
    if predictions is not None:
        refuse_given(
            "is said of masks, not of a table", reference=reference, prediction=prediction, labels=labels,
            patients=patients, lesions=settings is not None, nsd_tolerance_mm=nsd_tolerance_mm is not None,
        )  # fmt: skip
    if predictions is not None and (regression or time is not None or event is not None):
        refuse_given(
            "is for classes, not for numbers or times", fold=fold, repeat=repeat, threshold=threshold,
            threshold_rule=threshold_rule, fit_on=fit_on, sampling=sampling != "cohort",
            prevalence=prevalence, by=by, classes=classes, ordinal=ordinal, missing=missing != "refuse",
            calibration=calibration, decision_curve=decision_curve,
        )  # fmt: skip
        refuse_given(
            "does nothing with --regression" if regression else "does nothing with --time and --event",
            positive=regression and positive != "1", label=not regression and label != "label",
        )  # fmt: skip
        columns = {"score": score, "patient": patient, "case": case, "unit": unit, "level": level}
        found = _evaluate_numbers(predictions, label, positive, regression, time, event, tau, columns)
    elif predictions is not None:
        refuse_given("needs --time and --event", tau=tau)
        found = evaluate_table(
            predictions, label=_one_or_more(label), score=_score_columns(score, classes), patient=patient,
            case=case, fold=fold, repeat=repeat, positive=positive, threshold=_thresholds(threshold),
            threshold_rule=threshold_rule, fit_on=fit_on, sampling=sampling,
            prevalence=_fractions(prevalence), by=[name for name in (by or "").split(",") if name], unit=unit,
            ordinal=ordinal, level=level, missing=missing, calibration=calibration,
            decision_curve=decision_curve,
        )  # fmt: skip
    elif reference is not None and prediction is not None:
        from medvision.interrupt import stop_on_interrupt

        refuse_given(
            "is said of a table, not of masks" + ("; name their patients with --patients" if patient else ""),
            label=label != "label", score=score != "score", patient=patient, case=case, fold=fold,
            repeat=repeat, positive=positive != "1", threshold=threshold, threshold_rule=threshold_rule,
            fit_on=fit_on, sampling=sampling != "cohort", prevalence=prevalence, by=by, unit=unit != "row",
            classes=classes, ordinal=ordinal, regression=regression, time=time, event=event, tau=tau,
            missing=missing != "refuse", calibration=calibration, decision_curve=decision_curve,
        )  # fmt: skip
        stop_on_interrupt("Nothing was written.")
        found = evaluate_masks(
            reference, prediction, labels=_structures(labels), nsd_tolerance_mm=_tolerance(nsd_tolerance_mm),
            patients=patients, lesions=settings, level=level, quiet=quiet,
        )  # fmt: skip
    else:
        raise MedvisionError("name a table of predictions, or --reference and --prediction with masks")
    text = show_tables(evaluation_tables(found), out, found.to_json(), "evaluation", found.estimates)
    if out is not None:
        write_mask_rows(found, out)
        save_curves(found, out)
    print(found.to_json() if json else text)
    return 0


@app.command(
    sort_key=4,
    help_epilogue=examples(
        "medvision compare new.csv old.csv --on case_id --label y --score p --patient patient_id",
        "medvision compare new_masks old_masks --reference masks --labels 1:anterior,2:posterior",
    ),
)
def compare(
    *tables: Path,
    on: str = "case_id",
    label: str = "label",
    score: str = "score",
    patient: str | None = None,
    fold: str | None = None,
    positive: str = "1",
    threshold: float | None = None,
    level: float = 0.95,
    reference: Path | None = None,
    labels: str | None = None,
    nsd_tolerance_mm: float | None = None,
    patients: Path | None = None,
    by_lesion: Annotated[LesionOptions, Parameter(name="*", show_default=False)] = _NO_LESIONS,
    json: bool = False,
    out: Path | None = None,
    quiet: bool = False,
) -> int:
    """Compare the predictions of two or more models on the same cases.

    Args:
        tables: One table a model; with --reference one folder of masks a model.
        on: Column of the case, which matches the rows.
        label: Column of the reference standard.
        score: Column of the score.
        patient: Column of the patient, the unit of independence.
        fold: Column of the fold, for out-of-fold scores.
        positive: The label that means disease.
        threshold: Also compare sensitivity and specificity at this score and above.
        level: Confidence level.
        reference: Folder of reference masks (NIfTI, DICOM SEG), to compare masks.
        labels: Structures of the masks, such as 1:anterior,2:posterior.
        nsd_tolerance_mm: Surface distance that still counts as agreement; 1 by default.
        patients: Of masks: a table with the columns case_id and patient_id.
        by_lesion: Whether and how masks are compared lesion by lesion.
        json: Print JSON instead of tables.
        out: Folder for the tables as CSV, Markdown, LaTeX, HTML and JSON.
        quiet: Show no progress.
    """
    _check_folder(out)
    from medvision.workflows.compare import compare as compare_tables
    from medvision.workflows.compare_masks import compare_masks
    from medvision.workflows.evaluation_tables import comparison_tables, show_tables

    settings = by_lesion.settings()
    if reference is not None:
        from medvision.interrupt import stop_on_interrupt

        stop_on_interrupt("Nothing was written.")
        refuse_given(
            "is said of tables, not of masks", on=on != "case_id", label=label != "label",
            score=score != "score", patient=patient, fold=fold, positive=positive != "1", threshold=threshold,
        )  # fmt: skip
        found = compare_masks(
            tables, reference_dir=reference, labels=_structures(labels),
            nsd_tolerance_mm=_tolerance(nsd_tolerance_mm), patients=patients, lesions=settings, level=level,
            quiet=quiet,
        )  # fmt: skip
    else:
        refuse_given(
            "is said of masks; name their --reference",
            labels=labels, patients=patients, lesions=settings is not None,
            nsd_tolerance_mm=nsd_tolerance_mm is not None,
        )  # fmt: skip
        found = compare_tables(
            tables, on=on, label=label, score=score, patient=patient, fold=fold, positive=positive,
            threshold=threshold, level=level,
        )  # fmt: skip
    text = show_tables(comparison_tables(found), out, found.to_json())
    print(found.to_json() if json else text)
    return 0


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


def _evaluate_numbers(
    table: Path,
    label: str,
    positive: str,
    regression: bool,
    time: str | None,
    event: str | None,
    tau: float | None,
    options: dict[str, Any],
) -> Evaluation:
    from medvision.workflows.evaluate_numbers import evaluate_regression, evaluate_survival

    if regression:
        refuse_given("does not go with --regression", time=time, event=event, tau=tau)
        return evaluate_regression(table, label=label, **options)
    if time is None or event is None:
        raise MedvisionError("a time to an event needs both columns: --time and --event")
    return evaluate_survival(table, time=time, event=event, tau=tau, positive=positive, **options)


def _tolerance(given: float | None) -> float:
    return 1.0 if given is None else given


def _check_folder(out: Path | None) -> None:
    """Refuse a place for results that cannot be one, before anything is computed."""
    if out is None:
        return
    there = next((path for path in (out, *out.parents) if path.exists()), None)
    if there is not None and not there.is_dir():
        raise MedvisionError(f"--out {out}: {there} is a file; name a folder, which may be new")
    if there is not None and not os.access(there, os.W_OK | os.X_OK):
        raise MedvisionError(f"--out {out}: {there} cannot be written; name another folder")


def _numbers(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise MedvisionError(f"--folds {text}: write fold numbers with commas, such as 0,1") from None


def _fractions(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise MedvisionError(f"--prevalence {text}: write 0.05, or several such as 0.01,0.05") from None


def _number_or_name(text: str | None) -> float | str | None:
    """A threshold is a number, or the column that holds it."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def _thresholds(text: str | None) -> float | str | list[float] | None:
    """One threshold, or one for each label."""
    try:
        return [float(part) for part in text.split(",")] if text and "," in text else _number_or_name(text)
    except ValueError:
        raise MedvisionError(f"--threshold {text}: write a number for each label, such as 0.5,0.3") from None


def _one_or_more(text: str) -> str | list[str]:
    return [part.strip() for part in text.split(",")] if "," in text else text


def _score_columns(text: str, classes: str | None) -> str | list[str] | dict[str, str]:
    """One column; a column for each label; or the column of each class."""
    columns = _one_or_more(text)
    if classes is not None:
        names, columns = _one_or_more(classes), [columns] if isinstance(columns, str) else columns
        if isinstance(names, str) or len(set(names)) != len(columns):
            raise MedvisionError(
                f"--classes {classes}: name the class of each of the {len(columns)} columns of --score once"
            )
        return dict(zip(names, columns, strict=True))
    if isinstance(columns, str) or not all("=" in part for part in columns):
        return columns
    parts = [part.partition("=") for part in columns]
    if len({name for name, _, _ in parts}) != len(parts):
        raise MedvisionError(f"--score {text}: a class is named twice; give each class one column")
    return {name.strip(): column.strip() for name, _, column in parts}


def _structures(text: str | None) -> dict[str, int | list[int]]:
    parts = [part.strip().partition(":") for part in (text or "").split(",") if part.strip()]
    parts = [(value.strip(), colon, name.strip()) for value, colon, name in parts]
    if not parts or not all(value.isdigit() and int(value) and name for value, _, name in parts):
        raise MedvisionError(
            "--labels: name the structures as value:name with values from 1 on, such as "
            "1:anterior,2:posterior; a name may stand at several values"
        )
    values: dict[str, list[int]] = {}
    for value, _, name in parts:
        values.setdefault(name, []).append(int(value))
    return {name: own[0] if len(own) == 1 else own for name, own in values.items()}
