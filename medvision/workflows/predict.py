"""Apply a finished run to scans that it has not seen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from medvision.cohort import Case, read_images
from medvision.cohort.images import scan_name
from medvision.config import ClassificationTask, Preprocessing, Study, load_study
from medvision.errors import MedvisionError, PredictionError
from medvision.imaging import save_nifti
from medvision.runs import RunFolder, atomic_path
from medvision.training.device import choose_device
from medvision.training.inference import predict_logits
from medvision.transforms.prepare import Prepared, prepare, standardised
from medvision.workflows.fitted import Fitted
from medvision.workflows.masks import View, labelled, structure_shares
from medvision.workflows.members import Network
from medvision.workflows.progress import display

_TABLES = (".csv", ".tsv", ".parquet", ".xlsx")


@dataclass(frozen=True)
class Ensemble:
    """All networks of a run, and the threshold that goes with their mean score.

    Args:
        study: The study that made the run.
        networks: Members of all folds, in evaluation mode, by what their folds learned before them: images
            are prepared once for all that see them alike.
        threshold: Mean of the folds' thresholds; NaN for segmentation.
    """

    study: Study
    networks: Mapping[Fitted, Sequence[nn.Module]]
    threshold: float


def predict(
    run: str | Path,
    inputs: str | Path | Sequence[str | Path],
    *,
    out: str | Path,
    model: nn.Module | None = None,
    device: str = "auto",
    allow: Collection[str] = (),
    quiet: bool = True,
) -> pd.DataFrame:
    """Predict scans with the mean of all networks of a run.

    A classification run writes `predictions.csv` with the score, the threshold (the mean of the folds'
    thresholds) and the prediction; a segmentation run also writes one mask a scan, as NIfTI in the
    scan's own geometry.

    Args:
        run: A run folder with at least one finished fold.
        inputs: NIfTI files, DICOM files or folders with one series each; or a manifest with a column
            `image`, and `case_id` and `mask` where wanted.
        out: Where the predictions are written; files there are replaced.
        model: The network that was passed to `run`, where it was passed from Python.
        device: `auto`, `cpu` or `cuda`.
        allow: Packages whose classes `kind: custom` may name.
        quiet: Show no progress.

    Returns:
        One row a scan.

    Raises:
        CohortError: A manifest names files that are not there, or a scan twice.
        PredictionError: The run has no finished fold, or inputs cannot be predicted; all are named, and
            the others are predicted first.
    """
    folder, target = RunFolder(Path(run)), Path(out)
    study = _study(folder)
    named = [inputs] if isinstance(inputs, (str, Path)) else list(inputs)
    scans = _scans(named, study.preprocessing)
    _check_masks(study, scans)
    computes_on = choose_device(device)
    ensemble = _ensemble(folder, study, model, allow, computes_on)
    rows, problems = [], []
    with display(quiet=quiet) as shown:
        task = shown.task("predicting scans", len(scans))
        for done, scan in enumerate(scans, start=1):
            try:
                rows.append(_predict_scan(ensemble, scan, target, computes_on))
            except MedvisionError as error:
                problems.append(f"{scan.case_id}: {error}")
            task.advance(done)
    table = pd.DataFrame(rows)
    if rows:
        with atomic_path(target / "predictions.csv") as temporary:
            table.to_csv(temporary, index=False)
    if problems:
        raise PredictionError(
            f"{len(problems)} of {len(scans)} scans could not be predicted, {len(rows)} are in {target}",
            problems=problems,
        )
    return table


def _scans(inputs: Sequence[str | Path], steps: Preprocessing) -> list[Case]:
    if not inputs:
        raise PredictionError("no scans to predict: name NIfTI files, folders of DICOM files, or a manifest")
    scans: list[Case] = []
    for source in map(Path, inputs):
        if source.suffix.lower() in _TABLES:
            mask = "mask" if steps.crops_around_mask else None
            scans += read_images(source, mask=mask, region="region" if steps.needs_region else None)
        else:
            scans.append(Case(scan_name(source), scan_name(source), source))
    names = [scan.case_id for scan in scans]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PredictionError(
            f"several inputs are named {', '.join(twice)}; use a manifest with the columns case_id and image"
        )
    return scans


def _study(folder: RunFolder) -> Study:
    if not folder.experiment.exists():
        raise PredictionError(f"{folder.path} is no run folder: it has no experiment.yaml")
    return load_study(folder.experiment)


def _ensemble(
    folder: RunFolder,
    study: Study,
    model: nn.Module | None,
    allow: Collection[str],
    device: torch.device,
) -> Ensemble:
    finished = sorted(marker.parent for marker in folder.path.glob("folds/*/fold.json"))
    if not finished:
        raise PredictionError(f"{folder.path} has no finished fold; finish it with medvision run")
    network = Network(study, given=model, allow=allow)
    networks: dict[Fitted, list[nn.Module]] = {}
    thresholds = []
    for place in finished:
        alike = networks.setdefault(Fitted.read(place), [])
        for stored in sorted(place.glob("member-*.pt")):
            weights = torch.load(stored, weights_only=True)["weights"]
            alike.append(network.with_weights(weights, stored).to(device))
        thresholds.append(_threshold(place, study))
    return Ensemble(study, networks, float(np.mean(thresholds)))


def _threshold(place: Path, study: Study) -> float:
    if not isinstance(study.task, ClassificationTask):
        return float("nan")
    table = pd.read_parquet(place / "predictions.parquet", columns=["threshold"])
    return float(table["threshold"].iloc[0])


def _check_masks(study: Study, scans: Sequence[Case]) -> None:
    if study.preprocessing.crops_around_mask:
        missing = [scan.case_id for scan in scans if scan.mask is None]
        if missing:
            raise PredictionError(
                f"this run crops around a mask, and {len(missing)} inputs have none; give a manifest with "
                "the columns case_id, image and mask",
                problems=missing[:20],
            )

    if study.preprocessing.needs_region:
        missing = [scan.case_id for scan in scans if scan.region is None]
        if missing:
            raise PredictionError(
                f"this run looks at a region of each scan, and {len(missing)} inputs name none; give a "
                "manifest with the columns case_id, image and region",
                problems=missing[:20],
            )


def _predict_scan(ensemble: Ensemble, scan: Case, target: Path, device: torch.device) -> dict[str, Any]:
    study = ensemble.study
    seen = _prepared(ensemble, scan)
    if isinstance(study.task, ClassificationTask):
        return _classify(ensemble, scan, seen, device)
    grid = next(iter(seen.values())).scan
    views = [
        View(networks, seen[fitted].image, seen[fitted].affine)
        for fitted, networks in ensemble.networks.items()
    ]
    mask = labelled(structure_shares(views, study, grid, device), study)
    path = target / f"{scan.case_id}.nii.gz"
    save_nifti(path, mask, grid)
    voxel_ml = float(np.prod(grid.spacing_mm)) / 1000
    volumes = {
        f"{name}_ml": int((mask == value).sum()) * voxel_ml for name, value in study.task.labels.items()
    }
    return {"case_id": scan.case_id, "image": str(scan.image), "mask": path.name, **volumes}


def _prepared(ensemble: Ensemble, scan: Case) -> dict[Fitted, Prepared]:
    """The scan as the networks of each fold learned to see it, read once for each voxel size."""
    read: dict[object, Prepared] = {}
    seen = {}
    for fitted in ensemble.networks:
        if fitted.spacing_mm not in read:
            settings = fitted.settings(ensemble.study)
            read[fitted.spacing_mm] = prepare(scan.image, scan.mask, settings, {}, region=scan.region)
        seen[fitted] = standardised(read[fitted.spacing_mm], fitted.standard)
    return seen


def _classify(
    ensemble: Ensemble, scan: Case, seen: Mapping[Fitted, Prepared], device: torch.device
) -> dict[str, Any]:
    settings = ensemble.study.prediction
    logits = []
    for fitted, networks in ensemble.networks.items():
        batch = torch.from_numpy(seen[fitted].image)[None].to(device)
        logits += [float(predict_logits(network, batch, settings)[0, 0]) for network in networks]
    score = float(1 / (1 + np.exp(-np.mean(logits))))
    return {
        "case_id": scan.case_id,
        "image": str(scan.image),
        "score": score,
        "threshold": ensemble.threshold,
        "prediction": int(score >= ensemble.threshold),
    }
