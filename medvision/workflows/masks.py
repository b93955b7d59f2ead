"""Predicted masks, in each scan's own geometry, and how well they agree with the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from medvision.imaging import Geometry, resample_array, save_nifti
from medvision.models import total_stride
from medvision.runs import RunFolder, atomic_path
from medvision.training.inference import predict_logits
from medvision.transforms.cache import CachedCase
from medvision.transforms.prepare import read_mask


def predict_masks(
    networks: Sequence[nn.Module],
    study: Study,
    test: Cohort,
    cases: Sequence[CachedCase],
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
        networks: Whose mean predicts, in evaluation mode.
        study: The study.
        test: The cases.
        cases: Its preprocessed cases, in the same order.
        ids: Columns that say which part it is, such as repeat and fold.
        folder: The run folder.
        masks: The folder of the masks, within it.
        suffix: Stands behind the case in the names of the masks.
        tables: Where the table of the masks and that of the scores are written.
        device: Where it computes.
    """
    rows, scores = [], []
    for record, case in zip(test, cases, strict=True):
        path = masks / f"{record.case_id}{suffix}.nii.gz"
        scan = case.scan()
        mask = mask_in_scan(networks, study, case.image(), case.affine(), scan, device)
        save_nifti(path, mask, scan)
        own = {"case_id": record.case_id, "patient_id": record.patient_id, **ids}
        rows.append({**own, "mask": path.relative_to(folder.path).as_posix()})
        truth = read_mask(Path(str(record.mask)), record.image, scan, _labels(study))
        scores += _scores(study, mask, truth, scan, own)
    for name, table in (("predictions.parquet", rows), ("segmentation.parquet", scores)):
        with atomic_path(tables / name) as temporary:
            pd.DataFrame(table).to_parquet(temporary, index=False)


def mask_in_scan(
    networks: Sequence[nn.Module],
    study: Study,
    image: NDArray[np.float32],
    affine: NDArray[np.float64],
    scan: Geometry,
    device: torch.device,
) -> NDArray[np.uint8]:
    """Return the predicted mask in the scan's own grid, with the values of `task.labels`.

    The members' probabilities are averaged, brought to the scan's grid by linear interpolation, and
    only then compared, so that an outline does not inherit the steps of a coarser grid.

    Args:
        networks: Members, in evaluation mode.
        study: The study.
        image: The preprocessed image, (1, i, j, k).
        affine: Its voxels to RAS millimetres.
        scan: The scan's own grid.
        device: Where it computes.
    """
    batch = torch.from_numpy(np.array(image))[None].to(device)
    stride = total_stride(study.model)
    probabilities = torch.stack(
        [
            predict_logits(network, batch, study.prediction, stride=stride)[0].softmax(0)
            for network in networks
        ]
    ).mean(0)
    own = Geometry(shape=image.shape[1:], affine=affine)
    structures = np.stack(
        [resample_array(channel, own, scan, order="linear") for channel in probabilities[1:].cpu().numpy()]
    )
    background = 1 - structures.sum(0)
    winner = np.concatenate([background[None], structures]).argmax(0)
    values = np.array([0, *_labels(study).values()], dtype=np.uint8)
    mask: NDArray[np.uint8] = values[winner]
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
