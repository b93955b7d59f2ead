"""Predicted masks, in each scan's own geometry, and how well they agree with the reference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from medvision.cohort import Cohort, Part
from medvision.config import SegmentationTask, Study
from medvision.evaluation import segmentation_scores
from medvision.imaging import Geometry, check_same_grid, load_volume, save_nifti
from medvision.models import total_stride
from medvision.runs import RunFolder, atomic_path
from medvision.training.inference import predict_logits
from medvision.transforms.cache import CachedCase
from medvision.transforms.invert import largest_share, shares_in_scan


def predict_masks(
    networks: Sequence[nn.Module],
    study: Study,
    test: Cohort,
    cases: Sequence[CachedCase],
    *,
    part: Part,
    folder: RunFolder,
    device: torch.device,
) -> None:
    """Predict the test part of a fold, write its masks, and score them against the reference.

    Args:
        networks: The members of the fold, in evaluation mode.
        study: The study.
        test: The test part.
        cases: Its preprocessed cases, in the same order.
        part: Which fold of which repeat.
        folder: The run folder.
        device: Where it computes.
    """
    rows, scores = [], []
    for record, case in zip(test, cases, strict=True):
        name = (
            f"{record.case_id}.nii.gz"
            if study.split.repeats == 1
            else f"{record.case_id}-{part.repeat}.nii.gz"
        )
        path = folder.masks / name
        scan = case.scan()
        shares = structure_shares(networks, study, case.image(), case.affine(), scan, device)
        mask = labelled(shares, study)
        save_nifti(path, mask, scan)
        ids = {
            "case_id": record.case_id,
            "patient_id": record.patient_id,
            "repeat": part.repeat,
            "fold": part.fold,
        }
        rows.append({**ids, "mask": path.relative_to(folder.path).as_posix()})
        scores += _scores(study, mask, Path(str(record.mask)), scan, ids)
    place = folder.fold(part.repeat, part.fold)
    for name, table in (("predictions.parquet", rows), ("segmentation.parquet", scores)):
        with atomic_path(place / name) as temporary:
            pd.DataFrame(table).to_parquet(temporary, index=False)


def structure_shares(
    networks: Sequence[nn.Module],
    study: Study,
    image: NDArray[np.float32],
    affine: NDArray[np.float64],
    scan: Geometry,
    device: torch.device,
) -> NDArray[np.float32]:
    """Return the predicted probability of each structure in the scan's own grid.

    The members' probabilities are averaged on the preprocessed grid and brought to the scan's; see
    `medvision.transforms.invert`.

    Args:
        networks: Members, in evaluation mode.
        study: The study.
        image: The preprocessed image, (1, i, j, k).
        affine: Its voxels to RAS millimetres.
        scan: The scan's own grid.
        device: Where it computes.

    Returns:
        (structures, *scan.shape).
    """
    batch = torch.from_numpy(np.array(image))[None].to(device)
    stride = total_stride(study.model)
    probabilities = torch.stack(
        [
            predict_logits(network, batch, study.prediction, stride=stride)[0].softmax(0)
            for network in networks
        ]
    ).mean(0)
    return shares_in_scan(probabilities[1:].cpu().numpy(), affine, scan)


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
    study: Study, mask: NDArray[np.uint8], reference: Path, scan: Geometry, ids: dict[str, object]
) -> list[dict[str, object]]:
    truth = load_volume(reference)
    check_same_grid(scan, truth, image_name="the scan", mask_name=str(reference))
    table = segmentation_scores(
        truth.array,
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
