"""How it learns: the `split:`, `training:` and `prediction:` parts of a study file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from medvision.config.base import Axis, Fraction, NonNegative, Positive, PositiveInt, Section, SizeVoxels


class Split(Section):
    """Patient-grouped, stratified cross-validation."""

    folds: Annotated[int, Field(ge=2)] = 5
    repeats: PositiveInt = 1
    stratify_by: tuple[str, ...] = ()
    """Columns balanced over the folds beside the label; they need few values each."""


class AdamW(Section):
    """AdamW (Loshchilov & Hutter 2019)."""

    kind: Literal["adamw"]
    learning_rate: Positive = 1e-3
    weight_decay: NonNegative = 1e-2


class Sgd(Section):
    """Stochastic gradient descent with Nesterov momentum."""

    kind: Literal["sgd"]
    learning_rate: Positive = 1e-2
    momentum: Fraction = 0.99
    weight_decay: NonNegative = 3e-5


Optimizer = Annotated[AdamW | Sgd, Field(discriminator="kind")]


class Schedule(Section):
    """The learning rate over the run, by step: linear warm-up, then decay to zero."""

    kind: Literal["cosine", "polynomial", "constant"] = "cosine"
    warmup_fraction: Fraction = 0.05
    """Share of all steps that rise linearly from zero."""
    power: Positive = 0.9
    """Exponent of the polynomial decay."""


class EarlyStopping(Section):
    """Stop when the validation figure has not improved; the best epoch's weights are used."""

    patience_epochs: PositiveInt = 10


class Holdout(Section):
    """Set a patient-grouped share of the training part aside for validation and the threshold."""

    kind: Literal["holdout"]
    fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.2


class CrossFit(Section):
    """Train one member on each inner fold's complement and average the members.

    Every case of the training part gets a score from members that did not see it; thresholds and
    comparators are fitted on those scores.
    """

    kind: Literal["cross_fit"]
    folds: Annotated[int, Field(ge=2, le=10)] = 3


Inner = Annotated[Holdout | CrossFit, Field(discriminator="kind")]


class Training(Section):
    """The optimisation."""

    epochs: PositiveInt = 50
    steps_per_epoch: PositiveInt | None = None
    """Batches in one epoch; by default one pass over the training cases."""
    batch_size: PositiveInt = 4
    patch_voxels: SizeVoxels | None = None
    """Random patches of this size; null trains on whole preprocessed volumes."""
    foreground_fraction: Annotated[float, Field(ge=0, le=1)] = 0.33
    """Share of patches centred on a structure; segmentation only."""
    optimizer: Optimizer = AdamW(kind="adamw")
    schedule: Schedule = Schedule()
    class_weights: Literal["none", "balanced"] = "none"
    label_smoothing: Fraction = 0.0
    dice_weight: NonNegative = 1.0
    """Weight of the soft Dice loss; segmentation only."""
    cross_entropy_weight: NonNegative = 1.0
    gradient_clip: Positive | None = 1.0
    """Largest norm of the gradient."""
    precision: Literal["auto", "32", "bf16", "16"] = "auto"
    """`auto`: bfloat16 where the device computes it, else 32-bit."""
    ema_decay: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Decay of a moving average of the weights, which is then used for validation and prediction."""
    early_stopping: EarlyStopping | None = None
    inner: Inner = Holdout(kind="holdout")
    """How the training part of a fold is divided, to validate and to choose the threshold."""
    workers: Annotated[int, Field(ge=0)] = 0
    """Processes that read cached cases; the results do not depend on it."""


class Prediction(Section):
    """How a trained network is applied."""

    window_voxels: SizeVoxels | None = None
    """Size of the sliding window; null applies the network to the whole volume."""
    overlap: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Overlap of neighbouring windows."""
    mirror_axes: tuple[Axis, ...] = ()
    """Average the predictions over all mirrorings along these axes."""
    batch_size: PositiveInt = 4
