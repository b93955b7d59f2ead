"""How it learns: the `training:` and `prediction:` parts of a study file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema, field_validator

from medvision.config.base import (
    Axis,
    Count,
    Fraction,
    NonNegative,
    Positive,
    PositiveInt,
    Section,
    Share,
    SizeVoxels,
    Switch,
)


class AdamW(Section):
    """AdamW (Loshchilov & Hutter 2019)."""

    kind: Literal["adamw"]
    learning_rate: Positive = 1e-3
    """At the top of the schedule."""
    weight_decay: NonNegative = 1e-2
    """Decoupled from the gradient."""


class Sgd(Section):
    """Stochastic gradient descent with Nesterov momentum."""

    kind: Literal["sgd"]
    learning_rate: Positive = 1e-2
    """At the top of the schedule."""
    momentum: Fraction = 0.99
    """Share of the last step that is kept."""
    weight_decay: NonNegative = 3e-5
    """Added to the gradient (L2)."""


Optimizer = Annotated[AdamW | Sgd, Field(discriminator="kind")]


class Schedule(Section):
    """The learning rate over the run, by step: linear warm-up, then decay to zero."""

    kind: Literal["cosine", "polynomial", "constant"] = "cosine"
    """Shape of the decay; `constant` does not decay."""
    warmup_fraction: Fraction = 0.05
    """Share of all steps that rise linearly from zero."""
    power: Positive = 0.9
    """Exponent of the polynomial decay."""


class EarlyStopping(Section):
    """Stop when the validation figure has not improved; the best epoch's weights are used."""

    patience_epochs: PositiveInt = 10
    """Epochs without improvement before it stops."""


class Holdout(Section):
    """Set a patient-grouped share of the training part aside for validation and the threshold."""

    kind: Literal["holdout"]
    fraction: Annotated[float, Field(strict=True, gt=0, lt=0.5)] = 0.2
    """Share of the patients that is set aside."""


class CrossFit(Section):
    """Train one member on each inner fold's complement and average the members.

    Every case of the training part gets a score from members that did not see it; thresholds and
    comparators are fitted on those scores.
    """

    kind: Literal["cross_fit"]
    folds: Annotated[int, Field(strict=True, ge=2, le=10)] = 3
    """Members, and inner parts of the training patients."""


Inner = Annotated[Holdout | CrossFit, Field(discriminator="kind")]


class Training(Section):
    """The optimisation."""

    epochs: PositiveInt = 50
    """Passes over the training cases, or blocks of `steps_per_epoch` batches."""
    steps_per_epoch: PositiveInt | None = None
    """Batches in one epoch; by default one pass over the training cases."""
    batch_size: PositiveInt = 4
    """Cases (or patches) in one step."""
    patch_voxels: SizeVoxels | None = None
    """Random patches of this size; null trains on whole preprocessed volumes. Segmentation only."""
    pad_small: Switch = False
    """Pad a volume that is smaller than the patch with its lowest value; otherwise it is refused."""
    foreground_fraction: Share = 0.33
    """Share of patches centred on a structure; segmentation only."""
    optimizer: Optimizer = AdamW(kind="adamw")
    """What follows the gradient."""
    schedule: Schedule = Schedule()
    """How the learning rate changes."""
    class_weights: Literal["none", "balanced"] = "none"
    """`balanced` weighs each class by the inverse of its frequency in the training part."""
    label_smoothing: Fraction = 0.0
    """Share of each target that is spread over the classes."""
    dice_weight: NonNegative = 1.0
    """Weight of the soft Dice loss; segmentation only."""
    cross_entropy_weight: NonNegative = 1.0
    """Weight of the cross-entropy; segmentation only."""
    gradient_clip: Positive | None = 1.0
    """Largest norm of the gradient."""
    precision: Annotated[
        Literal["auto", "32", "bf16", "16"], WithJsonSchema({"enum": ["auto", "32", "bf16", "16", 32, 16]})
    ] = "auto"
    """`auto`: bfloat16 where the device computes it, else 32-bit."""
    ema_decay: Annotated[float, Field(strict=True, gt=0, lt=1)] | None = None
    """Decay of a moving average of the weights, which is then used for validation and prediction."""
    early_stopping: EarlyStopping | None = None
    """Stop before the last epoch; null trains to the end."""
    inner: Inner = Holdout(kind="holdout")
    """How the training part of a fold is divided, to validate and to choose the threshold."""
    checkpoint_seconds: NonNegative = 10.0
    """Least time between two checkpoints to resume from; the results do not depend on it."""
    workers: Count = 0
    """Processes that read cached cases; the results do not depend on it."""

    @field_validator("precision", mode="before")
    @classmethod
    def _bits_as_text(cls, value: object) -> object:
        # YAML reads `precision: 32` as a number, and everyone writes it so.
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Prediction(Section):
    """How a trained network is applied."""

    window_voxels: SizeVoxels | None = None
    """Size of the sliding window; null applies the network to the whole volume. Segmentation only."""
    overlap: Fraction = 0.5
    """Overlap of neighbouring windows."""
    mirror_axes: tuple[Axis, ...] = ()
    """Average the predictions over all mirrorings along these axes."""
    batch_size: PositiveInt = 4
    """Cases (or windows) in one step."""
