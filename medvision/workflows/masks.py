"""Predicted masks, in each scan's own geometry, and how well they agree with the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from medvision.cohort import Cohort
from medvision.config import SegmentationTask, Study
from medvision.evaluation import segmentation_scores
from medvision.imaging import Geometry, save_nifti
from medvision.models import total_stride
from medvision.runs import RunFolder, atomic_path
from medvision.training.inference import predict_logits
from medvision.transforms.cache import CachedCase
from medvision.transforms.invert import largest_share, shares_in_scan
from medvision.transforms.prepare import read_mask


@dataclass(frozen=True)
class View:
    """One scan as some networks learned to see it.

    Args:
        networks: In evaluation mode.
        image: The preprocessed image, (1, i, j, k).
        affine: Its voxels to RAS millimetres.
    """

    networks: Sequence[nn.Module]
    image: NDArray[np.float32]
    affine: NDArray[np.float64]


def predict_masks(
    predictors: Sequence[tuple[Sequence[nn.Module], Sequence[CachedCase]]],
    study: Study,
    test: Cohort,
    *,
    ids: Mapping[str, int],
    folder: RunFolder,
    masks: Path,
    suffix: str = "",
    tables: Path,
    device: torch.device,
) -> None:
    """Predict cases, write their masks, and score them against the reference.

    Args:
        predictors: Networks, in evaluation mode, each group with the preprocessed cases as it learned to see
            them, in the order of the cases; the mean of all networks predicts.
        study: The study.
        test: The cases.
        ids: Columns that say which part it is, such as repeat and fold.
        folder: The run folder.
        masks: The folder of the masks, within it.
        suffix: Stands behind the case in the names of the masks.
        tables: Where the table of the masks and that of the scores are written.
        device: Where it computes.
    """
    rows, scores = [], []
    for record, cases in zip(test, zip(*(seen for _, seen in predictors), strict=True), strict=True):
        path = masks / f"{record.case_id}{suffix}.nii.gz"
        scan = cases[0].scan()
        views = [
            View(networks, case.image(), case.affine())
            for (networks, _), case in zip(predictors, cases, strict=True)
        ]
        mask = labelled(structure_shares(views, study, scan, device), study)
        save_nifti(path, mask, scan)
        own = {"case_id": record.case_id, "patient_id": record.patient_id, **ids}
        rows.append({**own, "mask": path.relative_to(folder.path).as_posix()})
        options = study.preprocessing.reading.options()
        truth = read_mask(Path(str(record.mask)), record.image, scan, _labels(study), **options)
        scores += _scores(study, mask, truth, scan, own)
    for name, table in (("predictions.parquet", rows), ("segmentation.parquet", scores)):
        with atomic_path(tables / name) as temporary:
            pd.DataFrame(table).to_parquet(temporary, index=False)


def structure_shares(
    views: Sequence[View], study: Study, scan: Geometry, device: torch.device
) -> NDArray[np.float32]:
    """Return the predicted probability of each structure in the scan's own grid.

    The probabilities of networks that see the scan alike are averaged on their preprocessed grid and brought
    to the scan's, see `medvision.transforms.invert`; there those of all networks are averaged, each with the
    same weight.

    Args:
        views: The scan as the networks see it; one or more.
        study: The study.
        scan: The scan's own grid.
        device: Where it computes.

    Returns:
        (structures, *scan.shape).
    """
    count = sum(len(view.networks) for view in views)
    weighted = (_shares(view, study, scan, device) * np.float32(len(view.networks) / count) for view in views)
    return reduce(np.add, weighted)


def _shares(view: View, study: Study, scan: Geometry, device: torch.device) -> NDArray[np.float32]:
    batch = torch.from_numpy(np.array(view.image))[None].to(device)
    stride = total_stride(study.model)
    probabilities = torch.stack(
        [
            predict_logits(network, batch, study.prediction, stride=stride)[0].softmax(0)
            for network in view.networks
        ]
    ).mean(0)
    return shares_in_scan(probabilities[1:].cpu().numpy(), view.affine, scan)


def labelled(shares: NDArray[np.float32], study: Study) -> NDArray[np.uint8]:
    """Return a mask with the values of `task.labels`: at each voxel the class with the largest probability.

    Args:
        shares: (structures, i, j, k), as `structure_shares`.
        study: The study.
    """
    values = np.array([0, *_labels(study).values()], dtype=np.uint8)
    mask: NDArray[np.uint8] = values[largest_share(shares)]
    return mask


def _labels(study: Study) -> dict[str, int]:
    if not isinstance(study.task, SegmentationTask):
        raise TypeError(f"a {study.task.kind} study has no masks to predict")
    return dict(study.task.labels)


def _scores(
    study: Study, mask: NDArray[np.uint8], truth: NDArray[Any], scan: Geometry, ids: dict[str, object]
) -> list[dict[str, object]]:
    table = segmentation_scores(
        truth,
        mask,
        scan.spacing_mm,
        labels=_labels(study),
        nsd_tolerance_mm=study.evaluation.nsd_tolerance_mm,
    )
    return [
        {
            **ids,
            **{str(key): value for key, value in row.items() if key != "status"},
            "reference_empty": row["volume_reference_ml"] == 0,
            "prediction_empty": row["volume_prediction_ml"] == 0,
        }
        for row in table.to_dict("records")
    ]
