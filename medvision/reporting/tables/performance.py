"""The performance of every model, with intervals, samples and methods."""

from __future__ import annotations

from medvision.reporting.contents import RunContents
from medvision.reporting.estimates import ReportedEstimate
from medvision.reporting.measures import measure, order_of
from medvision.reporting.tables.describe import Rows
from medvision.reporting.tables.table import INDENT, Table
from medvision.reporting.wording import print_estimate, print_sample, reason

AGGREGATIONS = (
    "fold-averaged", "site-averaged", "window-averaged", "pooled out-of-fold", "pooled over sites",
    "pooled over windows", "held-out test part", "mean over cases", "median over cases",
)  # fmt: skip
"""In the order in which they are printed; others follow."""

_MEANING = {
    "fold-averaged": "Fold-averaged: mean over the folds of the metric in each test part, that is the "
    "average performance of the fold models; scores of different fold models are never ranked against each "
    "other.",
    "site-averaged": "Site-averaged: mean over the sites of the metric in each, scored by the model that "
    "learned from all other sites; a small site counts as much as a large one. Its interval is for other "
    "patients of these sites, not for other sites.",
    "window-averaged": "Window-averaged: mean over the windows in time of the metric in each, scored by the "
    "model that learned from everything before it; later models learned from more cases.",
    "pooled over sites": "Pooled over sites: one count over all sites, each case scored by the model that "
    "did not see its site; large sites weigh more. A pooled AUC ranks scores of different models against "
    "each other.",
    "pooled over windows": "Pooled over windows: one count over all windows, each case scored by the model "
    "of its window. A pooled AUC ranks scores of different models against each other.",
    "held-out test part": "Held-out test part: one model (or one ensemble), learned from the training part "
    "and applied once to the test part; nothing here is cross-validated. Its interval is conditional on the "
    "fitted model.",
    "pooled out-of-fold": "Pooled out-of-fold: one count over the test parts of all folds, each case scored "
    "by the model that did not see it. A pooled AUC ranks scores of different fold models against each other "
    "and tends to be too low; a pooled proportion uses each fold's own threshold. Its interval is "
    "conditional on the fitted fold models.",
}


def performance_table(contents: RunContents) -> Table:
    """Return the performance of every classification model: measures as rows, models as columns."""
    level = f"{100 * contents.level:g}% CI"
    overall = [estimate for estimate in contents.estimates if estimate.fold is None]
    aggregations = [name for name in (*AGGREGATIONS, *_others(overall)) if _of(overall, name)]
    rows: Rows = []
    for aggregation in aggregations:
        rows.append((aggregation.capitalize(), *("" for _ in range(len(contents.models) + 2))))
        rows += _rows(_of(overall, aggregation), contents)
    columns = ("Measure", *contents.models, "Sample", "Interval")
    notes = (
        f"Values are estimate ({level}). “image” is the network.",
        *(_MEANING[name] for name in aggregations if name in _MEANING),
        *_prediction_values(contents),
        *_clustering(contents),
        *_cautions(overall),
    )
    return Table("performance", "Performance of the models", columns, tuple(rows), notes)


def fold_results_table(contents: RunContents) -> Table | None:
    """Return the estimates of the single folds, one column a fold; None where there are none."""
    single = [estimate for estimate in contents.estimates if estimate.fold is not None]
    if not single:
        return None
    folds = sorted({estimate.fold for estimate in single if estimate.fold is not None})
    named = {estimate.fold: estimate.part for estimate in single if estimate.part}
    heads = [named.get(fold, f"Fold {fold}") for fold in folds]
    keys = dict.fromkeys((e.model, e.structure, e.metric) for e in single)
    rows: Rows = []
    for model, structure, metric in keys:
        mine = [e for e in single if (e.model, e.structure, e.metric) == (model, structure, metric)]
        cells = [
            " / ".join(print_estimate(e, interval_name=False) for e in mine if e.fold == fold)
            for fold in folds
        ]
        rows.append((model, structure or "—", measure(metric).label, *(cell or "—" for cell in cells)))
    has_structure = any(structure for _, structure, _ in keys)
    one = {"site": "site", "time": "window"}.get(contents.kind, "fold")
    columns = ("Model", "Structure", "Measure", *heads)
    if not has_structure:
        columns, rows = ("Model", *columns[2:]), [(row[0], *row[2:]) for row in rows]
    notes = (
        f"Values are estimate ({100 * contents.level:g}% CI) in the test part of one {one}. The spread over "
        f"the {one}s is not an interval for the mean: training parts overlap.",
    )
    return Table("fold_results", f"Results of the single {one}s", columns, tuple(rows), notes)


def estimates_table(contents: RunContents) -> Table:
    """Return every estimate of the run, one a row, with plain numbers beside the printed ones."""
    rows = tuple(
        (
            e.model, measure(e.metric).label, e.structure or "—", e.aggregation,
            "—" if e.fold is None else str(e.fold), print_estimate(e),
            *(_plain(number) for number in (e.value, e.low, e.high)),
            e.method or "not recorded", print_sample(e.n_units, e.n_patients, contents.unit),
            "ok" if e.status == "ok" else reason(e.status),
        )
        for e in contents.estimates
    )  # fmt: skip
    columns = (
        "Model", "Measure", "Structure", "Aggregation", "Fold", "Estimate", "Value", "Low", "High", "Method",
        "Sample", "Status",
    )  # fmt: skip
    notes = (
        "Value, low and high are proportions, indices, mm or ml, not per cent; NaN is an undefined number.",
    )
    return Table("estimates", "Every estimate", columns, rows, notes)


def caution_marks(estimate: ReportedEstimate) -> str:
    """Return a dagger for a number that is defined but to be read with care."""
    return " †" if estimate.defined and estimate.status != "ok" else ""


def _rows(estimates: list[ReportedEstimate], contents: RunContents) -> Rows:
    rows: Rows = []
    for metric in sorted({estimate.metric for estimate in estimates}, key=order_of):
        by_model = {e.model: e for e in estimates if e.metric == metric}
        cells = [_cell(by_model.get(model)) for model in contents.models]
        samples = {m: print_sample(e.n_units, e.n_patients, contents.unit) for m, e in by_model.items()}
        methods = {model: e.method or "not recorded" for model, e in by_model.items()}
        rows.append((INDENT + measure(metric).label, *cells, _joined(samples), _joined(methods)))
    return rows


def _cell(estimate: ReportedEstimate | None) -> str:
    if estimate is None:
        return "not estimated"
    return print_estimate(estimate, interval_name=False) + caution_marks(estimate)


def _joined(texts: dict[str, str]) -> str:
    """Return the text that all models share, or each model's own."""
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return "; ".join(f"{model}: {text}" for model, text in texts.items())


def _of(estimates: list[ReportedEstimate], aggregation: str) -> list[ReportedEstimate]:
    return [estimate for estimate in estimates if estimate.aggregation == aggregation]


def _others(estimates: list[ReportedEstimate]) -> list[str]:
    found = dict.fromkeys(estimate.aggregation for estimate in estimates)
    return [name for name in found if name not in AGGREGATIONS]


def _clustering(contents: RunContents) -> list[str]:
    tested = contents.predictions.drop_duplicates("case_id")
    patients = tested["patient_id"].nunique()
    sample = print_sample(len(tested), patients, contents.unit)
    if patients == len(tested):
        return [f"{sample}, one each."]
    return [f"{sample}; the unit of independence is the patient."]


def _prediction_values(contents: RunContents) -> list[str]:
    section = contents.study.get("cohort") or {}
    if section.get("sampling") != "enriched":
        return []
    prevalence = section.get("prevalence")
    if prevalence:
        return [f"The sample is enriched: PPV and NPV refer to a prevalence of {100 * float(prevalence):g}%."]
    return ["The sample is enriched and no prevalence is stated, so PPV and NPV cannot be estimated."]


def _cautions(estimates: list[ReportedEstimate]) -> list[str]:
    return [
        f"† {measure(e.metric).label} of {e.model}"
        f"{f' ({e.structure})' if e.structure else ''}, {e.aggregation}: {reason(e.status)}."
        for e in estimates
        if caution_marks(e)
    ]


def _plain(number: float) -> str:
    return "NaN" if number != number else f"{number:.6g}"
