"""A member that is stopped and resumed equals one that was left alone."""

import numpy as np
import pytest
import torch

from medvision.config import AdamW, Augmentation, EarlyStopping, Prediction, Training, UNetModel
from medvision.errors import TrainingError
from medvision.models import build_model
from medvision.training.classification import ClassificationModule
from medvision.training.data import CaseDataset, PatchSettings
from medvision.training.member import steps_per_epoch, train_member
from medvision.training.module import Recipe
from medvision.training.segmentation import SegmentationModule
from medvision.transforms.cache import CachedCase

CPU = torch.device("cpu")


class StopError(Exception):
    """Stands for a kill between two epochs."""


@pytest.fixture
def cases(tmp_path):
    draws = np.random.default_rng(0)
    made = []
    for number in range(8):
        folder = tmp_path / f"case{number}"
        folder.mkdir()
        image = draws.normal(size=(1, 8, 8, 8)).astype(np.float32)
        np.save(folder / "image.npy", image)
        np.save(folder / "mask.npy", (image[0] > 0.5).astype(np.uint8))
        np.save(folder / "foreground.npy", np.argwhere(image[0] > 0.5).astype(np.int16))
        made.append(CachedCase(folder))
    return made


class Classifier(torch.nn.Module):
    """Batch statistics and dropout, so that every kind of state matters."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv3d(1, 4, 3), torch.nn.BatchNorm3d(4), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool3d(2),
            torch.nn.Flatten(), torch.nn.Dropout(0.5), torch.nn.Linear(32, 1),
        )  # fmt: skip

    def forward(self, images):
        return self.layers(images)


def settings(**changes):
    common = {
        "epochs": 5, "batch_size": 2, "precision": "32", "ema_decay": 0.8, "checkpoint_seconds": 0,
        "optimizer": AdamW(kind="adamw", learning_rate=0.05),
    }  # fmt: skip
    return Training(**{**common, **changes})


def module_for(kind, training):
    recipe = Recipe(
        training=training,
        augmentation=Augmentation(
            flip_axes=(0,), noise_std=0.1, mixup_alpha=0.4 if kind == "classify" else None
        ),
        prediction=Prediction(),
        steps=4 * training.epochs,
        stride=2,
        seed=1,
        purpose=("test",),
    )
    torch.manual_seed(0)
    if kind == "classify":
        return ClassificationModule(Classifier(), recipe, positive_weight=1.5)
    network = build_model(UNetModel(kind="unet", channels=(4, 8), dropout=0.2), out_channels=2)
    return SegmentationModule(network, recipe, structures=1)


def data_for(kind, cases):
    if kind == "classify":
        labels = [0, 1] * 4
        return CaseDataset(cases, labels=labels), CaseDataset(cases[:4], labels=labels[:4])
    return (
        CaseDataset(cases, with_mask=True, patch=PatchSettings((4, 4, 4), 0.5)),
        CaseDataset(cases[:2], with_mask=True),
    )


def train(kind, cases, checkpoint, training, stop_after=None):
    def report(end):
        if end.epoch == stop_after:
            raise StopError

    return train_member(
        module_for(kind, training), *data_for(kind, cases), checkpoint=checkpoint, device=CPU, report=report
    )


@pytest.mark.parametrize("kind", ["classify", "segment"])
@pytest.mark.parametrize("early", [None, EarlyStopping(patience_epochs=2)])
def test_stopping_after_any_epoch_and_resuming_changes_nothing(kind, early, cases, tmp_path):
    training = settings(early_stopping=early)
    undisturbed = train(kind, cases, tmp_path / "a.ckpt", training)
    assert not (tmp_path / "b.ckpt").exists()
    for stop in (1, 2, 3):
        with pytest.raises(StopError):
            train(kind, cases, tmp_path / "b.ckpt", training, stop_after=stop)
        assert (tmp_path / "b.ckpt").exists()
    resumed = train(kind, cases, tmp_path / "b.ckpt", training)
    assert resumed.epochs == undisturbed.epochs
    for name, value in undisturbed.weights.items():
        assert torch.equal(value, resumed.weights[name]), name
    for before, after in zip(undisturbed.log, resumed.log, strict=True):
        before.pop("seconds"), after.pop("seconds")
        assert before == pytest.approx(after, nan_ok=True, abs=0)


def test_early_stopping_returns_the_best_epochs_weights(cases, tmp_path):
    member = train(
        "classify",
        cases,
        tmp_path / "a.ckpt",
        settings(epochs=12, early_stopping=EarlyStopping(patience_epochs=2)),
    )
    figures = [row["validation_figure"] for row in member.log]
    best = int(np.argmax(figures))
    assert member.epochs == min(12, best + 3)


def test_training_lowers_the_loss(cases, tmp_path):
    log = train("segment", cases, tmp_path / "a.ckpt", settings(epochs=30)).log
    assert log[-1]["train_loss"] < 0.9 * log[0]["train_loss"]
    assert [row["epoch"] for row in log] == list(range(1, 31))


def test_a_checkpoint_of_another_model_is_refused(cases, tmp_path):
    with pytest.raises(StopError):
        train("segment", cases, tmp_path / "a.ckpt", settings(), stop_after=2)
    with pytest.raises(TrainingError, match="checkpoint of another model"):
        train("classify", cases, tmp_path / "a.ckpt", settings())


def test_a_loss_that_is_not_finite_stops_with_the_cure(cases, tmp_path):
    image = np.load(cases[0].folder / "image.npy")
    np.save(cases[0].folder / "image.npy", image * np.nan)
    with pytest.raises(TrainingError, match="learning_rate"):
        train("classify", cases, tmp_path / "a.ckpt", settings())


def test_running_out_of_memory_names_the_settings_to_lower(cases, tmp_path, monkeypatch):
    def too_large(self, batch):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes")

    monkeypatch.setattr(ClassificationModule, "loss_of", too_large)
    with pytest.raises(
        TrainingError, match=r"a batch of 2 does not fit in memory; lower training.batch_size"
    ):
        train("classify", cases, tmp_path / "a.ckpt", settings())


def test_steps_are_whole_batches():
    assert steps_per_epoch(9, 4, None) == 2
    assert steps_per_epoch(2, 4, None) == 1
    assert steps_per_epoch(9, 4, 7) == 7
