"""Evaluate predictions of any program: a table of scores, or two folders of masks. No torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.errors import EvaluationError
from medvision.evaluation import auroc, average_precision, cross_validated_auroc
from medvision.evaluation.inputs import one_of
from medvision.workflows.evaluate_classes import evaluate_classes, evaluate_labels
from medvision.workflows.evaluation_groups import group_records, groups_of
from medvision.workflows.evaluation_result import Evaluation as Evaluation
from medvision.workflows.evaluation_result import record_of
from medvision.workflows.missing_scores import Missing, bound_records, complete_cases, stamped
from medvision.workflows.operating_point import operating_point
from medvision.workflows.prediction_table import Predictions, read_predictions, rows_note, word
from medvision.workflows.probability_records import (
    Measured,
    calibration_records,
    decision_records,
    decision_thresholds,
)
from medvision.workflows.threshold_records import (
    prevalence_curve,
    records_at_prevalences,
    records_at_threshold,
    sampling_notes,
)

_FEW = 10


def evaluate(
    table: pd.DataFrame | str | Path,
    *,
    label: str | Sequence[str],
    score: str | Sequence[str] | Mapping[str, str],
    patient: str | None = None,
    case: str | None = None,
    fold: str | None = None,
    repeat: str | None = None,
    positive: object = 1,
    threshold: float | str | Sequence[float] | None = None,
    threshold_rule: str | None = None,
    fit_on: pd.DataFrame | str | Path | None = None,
    sampling: Literal["cohort", "enriched"] = "cohort",
    prevalence: float | Sequence[float] | None = None,
    by: Sequence[str] = (),
    unit: str = "row",
    ordinal: bool = False,
    level: float = 0.95,
    missing: Missing = "refuse",
    calibration: bool = False,
    decision_curve: str | Sequence[float] | None = None,
) -> Evaluation:
    """Evaluate a table of predictions, one row a unit.

    A mapping of classes to columns as ``score`` makes it an evaluation of several classes; columns as
    ``label``, with as many columns as ``score``, one of several labels a row.

    Without a threshold only measures of ranking are given. A threshold may be a number, a column of the
    table (one for each row, such as that of its fold), or be chosen by a rule on other cases (``fit_on``).
    Chosen on the evaluated cases themselves, everything at that threshold is stamped as optimistic.

    Args:
        table: A DataFrame, or the path of a CSV, TSV, Parquet or Excel file.
        label: Column of the reference standard; or the column of each label, where a row may have several.
        score: Column of the score; higher means more disease. Or the column of each class, by its name; or
            the column of each label.
        patient: Column of the patient, the unit of independence.
        case: Column of the case; one row each.
        fold: Column of the fold, for out-of-fold scores of a cross-validation.
        repeat: Column of the repeat, for a repeated cross-validation; with the patient, or the case.
        positive: The label that means that the condition is present.
        threshold: A prediction is positive at this score and above; or the column that holds it; of several
            labels a number, or one for each.
        threshold_rule: Chooses it: ``youden``, ``sensitivity>=0.95``, ``specificity>=0.9``, ``cost:5``.
        fit_on: The table with the same columns on which the rule chooses: training or tuning cases.
        sampling: ``cohort``, or ``enriched`` where cases were picked by their label.
        prevalence: Where the predictive values shall hold; several give them at each of these.
        by: Columns of subgroups; a number is cut where it says so, such as ``age:65`` or ``age:40/65``.
        unit: What a row is, in the singular, such as ``nodule``.
        ordinal: The classes have an order, from the lowest to the highest as ``score`` names them.
        level: Confidence level.
        missing: Rows without a score are refused (``refuse``), left out and counted (``drop``), or left out
            with the worst and the best case beside (``bounds``).
        calibration: Also measure how right the scores are as probabilities.
        decision_curve: Also give the net benefit at these thresholds, such as ``0.05:0.5:0.05``.

    Raises:
        EvaluationError: The table, a column or a row is wrong; everything wrong is named at once. An option
            does not hold for several classes or labels.

    Example:
        >>> frame = pd.DataFrame({"label": [0] * 20 + [1] * 20, "score": [*range(20), *range(10, 30)]})
        >>> found = evaluate(frame, label="label", score="score", threshold=10)
        >>> found.table
        {'tp': 20, 'fp': 10, 'fn': 0, 'tn': 10}
    """
    if not isinstance(label, str) or not isinstance(score, str):
        return _several(
            table, label, score, threshold, positive, ordinal,
            {"patient": patient, "case": case, "unit": unit, "level": level},
            {"fold": fold is not None, "repeat": repeat is not None, "fit_on": fit_on is not None,
             "threshold_rule": threshold_rule is not None, "prevalence": prevalence is not None,
             "by": bool(by), "sampling": sampling != "cohort", "missing": missing != "refuse",
             "calibration": calibration, "decision_curve": decision_curve is not None},
        )  # fmt: skip
    if ordinal:
        raise EvaluationError("ordinal needs a column of scores for each class")
    if isinstance(threshold, Sequence) and not isinstance(threshold, str):
        told = ",".join(f"{one:g}" for one in threshold)
        raise EvaluationError(
            f"threshold={told}: one label has one threshold, written with a decimal point; several are for "
            "several labels"
        )
    columns = {
        "label": label,
        "score": score,
        "patient": patient,
        "case": case,
        "fold": fold,
        "repeat": repeat,
    }
    one_of(missing, ("refuse", "drop", "bounds"), "missing")
    stated, further = _prevalences(prevalence)
    everyone = read_predictions(table, positive=positive, keep_missing=missing != "refuse", **columns)  # type: ignore[arg-type] # label and score are set
    everyone, repeat_notes = _owned(everyone)
    found = complete_cases(everyone)
    groups = groups_of(found.frame, by, str(found.source["name"]))
    limit, limit_notes, status = operating_point(found, columns, positive, threshold, threshold_rule, fit_on)
    if limit is None and (further or (stated is not None and decision_curve is None)):
        raise EvaluationError(
            "prevalence is for predictive values, which need a threshold or a threshold_rule; without one "
            "only a decision curve uses it, and a single one"
        )
    records, notes = _ranking(found, sampling, level)
    notes = [
        rows_note(len(found.labels), found.patients, unit, repeated=found.repeats is not None),
        *repeat_notes,
        *found.notes,
        *_class_notes(found),
        *notes,
    ]
    cells: dict[str, int] = {}
    if limit is None:
        notes.append("no threshold was given: sensitivity, specificity and predictive values are left out")
    else:
        records_at, cells = records_at_threshold(found, limit, sampling, stated, level, status)
        records += records_at + records_at_prevalences(found, limit, further, level, status)
        notes += [*limit_notes, *_one_sided(found, limit), *sampling_notes(sampling, stated, further)]
    curves: dict[str, pd.DataFrame] = {}
    for part in _of_probabilities(found, calibration, decision_curve, level, sampling, stated):
        records += part.records
        notes += part.notes
        curves |= part.curves
    if limit is not None and further:
        curves["predictive_values"] = prevalence_curve(found, limit, further, level)
    n_missing = len(everyone.scores) - len(found.scores)
    records = stamped(records, n_missing)
    if missing == "bounds" and n_missing:
        every_limit = limit
        if isinstance(limit, np.ndarray):  # a column: that of the rows without a score as well
            every_limit = operating_point(everyone, columns, positive, threshold, None, None)[0]
        bounds, bound_notes = bound_records(
            everyone, every_limit, lambda one: _bounded(one, every_limit, sampling, level, status)
        )
        records += bounds
        notes += bound_notes
    of_groups, group_notes, tests = group_records(found, groups, limit, level)
    single = None if limit is None or isinstance(limit, np.ndarray) else float(limit)
    return Evaluation(
        (*records, *of_groups),
        cells,
        (*notes, *group_notes),
        found.source,
        single,
        interactions=tests,
        curves=curves,
    )


def _owned(found: Predictions) -> tuple[Predictions, list[str]]:
    """Repeats whose rows belong together: by the patient, or else by the case.

    Raises:
        EvaluationError: Neither is named; each case would count once a repeat.
    """
    if found.repeats is None or found.patients is not None:
        return found, []
    if found.cases is None:
        raise EvaluationError(
            "repeat: every case stands in a row of each repeat; name the patient of each row, or its case, "
            "so that intervals count it once"
        )
    note = "no patient was named, so each case is taken for a patient of its own"
    return replace(found, patients=found.cases), [note]


def _one_sided(found: Predictions, limit: float | NDArray[np.float64]) -> list[str]:
    """A threshold that lies outside the scores, such as 0.5 where scores are percentages."""
    called = found.scores >= limit
    if called.any() and not called.all():
        return []
    low, high = found.scores.min(), found.scores.max()
    return [
        f"{'every' if called.all() else 'no'} prediction is positive, for the scores run from {low:g} to "
        f"{high:g}: is the threshold on their scale?"
    ]


def _several(
    table: pd.DataFrame | str | Path,
    label: str | Sequence[str],
    score: str | Sequence[str] | Mapping[str, str],
    threshold: float | str | Sequence[float] | None,
    positive: object,
    ordinal: bool,
    options: dict[str, Any],
    refused: dict[str, bool],
) -> Evaluation:
    """Several classes, or several labels a row; options that do not hold for them are refused by name."""
    several = isinstance(label, str)
    if several:
        refused |= {"threshold": threshold is not None, "positive": word(positive) != "1"}
    else:
        refused |= {"ordinal": ordinal}
    given = [name for name, value in refused.items() if value]
    if given:
        what = "classes" if several else "labels"
        raise EvaluationError(
            f"{', '.join(given)}: not for several {what}; evaluate one of them against the rest for that "
            "(scores of different folds share no scale: evaluate each fold's rows on their own)"
        )
    if isinstance(label, str):
        if not isinstance(score, Mapping):
            raise EvaluationError(
                "several columns of scores and one of labels: say which class each column is for, such as "
                "benign=p_benign,malignant=p_malignant"
            )
        return evaluate_classes(table, label=label, scores=score, ordinal=ordinal, **options)
    if isinstance(score, Mapping) or isinstance(threshold, str):
        raise EvaluationError(
            "of several labels, score names a column for each, and threshold is one number or one for each"
        )
    columns = [score] if isinstance(score, str) else list(score)
    return evaluate_labels(
        table, labels=list(label), scores=columns, positive=positive, threshold=threshold, **options
    )


def _prevalences(prevalence: float | Sequence[float] | None) -> tuple[float | None, list[float]]:
    """The one prevalence that all predictive values hold at, or several beside that of the sample."""
    if prevalence is None or isinstance(prevalence, int | float):
        return prevalence, []
    values = list(dict.fromkeys(float(value) for value in prevalence))
    return (values[0], []) if len(values) == 1 else (None, values)


def _bounded(
    filled: Predictions,
    limit: float | NDArray[np.float64] | None,
    sampling: Literal["cohort", "enriched"],
    level: float,
    status: str | None,
) -> list[dict[str, Any]]:
    records = _ranking(filled, sampling, level)[0]
    if limit is None:
        return records
    return records + records_at_threshold(filled, limit, sampling, None, level, status)[0]


def _of_probabilities(
    found: Predictions,
    calibration: bool,
    decision_curve: str | Sequence[float] | None,
    level: float,
    sampling: Literal["cohort", "enriched"],
    prevalence: float | None,
) -> list[Measured]:
    parts = []
    if calibration:
        parts.append(calibration_records(found, level, sampling))
    if decision_curve is not None:
        thresholds = decision_thresholds(decision_curve)
        parts.append(decision_records(found, thresholds, level, sampling, prevalence))
    return parts


def _ranking(
    found: Predictions, sampling: Literal["cohort", "enriched"], level: float
) -> tuple[list[dict[str, Any]], list[str]]:
    notes: list[str] = []
    if found.folds is None:
        area = auroc(found.labels, found.scores, patients=found.patients, level=level)
        records = [record_of("auroc", "all", area)]
    else:
        validated = cross_validated_auroc(
            found.labels,
            found.scores,
            found.folds,
            patients=found.patients,
            repeats=found.repeats,
            level=level,
        )
        area = validated.fold_averaged if not math.isnan(validated.fold_averaged.value) else validated.pooled
        records = [
            record_of("auroc", "fold-averaged", validated.fold_averaged),
            record_of("auroc", "pooled", validated.pooled),
            *(record_of("auroc", f"fold {name}", estimate) for name, estimate in validated.folds.items()),
        ]
        notes.append(
            "the fold-averaged AUC is the one to report: the pooled AUC compares scores of different fold "
            "models, which share no scale, and is biased downwards"
        )
        notes.append(
            "intervals hold for the fitted fold models; they do not include the variation of another training"
        )
    if not math.isnan(area.high) and area.high < 0.5:
        notes.append(
            "the AUC lies below 0.5: a higher score goes with less disease; the score was not turned round"
        )
    precision = average_precision(
        found.labels, found.scores, patients=found.patients, sampling=sampling, level=level
    )
    records.append(record_of("average_precision", "all" if found.folds is None else "pooled", precision))
    return records, notes


def _class_notes(found: Predictions) -> list[str]:
    # Of a repeated validation the cases of one repeat, not those of all together.
    parts = [np.ones(len(found.labels), dtype=bool)]
    if found.repeats is not None:
        names = found.repeats.astype(str)
        parts = [names == one for one in np.unique(names)]
    positive = max(int(found.labels[part].sum()) for part in parts)
    n = positive + max(int((~found.labels[part]).sum()) for part in parts)
    notes = []
    for name, count in (("positive", positive), ("negative", n - positive)):
        if count == 0:
            notes.append(f"no {name} case: measures that need both classes are undefined")
        elif count < _FEW:
            notes.append(
                f"only {count} {name} cases: fewer than 10, read every interval that rests on them with care"
            )
    return notes


def evaluate_masks(
    reference_dir: str | Path,
    prediction_dir: str | Path,
    *,
    labels: Mapping[str, int | Sequence[int]],
    nsd_tolerance_mm: float,
    patients: Mapping[str, str] | pd.DataFrame | str | Path | None = None,
    lesions: Mapping[str, Any] | None = None,
    level: float = 0.95,
    seed: int = 0,
    quiet: bool = True,
) -> Evaluation:
    """Evaluate a folder of predicted masks against a folder of references, file by file.

    A mask is a NIfTI, or a DICOM SEG in the grid of the other mask of its case. Masks whose axes are stored
    in another order are turned; such as lie elsewhere are refused, all at once.

    Args:
        reference_dir: Masks, one a case; the file's name is the case.
        prediction_dir: Masks of the same names, on the same grids.
        labels: The value, or values, of each structure. In a DICOM SEG the name is that of a segment, or its
            number; where a structure has several values, all values are numbers of segments.
        nsd_tolerance_mm: Distance that counts as agreement, in mm.
        patients: The patient of each case, where a patient has several; or a table of ``case_id`` and
            ``patient_id``, or its path.
        lesions: To score lesion by lesion, the settings of
            :func:`medvision.evaluation.lesionwise_scores`, such as ``{"merge_within_mm": 1.42}``; ``{}`` for
            its own.
        level: Confidence level.
        seed: Of the bootstrap over patients.
        quiet: Show no progress.

    Returns:
        The mean over cases with its interval and the median, for each structure and measure, the sensitivity
        and specificity of a structure's being there, and what `lesions` adds; ``cases`` holds the scores of
        each case, ``lesions`` and ``components`` what was found in each.

    Raises:
        EvaluationError: A folder is empty, or cases have no prediction or patient; each is named.
        GeometryError: The two masks of a case do not lie on one grid; each case is named.
    """
    from medvision.workflows.mask_folders import (
        check_grids,
        check_settings,
        paired_masks,
        read_patients,
        score_masks,
    )
    from medvision.workflows.mask_records import mask_notes, mask_records, presence_counts
    from medvision.workflows.progress import display

    check_settings(level, nsd_tolerance_mm, lesions)
    pairs, notes = paired_masks(Path(reference_dir), Path(prediction_dir))
    owners = list(pairs) if patients is None else read_patients(patients, list(pairs))
    with display(quiet=quiet) as shown:
        check_grids(pairs, labels, shown)
        scores = score_masks(pairs, labels, nsd_tolerance_mm, owners, lesions, shown)
    records = mask_records(scores.cases, level, seed, lesions=lesions is not None)
    told = mask_notes(scores.cases, nsd_tolerance_mm, lesions, patients_named=patients is not None)
    structures = tuple(presence_counts(scores.cases))
    nowhere = [one["structure"] for one in structures if one["neither"] == len(pairs)]
    notes += [f"no mask holds {name} (value {labels[name]}): is that its value?" for name in nowhere]
    source = {"name": Path(reference_dir).name, "rows": len(pairs), "nsd_tolerance_mm": nsd_tolerance_mm}
    return Evaluation(
        tuple(records), {}, (*notes, *told), source, None, scores.cases, lesions=scores.lesions,
        components=scores.components, structures=structures,
    )  # fmt: skip
