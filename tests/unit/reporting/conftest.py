"""Run folders as the workflows leave them, with invented patients and numbers that agree with each other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from medvision.reporting import write_report
from medvision.reporting.contents import RunContents, read_run

MODELS = ("image", "diameter")
STRUCTURES = {"anterior": 1, "posterior": 2}


@pytest.fixture(scope="session")
def classification_run(tmp_path_factory) -> Path:
    """A finished classification run with its report; tests must not change it."""
    folder = make_classification(tmp_path_factory.mktemp("classification") / "nodules")
    write_report(folder)
    return folder


@pytest.fixture(scope="session")
def segmentation_run(tmp_path_factory) -> Path:
    """A finished segmentation run with its report; tests must not change it."""
    folder = make_segmentation(tmp_path_factory.mktemp("segmentation") / "hippocampus")
    write_report(folder)
    return folder


@pytest.fixture(scope="session")
def classification(classification_run) -> RunContents:
    return read_run(classification_run)


@pytest.fixture(scope="session")
def segmentation(segmentation_run) -> RunContents:
    return read_run(segmentation_run)


@pytest.fixture
def changed(tmp_path) -> Callable[..., Path]:
    """Copy a run without its report and change files: `changed(run, results=function of its JSON)`."""

    def change(run: Path, **edits: Callable[[dict], object]) -> Path:
        folder = tmp_path / "changed"
        shutil.copytree(run, folder, ignore=shutil.ignore_patterns("tables", "figures", "report.html"))
        for name, edit in edits.items():
            path = folder / f"{name}.json"
            data = json.loads(path.read_text())
            edit(data)
            path.write_text(json.dumps(data))
        return folder

    return change


@pytest.fixture
def edited_study() -> Callable[[Path, Callable[[dict], object]], None]:
    """Change the resolved study of a run folder."""

    def edit(folder: Path, change: Callable[[dict], object]) -> None:
        path = folder / "experiment.yaml"
        data = YAML(typ="safe", pure=True).load(path.read_text())
        change(data)
        write_study(path, data)

    return edit


@pytest.fixture
def make_classification_run() -> Callable[..., Path]:
    return make_classification


@pytest.fixture
def make_segmentation_run() -> Callable[..., Path]:
    return make_segmentation


def make_classification(folder: Path, *, patients: int = 40, repeats: int = 1, seed: int = 1) -> Path:
    """Write a run of two models on nodules, one to three a patient, with small CT crops and masks."""
    rng = np.random.default_rng(seed)
    cohort = nodule_cohort(folder, rng, patients)
    study = nodule_study(folder)
    splits = split_by_patient(cohort, repeats, rng)
    predictions = predict_nodules(cohort, splits, rng)
    write_common(folder, study, cohort, splits)
    for part in splits["parts"]:
        write_log(folder, part, rng)
        rows = predictions[(predictions.repeat == part["repeat"]) & (predictions.fold == part["fold"])]
        models = {m: threshold_entry(float(rows[f"threshold{suffix(m)}"].iloc[0])) for m in MODELS}
        (fold_path(folder, part) / "threshold.json").write_text(json.dumps({"models": models}))
    predictions.to_parquet(folder / "predictions.parquet")
    (folder / "results.json").write_text(json.dumps(classification_results(study, predictions)))
    return folder


def make_segmentation(folder: Path, *, patients: int = 15, repeats: int = 1, seed: int = 2) -> Path:
    """Write a run of two structures; one prediction is empty, one reference structure is missing."""
    rng = np.random.default_rng(seed)
    cohort = pd.DataFrame(
        {
            "case_id": [f"hippo_{n:03}" for n in range(patients)],
            "patient_id": [f"P{n:03}" for n in range(patients)],
            "age_years": rng.normal(62, 11, patients).round(),
        }
    )
    cohort["image"] = [str(folder / "data" / f"{case}.nii.gz") for case in cohort.case_id]
    cohort["mask"] = [str(folder / "data" / f"{case}_seg.nii.gz") for case in cohort.case_id]
    splits = split_by_patient(cohort, repeats, rng)
    write_common(folder, hippocampus_study(folder), cohort, splits)
    (folder / "data").mkdir()
    (folder / "segmentations").mkdir()
    scores, predictions = [], []
    references = {case: draw_hippocampus(folder, case, n, rng) for n, case in enumerate(cohort.case_id)}
    for part in splits["parts"]:
        write_log(folder, part, rng)
        for case in part["test"]:
            patient = cohort.set_index("case_id").patient_id[case]
            keys = {"case_id": case, "patient_id": patient, "repeat": part["repeat"], "fold": part["fold"]}
            written = f"segmentations/{part['repeat']}-{case}.nii.gz"
            predicted = distort(references[case], empty=case.endswith("004"), rng=rng)
            save_nifti(folder / written, predicted.astype(np.uint8))
            predictions.append({**keys, "mask": written})
            scores += [{**keys, **score(references[case], predicted, name)} for name in STRUCTURES]
    segmentation = pd.DataFrame(scores)
    pd.DataFrame(predictions).to_parquet(folder / "predictions.parquet")
    segmentation.to_parquet(folder / "segmentation.parquet")
    (folder / "results.json").write_text(json.dumps(segmentation_results(segmentation)))
    return folder


def nodule_cohort(folder: Path, rng: np.random.Generator, patients: int) -> pd.DataFrame:
    owners = [f"LIDC_{n:04}" for n in range(patients) for _ in range(rng.integers(1, 4))]
    diameter = rng.gamma(3.0, 4.0, len(owners)).round(1) + 3
    label = (diameter + rng.normal(0, 6, len(owners)) > 17).astype(int)
    cohort = pd.DataFrame({"patient_id": owners, "label": label, "diameter_mm": diameter})
    cohort.insert(0, "case_id", [f"{owner}-n{n}" for n, owner in enumerate(owners)])
    cohort["sex"] = rng.choice(["female", "male"], len(cohort))
    cohort["age_years"] = rng.normal(64, 10, len(cohort)).round()
    cohort.loc[[3, 8, 11], "age_years"] = np.nan
    (folder / "data").mkdir(parents=True)
    for place, row in cohort.iterrows():
        image, mask = draw_nodule(float(row.diameter_mm), rng)
        cohort.loc[place, "image"] = str(folder / "data" / f"{row.case_id}.nii.gz")
        cohort.loc[place, "mask"] = str(folder / "data" / f"{row.case_id}_mask.nii.gz")
        save_nifti(Path(cohort.loc[place, "image"]), image, NODULE_AFFINE)
        save_nifti(Path(cohort.loc[place, "mask"]), mask.astype(np.uint8), NODULE_AFFINE)
    return cohort


NODULE_AFFINE = np.diag([-0.7, -0.7, 2.5, 1.0])  # LPS in plane, as most CT is stored


def draw_nodule(diameter: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    i, j, k = np.meshgrid(np.arange(64), np.arange(64), np.arange(14), indexing="ij")
    distance = np.sqrt(((i - 32) * 0.7) ** 2 + ((j - 32) * 0.7) ** 2 + ((k - 7) * 2.5) ** 2)
    mask = distance <= diameter / 2
    image = rng.normal(-850, 40, mask.shape)
    image[mask] = rng.normal(20, 60, int(mask.sum()))
    return image.astype(np.int16), mask


def draw_hippocampus(folder: Path, case: str, n: int, rng: np.random.Generator) -> np.ndarray:
    i, j, k = np.meshgrid(np.arange(35), np.arange(50), np.arange(36), indexing="ij")
    size = 6 + 2 * rng.random()
    reference = np.zeros(i.shape, dtype=np.uint8)
    body = ((i - 17) / size) ** 2 + ((j - 25) / (2.2 * size)) ** 2 + ((k - 18) / size) ** 2 <= 1
    reference[body & (j >= 27)] = 1
    if n != 7:  # the posterior part of one patient lies outside the scan
        reference[body & (j < 27)] = 2
    image = rng.normal(100, 15, i.shape) + 60 * body
    save_nifti(folder / "data" / f"{case}.nii.gz", image.astype(np.int16))
    save_nifti(folder / "data" / f"{case}_seg.nii.gz", reference)
    return reference


def distort(reference: np.ndarray, *, empty: bool, rng: np.random.Generator) -> np.ndarray:
    if empty:
        return np.where(reference == 1, 1, 0)
    shifted = np.roll(reference, (int(rng.integers(0, 3)), int(rng.integers(0, 2))), axis=(0, 1))
    larger = np.maximum(shifted, np.roll(shifted, int(rng.integers(0, 2)), axis=2))
    larger[:, :, : 14 + int(rng.integers(0, 2))] = 0  # and cut off below
    return larger


def score(reference: np.ndarray, predicted: np.ndarray, name: str) -> dict[str, object]:
    """Measure overlap and volume by hand; distances are invented, since no test here checks them."""
    a, b = reference == STRUCTURES[name], predicted == STRUCTURES[name]
    total, both = int(a.sum() + b.sum()), int((a & b).sum())
    volumes = a.sum() / 1000, b.sum() / 1000
    defined = bool(a.any() and b.any())
    dice = 2 * both / total if total else np.nan
    return {
        "structure": name,
        "dice": dice,
        "iou": both / (total - both) if total else np.nan,
        "hd95_mm": 1 + 6 * (1 - dice) if defined else np.nan,
        "nsd": dice**0.5 if total else np.nan,
        "assd_mm": 3 * (1 - dice) if defined else np.nan,
        "volume_reference_ml": volumes[0],
        "volume_prediction_ml": volumes[1],
        "volume_error_ml": volumes[1] - volumes[0],
        "volume_error_percent": 100 * (volumes[1] - volumes[0]) / volumes[0] if a.any() else np.nan,
        "reference_empty": not a.any(),
        "prediction_empty": not b.any(),
    }


def split_by_patient(cohort: pd.DataFrame, repeats: int, rng: np.random.Generator, folds: int = 3) -> dict:
    parts = []
    for repeat in range(repeats):
        patients = rng.permutation(cohort.patient_id.unique())
        for fold in range(folds):
            test = cohort.patient_id.isin(patients[fold::folds])
            parts.append(
                {
                    "repeat": repeat,
                    "fold": fold,
                    "train": cohort.case_id[~test].tolist(),
                    "test": cohort.case_id[test].tolist(),
                }
            )
    return {"folds": folds, "repeats": repeats, "seed": 2026, "parts": parts, "sha256": "c0ffee" * 10}


def predict_nodules(cohort: pd.DataFrame, splits: dict, rng: np.random.Generator) -> pd.DataFrame:
    frames = []
    for part in splits["parts"]:
        rows = cohort[cohort.case_id.isin(part["test"])][
            ["case_id", "patient_id", "label", "diameter_mm"]
        ].copy()
        rows = rows.assign(repeat=part["repeat"], fold=part["fold"])
        noise = rng.normal(0, 1.1, len(rows))
        rows["score"] = 1 / (1 + np.exp(-(2.4 * rows.label - 1.2 + noise)))
        rows["score_diameter"] = 1 / (1 + np.exp(-(rows.diameter_mm - 16) / 4))
        for model in MODELS:
            end = suffix(model)
            rows[f"threshold{end}"] = 0.45 + 0.03 * part["fold"]
            rows[f"prediction{end}"] = (rows[f"score{end}"] >= rows[f"threshold{end}"]).astype(int)
        frames.append(rows.drop(columns="diameter_mm"))
    return pd.concat(frames, ignore_index=True)


def suffix(model: str) -> str:
    return "" if model == "image" else f"_{model}"


def fold_path(folder: Path, part: dict) -> Path:
    path = folder / "folds" / f"{part['repeat']}-{part['fold']}"
    path.mkdir(parents=True, exist_ok=True)
    return path


def threshold_entry(value: float) -> dict[str, object]:
    return {
        "threshold": value,
        "rule": "youden",
        "fitted_on": "inner out-of-fold scores of the training part",
        "n_units": 50,
        "n_patients": 27,
        "sensitivity": 0.91,
        "specificity": 0.84,
    }


def write_log(folder: Path, part: dict, rng: np.random.Generator) -> None:
    epochs = np.arange(1, 31)
    frames = []
    for member in range(2):
        loss = 0.7 * np.exp(-epochs / 9) + 0.1 + rng.normal(0, 0.01, len(epochs))
        ceiling = 0.9 + rng.normal(0, 0.02)
        frames.append(
            pd.DataFrame(
                {
                    "member": member,
                    "epoch": epochs,
                    "train_loss": loss,
                    "validation_loss": np.where(epochs % 2, np.nan, loss + 0.08),
                    "validation_figure": np.where(epochs % 2, np.nan, ceiling - 0.4 * np.exp(-epochs / 7)),
                    "learning_rate": 1e-3,
                    "seconds": 1.5,
                }
            )
        )
    pd.concat(frames).to_csv(fold_path(folder, part) / "log.csv", index=False)


def write_common(folder: Path, study: dict, cohort: pd.DataFrame, splits: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_study(folder / "experiment.yaml", study)
    cohort.to_parquet(folder / "cohort.parquet")
    (folder / "splits.json").write_text(json.dumps(splits))
    record = {
        "medvision": "0.1.0",
        "versions": {"python": "3.11.9", "torch": "2.13.0", "numpy": "2.4.0"},
        "seed": 2026,
        "git": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": False},
        "hardware": {"cpu": "a processor", "gpu": "none", "memory_gb": 16},
        "inputs": {f"data/{case}.nii.gz": f"{n:064x}" for n, case in enumerate(cohort.case_id)},
        "study_sha256": "a" * 64,
        "splits_sha256": "b" * 64,
        "started": "2026-03-01T10:00:00+00:00",
        "stopped": "2026-03-01T11:30:00+00:00",
        "seconds": 5400.0,
        "folds": [
            {"repeat": part["repeat"], "fold": part["fold"], "seconds": 1800.0, "epochs": 30}
            for part in splits["parts"]
        ],
    }
    (folder / "record.json").write_text(json.dumps(record))


def write_study(path: Path, study: dict) -> None:
    with path.open("w") as stream:
        YAML(typ="safe", pure=True).dump(study, stream)


def nodule_study(folder: Path) -> dict:
    return {
        "name": "nodules",
        "title": "Malignancy of lung nodules on CT",
        "seed": 2026,
        "question": "Does the image add to the diameter of a nodule & its margin?",
        "caution": "Labels are radiologists' ratings <not pathology>.",
        "cohort": {
            "kind": "manifest",
            "path": str(folder / "cohort.csv"),
            "covariates": ["diameter_mm", "sex", "age_years"],
            "forbidden": ["malignancy_rating"],
            "sampling": "cohort",
            "prevalence": None,
        },
        "task": {
            "kind": "classification",
            "label": "malignant",
            "positive": 1,
            "negative": None,
            "unit": "nodule",
        },
        "preprocessing": {
            "orientation": "RAS",
            "spacing_mm": [1.0, 1.0, 1.0],
            "intensity": {"kind": "window", "window_hu": [-1000.0, 400.0]},
            "crop": {"kind": "center", "size_voxels": [32, 32, 32], "around": "mask"},
        },
        "augmentation": {"flip_axes": [0], "rotate_deg": [0.0, 0.0, 15.0], "noise_std": 0.0},
        "split": {"folds": 3, "repeats": 1, "stratify_by": []},
        "model": {
            "kind": "resnet",
            "depth": 18,
            "widths": [16, 32, 64, 128],
            "stem_kernel": 3,
            "stem_stride": 1,
        },
        "training": {
            "epochs": 30,
            "batch_size": 8,
            "optimizer": {"kind": "adamw", "learning_rate": 0.001, "weight_decay": 0.01},
            "schedule": {"kind": "cosine"},
            "class_weights": "balanced",
            "inner": {"kind": "cross_fit", "folds": 2},
        },
        "prediction": {"window_voxels": None, "overlap": 0.5, "mirror_axes": []},
        "evaluation": {
            "level": 0.95,
            "threshold": "youden",
            "nsd_tolerance_mm": 1.0,
            "montage_cases": 3,
            "bootstrap_resamples": 500,
        },
        "comparators": [{"name": "diameter", "covariates": ["diameter_mm"], "with_image": False}],
    }


def hippocampus_study(folder: Path) -> dict:
    return {
        "name": "hippocampus",
        "title": "Hippocampus on MR",
        "question": "How well is it outlined?",
        "caution": "",
        "seed": 2026,
        "cohort": {
            "kind": "msd",
            "path": str(folder / "data"),
            "covariates": ["age_years"],
            "sampling": "cohort",
        },
        "task": {"kind": "segmentation", "labels": dict(STRUCTURES), "unit": "scan"},
        "preprocessing": {
            "orientation": "RAS",
            "spacing_mm": None,
            "intensity": {"kind": "zscore", "nonzero": False},
        },
        "split": {"folds": 3, "repeats": 1},
        "model": {
            "kind": "dynunet",
            "channels": [16, 32, 64],
            "deep_supervision": 1,
            "residual": False,
            "norm": "instance",
        },
        "training": {
            "epochs": 30,
            "batch_size": 4,
            "patch_voxels": [32, 32, 32],
            "optimizer": {"kind": "sgd", "learning_rate": 0.01, "weight_decay": 3e-5},
            "inner": {"kind": "holdout", "fraction": 0.2},
        },
        "prediction": {"window_voxels": [32, 32, 32], "overlap": 0.5, "mirror_axes": [0, 1, 2]},
        "evaluation": {
            "level": 0.95,
            "nsd_tolerance_mm": 1.0,
            "montage_cases": 3,
            "bootstrap_resamples": 500,
        },
        "comparators": [],
    }


def classification_results(study: dict, predictions: pd.DataFrame) -> dict:
    estimates, confusion = [], {}
    for model in MODELS:
        scores, calls = predictions[f"score{suffix(model)}"], predictions[f"prediction{suffix(model)}"]
        folds = [rank_auc(g.label, scores[g.index]) for _, g in predictions.groupby(["repeat", "fold"])]
        estimates.append(
            entry(model, "auroc", "fold-averaged", np.mean(folds), predictions, "LeDell, clustered")
        )
        pooled = rank_auc(predictions.label, scores)
        estimates.append(
            entry(model, "auroc", "pooled out-of-fold", pooled, predictions, "logit DeLong, clustered")
        )
        label = predictions.label
        counts = {
            "tp": int(((label == 1) & (calls == 1)).sum()),
            "fp": int(((label == 0) & (calls == 1)).sum()),
            "fn": int(((label == 1) & (calls == 0)).sum()),
            "tn": int(((label == 0) & (calls == 0)).sum()),
        }
        confusion[model] = counts
        tp, fp, fn, tn = (counts[key] for key in ("tp", "fp", "fn", "tn"))
        rates = {
            "sensitivity": (tp, tp + fn),
            "specificity": (tn, tn + fp),
            "ppv": (tp, tp + fp),
            "npv": (tn, tn + fn),
            "accuracy": (tp + tn, len(label)),
        }
        for name, (hits, total) in rates.items():
            rows = predictions.head(total)
            estimates.append(
                entry(model, name, "pooled out-of-fold", hits / total, rows, "logit-t, clustered")
            )
        for fold, area in enumerate(folds[:3]):
            rows = predictions[predictions.fold == fold]
            estimates.append({**entry(model, "auroc", "per fold", area, rows, "logit DeLong"), "fold": fold})
    undefined = entry("diameter", "lr_positive", "pooled out-of-fold", 0.0, predictions.head(0), "log method")
    estimates.append({**undefined, "value": None, "low": None, "high": None, "status": "undefined_no_units"})
    difference = entry("", "auroc", "fold-averaged", 0.0213, predictions, "paired influence functions")
    comparison = {
        "a": "image",
        "b": "diameter",
        "metric": "auroc",
        "difference": {**difference, "low": -0.004, "high": 0.0466},
        "statistic": 1.66,
        "p": 0.00004,
        "p_adjusted": 0.0969,
        "method": "z test",
    }
    return {
        "study": study["name"],
        "level": 0.95,
        "estimates": estimates,
        "comparisons": [comparison],
        "confusion": confusion,
        "notes": ["3 nodules without age were not used by any model with age."],
    }


def segmentation_results(scores: pd.DataFrame) -> dict:
    estimates = []
    for name in STRUCTURES:
        rows = scores[scores.structure == name]
        for metric, unit in {
            "dice": "",
            "hd95_mm": "mm",
            "nsd": "",
            "assd_mm": "mm",
            "volume_error_ml": "ml",
        }.items():
            values = rows[metric].dropna()
            for aggregation, value in {"mean": values.mean(), "median": values.median()}.items():
                low, high = np.quantile(values, [0.3, 0.7])
                estimates.append(
                    {
                        **entry(
                            "image",
                            metric,
                            f"{aggregation} over cases",
                            value,
                            rows.loc[values.index],
                            "bootstrap",
                        ),
                        "structure": name,
                        "unit": unit,
                        "low": min(low, value),
                        "high": max(high, value),
                        "method": "bootstrap of patients, percentile",
                    }
                )
    return {
        "study": "hippocampus",
        "level": 0.95,
        "estimates": estimates,
        "comparisons": [],
        "confusion": {},
        "notes": [],
    }


def entry(model: str, metric: str, aggregation: str, value: float, rows: pd.DataFrame, method: str) -> dict:
    """An estimate with an invented interval; the tests of the report do not judge its width."""
    value = float(value)
    return {
        "model": model,
        "metric": metric,
        "aggregation": aggregation,
        "structure": None,
        "fold": None,
        "value": value,
        "low": max(value - 0.0567, 0.0),
        "high": min(value + 0.0432, 1.0),
        "level": 0.95,
        "method": method,
        "n_units": len(rows),
        "n_patients": int(rows.patient_id.nunique()),
        "status": "ok",
        "unit": "",
    }


def rank_auc(labels: pd.Series, scores: pd.Series) -> float:
    positive, negative = scores[labels == 1].to_numpy(), scores[labels == 0].to_numpy()
    wins = (positive[:, None] > negative).mean() + 0.5 * (positive[:, None] == negative).mean()
    return float(wins)


def save_nifti(path: Path, array: np.ndarray, affine: np.ndarray | None = None) -> None:
    nib.save(nib.Nifti1Image(array, np.eye(4) if affine is None else affine), path)
