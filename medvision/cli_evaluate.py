"""The verbs `medvision evaluate` and `medvision compare`: predictions of any software."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from medvision.cli_options import examples, refuse_given
from medvision.cli_readers import evaluate_readings
from medvision.errors import MedvisionError
from medvision.workflows.lesion_options import LesionOptions
from medvision.workflows.reader_options import ReadingColumns

if TYPE_CHECKING:
    from medvision.workflows.evaluation_result import Evaluation

_NO_LESIONS = LesionOptions()

EVALUATE_EXAMPLES = examples(
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
)

COMPARE_EXAMPLES = examples(
    "medvision compare new.csv old.csv --on case_id --label y --score p --patient patient_id",
    "medvision compare new_masks old_masks --reference masks --labels 1:anterior,2:posterior",
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
        repeat: Column of the repeat, for a repeated cross-validation; with --patient or --case.
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
