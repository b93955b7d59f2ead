"""Does the run folder agree with itself? A report must not join numbers of different runs."""

from __future__ import annotations

import math

import pandas as pd

from medvision.errors import LeakageError
from medvision.reporting.contents import RunContents
from medvision.reporting.measures import measure
from medvision.runs import RunFolder

_SHOWN = 10


def check_split(contents: RunContents) -> None:
    """Check that no patient crosses from training to test, and that each prediction is out of fold.

    Raises:
        LeakageError: A patient is in both parts of a fold, a case of the split is not in the cohort,
            or a prediction comes from a fold that did not test its case; all problems are named.
    """
    problems = [*_crossing(contents), *_not_out_of_fold(contents)]
    if problems:
        hidden = len(problems) - _SHOWN
        shown = problems[:_SHOWN] + ([f"and {hidden} more"] if hidden > 0 else [])
        raise LeakageError(
            f"{contents.folder}: training and test cases are mixed, so no report is made; split the cohort "
            "by patient and run the study again",
            problems=shown,
        )


def disagreements(contents: RunContents) -> tuple[str, ...]:
    """Compare `results.json` with the predictions beside it; return one sentence for each difference.

    Counts and proportions are recomputed from `predictions.parquet`, mean Dice from
    `segmentation.parquet`. With repeated cross-validation there are several right ways to count, so
    only a single repeat is checked; a locked test set always is.
    """
    found = [] if contents.is_segmentation else _wrong_locked_counts(contents)
    if contents.repeats == 1:
        found += _wrong_dice(contents) if contents.is_segmentation else _wrong_counts(contents)
    return tuple(
        f"{text}. The files are not of one evaluation: evaluate the run again before using any number."
        for text in found
    )


def unfinished(contents: RunContents) -> tuple[str, ...]:
    """Say which test parts have no predictions yet; nothing where the run is complete."""
    rows = contents.predictions
    done = set(zip(rows["repeat"].astype(int), rows["fold"].astype(int), strict=True))
    missing = [part for part in contents.split_parts if (part.repeat, part.fold) not in done]
    if not missing:
        return ()
    total, places = len(contents.split_parts), "; ".join(part.where for part in missing)
    return (
        f"Only {total - len(missing)} of {total} folds are finished ({places} missing): "
        "these are not the results of the study.",
    )


def confusion_counts(predictions: pd.DataFrame, model: str) -> dict[str, int]:
    """Count tp, fp, fn and tn of one model over all rows that have a label.

    Args:
        predictions: Columns `label` and `prediction` (of the image model) or `prediction_<model>`.
        model: `image` or the name of a comparator.

    Example:
        >>> table = pd.DataFrame({"label": [1, 1, 0, 0], "prediction": [1, 0, 0, 1]})
        >>> confusion_counts(table, "image")
        {'tp': 1, 'fp': 1, 'fn': 1, 'tn': 1}
    """
    rows = predictions.dropna(subset=["label"])
    label, positive = rows["label"] == 1, rows[column(model, "prediction")] == 1
    return {
        "tp": int((label & positive).sum()),
        "fp": int((~label & positive).sum()),
        "fn": int((label & ~positive).sum()),
        "tn": int((~label & ~positive).sum()),
    }


def column(model: str, what: str) -> str:
    """Return the column of `predictions.parquet` with a model's score, threshold or prediction.

    Example:
        >>> column("image", "score"), column("diameter", "score")
        ('score', 'score_diameter')
    """
    return what if model == "image" else f"{what}_{model}"


def _crossing(contents: RunContents) -> list[str]:
    patient_of = dict(zip(contents.cohort["case_id"], contents.cohort["patient_id"], strict=True))
    away = set(contents.locked["patient_id"]) if len(contents.locked) else set()
    problems = [
        f"patient {patient} is in the locked test set and in the rest"
        for patient in sorted(away & set(patient_of.values()))
    ]
    for part in contents.split_parts:
        unknown = [case for case in (*part.train, *part.test) if case not in patient_of]
        problems += [f"{part.where}: case {case} is not in cohort.parquet" for case in unknown]
        train = {patient_of[case] for case in part.train if case in patient_of}
        test = {patient_of[case] for case in part.test if case in patient_of}
        problems += [f"{part.where}: patient {patient} is in both parts" for patient in sorted(train & test)]
    return problems


def _not_out_of_fold(contents: RunContents) -> list[str]:
    tested = {(part.repeat, part.fold, case) for part in contents.split_parts for case in part.test}
    rows = contents.predictions
    keys = zip(rows["repeat"].astype(int), rows["fold"].astype(int), rows["case_id"], strict=True)
    return [
        f"repeat {repeat}, fold {fold}: case {case} was predicted but is not in the test part"
        for repeat, fold, case in keys
        if (repeat, fold, case) not in tested
    ]


def _wrong_counts(contents: RunContents) -> list[str]:
    found = []
    for model, stored in (contents.results.get("confusion") or {}).items():
        if column(model, "prediction") not in contents.predictions:
            found.append(
                f"results.json has a 2×2 table of {model}, predictions.parquet has no predictions of it"
            )
            continue
        counted = confusion_counts(contents.predictions, model)
        if counted != {key: stored.get(key) for key in counted}:
            found.append(
                f"2×2 table of {model}: results.json says {_counts(stored)}, "
                f"the predictions give {_counts(counted)}"
            )
        for name, value in _rates(counted).items():
            for estimate in contents.select(model=model, metric=name):
                if estimate.fold is None and not _same(estimate.value, value):
                    label = measure(name).label
                    found.append(
                        f"{label} of {model}: results.json says {estimate.value:.4f}, "
                        f"the predictions give {value:.4f}"
                    )
    return found


def _wrong_locked_counts(contents: RunContents) -> list[str]:
    path = RunFolder(contents.folder).locked_test / "predictions.parquet"
    stored = contents.locked_results.get("confusion") or {}
    if not stored:
        return []
    if not path.exists():
        return ["results.json has results of the locked test set, and its predictions are not there"]
    predictions = pd.read_parquet(path)
    return [
        f"2×2 table of {model} on the locked test set: results.json says {_counts(counts)}, "
        f"the predictions give {_counts(counted)}"
        for model, counts in stored.items()
        if (counted := confusion_counts(predictions, model)) != counts
    ]


def _wrong_dice(contents: RunContents) -> list[str]:
    scores = contents.segmentation
    found = []
    for estimate in contents.select(metric="dice", aggregation="mean over cases"):
        if scores is None or estimate.structure not in set(scores["structure"]):
            continue
        value = float(scores.loc[scores["structure"] == estimate.structure, "dice"].mean())
        if not _same(estimate.value, value):
            found.append(
                f"mean Dice of {estimate.structure}: results.json says {estimate.value:.4f}, "
                f"segmentation.parquet gives {value:.4f}"
            )
    return found


def _rates(counts: dict[str, int]) -> dict[str, float]:
    tp, fp, fn, tn = (counts[key] for key in ("tp", "fp", "fn", "tn"))
    pairs = {
        "sensitivity": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "accuracy": (tp + tn, tp + fp + fn + tn),
    }
    return {name: hits / total if total else math.nan for name, (hits, total) in pairs.items()}


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{counts.get(key)} {key.upper()}" for key in ("tp", "fp", "fn", "tn"))


def _same(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=0, abs_tol=5e-7)
