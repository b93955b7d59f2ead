"""One HTML file with everything in it, that opens without a network."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from medvision.reporting.contents import RunContents
from medvision.reporting.estimates import ReportedEstimate
from medvision.reporting.figures.style import PaperFigure
from medvision.reporting.measures import measure
from medvision.reporting.methods import methods_text
from medvision.reporting.tables.table import Table
from medvision.reporting.wording import print_estimate, print_number, print_sample, reason

TEMPLATES = Path(__file__).parent / "templates"
_NETWORKS = {
    "resnet": "3D ResNet",
    "densenet": "3D DenseNet",
    "unet": "3D U-Net",
    "dynunet": "3D DynUNet",
    "custom": "own network",
}
_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True)
class Headline:
    """One of the few numbers that stand first.

    Args:
        label: What it is, such as `AUC`.
        value: The estimate with its interval.
        basis: Aggregation, sample and method.
    """

    label: str
    value: str
    interval: str
    basis: str


@dataclass(frozen=True)
class EmbeddedFigure:
    """A figure as the page shows it."""

    name: str
    title: str
    caption: str
    source: Markup


def render_report(
    contents: RunContents,
    tables: Mapping[str, Table],
    figures: Sequence[EmbeddedFigure],
    warnings: Sequence[str] = (),
) -> str:
    """Return the report as one HTML document without any link to the outside.

    Args:
        contents: The run.
        tables: By name; see `medvision.reporting.report`.
        figures: Made by `embed`.
        warnings: Sentences that stand before everything else, such as files that disagree.
    """
    return _template().render(
        title=contents.title,
        question=str(contents.study.get("question") or ""),
        caution=str(contents.study.get("caution") or ""),
        subtitle=_subtitle(contents),
        warnings=list(warnings),
        notes=[note[:1].upper() + note[1:] for note in contents.notes],
        headlines=headlines(contents),
        tables={name: table.to_html() for name, table in tables.items()},
        figures={figure.name: figure for figure in figures},
        methods=methods_text(contents),
        record=_record_rows(contents),
        versions=sorted((contents.record.get("versions") or {}).items()),
        inputs=sorted((contents.record.get("inputs") or {}).items()),
        folds=[_fold_row(fold) for fold in contents.record.get("folds") or []],
        study=json.dumps(contents.study, indent=1, ensure_ascii=False, default=str),
        segmentation=contents.is_segmentation,
    )


def headlines(contents: RunContents) -> tuple[Headline, ...]:
    """Return the numbers that stand first: AUC, sensitivity, specificity, or Dice of each structure.

    They are those of the image model, or of the first model where there is none; a number that is
    undefined stands here too, with the reason.
    """
    model = contents.models[0] if contents.models else ""
    if contents.is_segmentation:
        wanted = [("dice", "mean over cases"), ("hd95_mm", "median over cases")]
    else:
        wanted = [("auroc", "fold-averaged"), ("sensitivity", ""), ("specificity", "")]
    found = []
    for metric, aggregation in wanted:
        matching = [
            estimate
            for estimate in contents.select(model=model, metric=metric)
            if estimate.fold is None and aggregation in ("", estimate.aggregation)
        ]
        found += matching if contents.is_segmentation else matching[:1]
    return tuple(_headline(estimate, contents) for estimate in found[:6])


def _headline(estimate: ReportedEstimate, contents: RunContents) -> Headline:
    label = measure(estimate.metric).label
    if contents.is_segmentation:
        kind = estimate.aggregation.split(" ")[0].capitalize()
        label = f"{kind} {label}, {estimate.structure or 'all structures'}"
    text = print_estimate(estimate)
    value, _, interval = text.partition(" (")
    flag = "" if estimate.status == "ok" or not estimate.defined else f"; {reason(estimate.status)}"
    sample = print_sample(estimate.n_units, estimate.n_patients, contents.unit)
    basis = f"{estimate.aggregation}, {sample}; {estimate.method or 'method not recorded'}{flag}"
    return Headline(label, value, interval.removesuffix(")"), basis)


def _subtitle(contents: RunContents) -> str:
    cohort = contents.cohort
    sample = print_sample(len(cohort), cohort["patient_id"].nunique(), contents.unit)
    repeated = f", {contents.repeats} repeats" if contents.repeats > 1 else ""
    folds = len({fold for _, fold in contents.parts})
    kind = str((contents.study.get("model") or {}).get("kind", ""))
    return f"{sample} · {folds}-fold cross-validation{repeated} · {_NETWORKS.get(kind, kind)}"


def embed(figure: PaperFigure, data: bytes) -> EmbeddedFigure:
    """Put the bytes of a figure, in its `inline` format, into the page itself."""
    source = f"data:{_TYPES[figure.inline]};base64,{base64.b64encode(data).decode('ascii')}"
    return EmbeddedFigure(figure.name, figure.title, figure.caption, Markup(source))


def _record_rows(contents: RunContents) -> list[tuple[str, str]]:
    record = contents.record
    git: Mapping[str, Any] = record.get("git") or {}
    commit = str(git.get("commit") or "not in a git repository")
    rows = [
        ("Study", str(contents.study.get("name", ""))),
        ("medvision", str(record.get("medvision", "not recorded"))),
        ("Seed", str(record.get("seed", contents.study.get("seed", "not recorded")))),
        ("Commit", commit + (" — with uncommitted changes" if git.get("dirty") else "")),
        ("SHA-256 of the study", str(record.get("study_sha256", "not recorded"))),
        ("SHA-256 of the splits", str(record.get("splits_sha256", "not recorded"))),
        ("Started", str(record.get("started", "not recorded"))),
        ("Stopped", str(record.get("stopped", "not recorded"))),
        ("Duration", _duration(record.get("seconds"))),
        ("Input files", f"{len(record.get('inputs') or {})}, each with its SHA-256 below"),
    ]
    hardware = record.get("hardware") or {}
    return rows + [(f"Hardware: {key}", str(value)) for key, value in sorted(hardware.items())]


def _fold_row(fold: Mapping[str, Any]) -> tuple[str, ...]:
    epochs = fold.get("epochs", "not recorded")
    # An ensemble has one number of epochs for each member.
    shown = ", ".join(map(str, epochs)) if isinstance(epochs, list) else str(epochs)
    return str(fold.get("repeat", "")), str(fold.get("fold", "")), shown, _duration(fold.get("seconds"))


def _duration(seconds: object) -> str:
    if not isinstance(seconds, (int, float)):
        return "not recorded"
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{print_number(seconds / 60, 1)} min"


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,  # whatever a study file says is text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.html.j2")
