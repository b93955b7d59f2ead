"""Table 1: who is in the study, by class and by fold."""

from __future__ import annotations

import pandas as pd

from medvision.reporting.contents import RunContents
from medvision.reporting.tables.balance import Sides, balance_table
from medvision.reporting.tables.describe import Rows, describe, share
from medvision.reporting.tables.table import Table
from medvision.reporting.wording import count, plural

_HOW = (
    "Numbers are median [interquartile range], quartiles by linear interpolation; counts are n (% of the "
    "values that are not missing). A characteristic without a row “missing” is complete."
)


def cohort_table(contents: RunContents) -> Table:
    """Return Table 1: patients, units and covariates, of all cases and of each class.

    Covariates are described per unit, not per patient; a patient with units of both classes is counted
    in both columns, and a note says how many there are.
    """
    cohort = contents.cohort
    groups = {"All": cohort}
    notes = [
        f"One row of the data is one {contents.unit}; covariates are described per {contents.unit}.",
        _HOW,
    ]
    if not contents.is_segmentation and "label" in cohort:
        negative, positive = contents.class_names
        groups |= {positive: cohort[cohort["label"] == 1], negative: cohort[cohort["label"] == 0]}
        notes += _class_notes(contents)
    rows = _counted(groups, contents.unit)
    for name in contents.covariates:
        rows += describe({key: group[name] for key, group in groups.items()}, name)
    rows += _volume_rows(contents)
    if len(contents.locked):
        patients = count(contents.locked["patient_id"].nunique(), "patient")
        away = count(len(contents.locked), contents.unit)
        notes.append(f"Without the locked test set: {away} of {patients}; the balance table has it.")
    columns = ("Characteristic", *(f"{key} (n = {len(group):,})" for key, group in groups.items()))
    return Table("cohort", "Characteristics of the cohort", columns, tuple(rows), tuple(notes))


def fold_balance_table(contents: RunContents) -> Table:
    """Return the same characteristics for the test part of each fold of the first repeat."""
    cohort = contents.cohort.set_index("case_id", drop=False)
    first = contents.split_parts[0].repeat
    groups = {"All": cohort}
    for part in contents.split_parts:
        if part.repeat == first:
            groups[part.title] = cohort.loc[list(part.test)]
    rows = _counted(groups, contents.unit)
    if not contents.is_segmentation and "label" in cohort:
        cells = (share(int((group["label"] == 1).sum()), len(group)) for group in groups.values())
        rows.append((f"{contents.class_names[1]}, n (%)", *cells))
    for name in contents.covariates:
        rows += describe({key: group[name] for key, group in groups.items()}, name)
    columns = ("Characteristic", *(f"{key} (n = {len(group):,})" for key, group in groups.items()))
    which = "" if contents.repeats == 1 else f" of repeat {first}"
    notes = (f"Test parts of the folds{which}; folds are numbered from 0, as in the run folder.", _HOW)
    return Table("folds", "Characteristics of the folds", columns, tuple(rows), notes)


def part_balance_table(contents: RunContents) -> Table:
    """Return training against test part of each fold of the first repeat, and what is locked away."""
    cohort = contents.cohort.set_index("case_id", drop=False)
    parts = [
        Sides(part.title, cohort.loc[list(part.train)], cohort.loc[list(part.test)])
        for part in contents.split_parts
        if part.repeat == contents.split_parts[0].repeat
    ]
    notes = [] if contents.repeats == 1 else ["The parts are those of the first repeat."]
    if len(contents.locked):
        parts.append(Sides("Locked test set", contents.cohort, contents.locked))
        notes.append("For the locked test set, training is everybody who is not locked away.")
    positive = None if contents.is_segmentation or "label" not in cohort else contents.class_names[1]
    balanced = (contents.study.get("split") or {}).get("stratify_by") or ()
    columns = dict.fromkeys([*contents.covariates, *(name for name in balanced if name in cohort)])
    return balance_table(parts, list(columns), unit=contents.unit, positive=positive, notes=notes)


def split_table(contents: RunContents) -> Table:
    """Return patients and units of the training and test part of every fold."""
    cohort = contents.cohort.set_index("case_id", drop=False)
    has_label = not contents.is_segmentation and "label" in cohort
    rows: Rows = []
    for part in contents.split_parts:
        cells = [str(part.repeat), f"{part.fold}{f' ({part.name})' if part.name else ''}"]
        for group in (cohort.loc[list(part.train)], cohort.loc[list(part.test)]):
            cells += [f"{group['patient_id'].nunique():,}", f"{len(group):,}"]
            if has_label:
                cells.append(share(int((group["label"] == 1).sum()), len(group)))
        rows.append(tuple(cells))
    units, positive = plural(contents.unit, 2), contents.class_names[1]
    heads = ["patients", units, *([f"{positive}, n (%)"] if has_label else [])]
    columns = ("Repeat", "Fold", *(f"{side}: {head}" for side in ("Training", "Test") for head in heads))
    notes = (
        "No patient stands in the training and the test part of the same fold; checked from the lists of "
        "cases when this report was made. The training part includes what was set aside for validation.",
    )
    title = "Training and test parts"
    title += " of the cross-validation" if contents.kind == "kfold" else ""
    return Table("split", title, columns, tuple(rows), notes)


def _counted(groups: dict[str, pd.DataFrame], unit: str) -> Rows:
    patients = [group["patient_id"].nunique() for group in groups.values()]
    rows: Rows = [("Patients, n", *(f"{n:,}" for n in patients))]
    rows.append((f"{plural(unit, 2).capitalize()}, n", *(f"{len(group):,}" for group in groups.values())))
    per_patient = [group.groupby("patient_id").size() for group in groups.values()]
    if any((sizes > 1).any() for sizes in per_patient):
        name = f"{plural(unit, 2).capitalize()} per patient, median (range)"
        rows.append((name, *(_median_range(sizes) for sizes in per_patient)))
    return rows


def _median_range(sizes: pd.Series) -> str:
    return f"{sizes.median():g} ({sizes.min()}–{sizes.max()})" if len(sizes) else "undefined (no values)"


def _class_notes(contents: RunContents) -> list[str]:
    cohort = contents.cohort
    notes = []
    both = int((cohort.groupby("patient_id")["label"].nunique() > 1).sum())
    if both:
        verb = "has" if both == 1 else "have"
        notes.append(
            f"{count(both, 'patient')} {verb} {plural(contents.unit, 2)} of both classes and "
            f"{'is' if both == 1 else 'are'} counted in both columns."
        )
    unlabelled = int(cohort["label"].isna().sum())
    if unlabelled:
        notes.append(f"{count(unlabelled, contents.unit)} without a label stand in the first column only.")
    section = contents.study.get("cohort") or {}
    if section.get("sampling") == "enriched":
        pi = section.get("prevalence")
        notes.append(
            "The sample is enriched (case-control): its share of "
            f"{contents.class_names[1]} cases is not a prevalence"
            + (f"; PPV and NPV refer to a prevalence of {100 * float(pi):g}%." if pi else ".")
        )
    return notes


def _volume_rows(contents: RunContents) -> Rows:
    """Return the reference volumes of each structure, where the run measured them."""
    scores = contents.segmentation
    if scores is None or "volume_reference_ml" not in scores:
        return []
    once = scores[scores["repeat"] == scores["repeat"].min()]
    rows: Rows = []
    for structure in contents.structures:
        values = once.loc[once["structure"] == structure, "volume_reference_ml"]
        rows += describe({"All": values}, f"Reference volume of {structure}_ml")
    return rows
