"""What the parts of a study file demand of each other.

Each check is a generator whose parameters are named after the parts that it looks at; it yields a
path and a sentence for everything that does not fit. A check runs as soon as its parts are right by
themselves, whatever is wrong elsewhere.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping

from medvision.config.cohort import Cohort, ManifestCohort, MsdCohort
from medvision.config.columns import (
    columns_exist,
    columns_have_one_role,
    forbidden_is_no_input,
    label_is_no_input,
    nothing_twice,
)
from medvision.config.crop import CenterCrop
from medvision.config.evaluation import Comparator, Evaluation
from medvision.config.model import DenseNetModel, DynUNetModel, Model, ResNetModel, UNetModel
from medvision.config.pixels import Augmentation, Preprocessing
from medvision.config.problem import KeyPath
from medvision.config.sizes import densenet_input, lowest_level, patch_in_crop, stride_divides
from medvision.config.split import AnySplit, ColumnSplit, KFold, NestedSplit
from medvision.config.task import ClassificationTask, SegmentationTask, Task
from medvision.config.training import Prediction, Training

Findings = Iterator[tuple[KeyPath, str]]


def findings(parts: Mapping[str, object]) -> list[tuple[KeyPath, str]]:
    """Run every check whose parts are there.

    Args:
        parts: The parts of a study by the name of their key.

    Returns:
        Path and sentence of everything that does not fit, in the order of the checks.

    Example:
        >>> from medvision.config import ResNetModel, SegmentationTask
        >>> task = SegmentationTask(kind="segmentation", labels={"tumour": 1})
        >>> findings({"task": task, "model": ResNetModel(kind="resnet")})
        [(('model', 'kind'), 'resnet classifies; a segmentation task takes unet, dynunet or custom')]
    """
    found: list[tuple[KeyPath, str]] = []
    for check, names in CHECKS.items():
        if all(name in parts for name in names):
            found.extend(check(**{name: parts[name] for name in names}))
    return found


def _network_fits_task(model: Model, task: Task) -> Findings:
    if isinstance(task, SegmentationTask) and isinstance(model, ResNetModel | DenseNetModel):
        wanted = "classifies; a segmentation task takes unet, dynunet or custom"
        yield ("model", "kind"), f"{model.kind} {wanted}"
    if isinstance(task, ClassificationTask) and isinstance(model, UNetModel | DynUNetModel):
        wanted = "segments; a classification task takes resnet, densenet or custom"
        yield ("model", "kind"), f"{model.kind} {wanted}"


def _source_fits_task(cohort: Cohort, task: Task) -> Findings:
    if isinstance(cohort, MsdCohort) and isinstance(task, ClassificationTask):
        yield ("cohort", "kind"), "msd has masks but no labels of cases; a classification takes a manifest"


def _masks_are_named(cohort: Cohort, task: Task) -> Findings:
    if isinstance(cohort, ManifestCohort) and cohort.mask is None and isinstance(task, SegmentationTask):
        yield ("cohort", "mask"), "missing; a segmentation learns from a column with masks"


def _crop_finds_masks(cohort: Cohort, preprocessing: Preprocessing) -> Findings:
    if preprocessing.crops_around_mask and isinstance(cohort, ManifestCohort) and cohort.mask is None:
        path = ("preprocessing", "crop", "around")
        yield path, "a crop around the mask needs a column with masks; name it in cohort.mask"


def _region_is_named(cohort: Cohort, preprocessing: Preprocessing) -> Findings:
    named = isinstance(cohort, ManifestCohort) and cohort.region is not None
    if preprocessing.needs_region and not named:
        why = "preprocessing takes the region of each case from a column with masks; name it here"
        path: KeyPath = ("cohort", "region") if isinstance(cohort, ManifestCohort) else ("cohort", "kind")
        yield path, f"missing; {why}" if isinstance(cohort, ManifestCohort) else f"msd has no column; {why}"
    if named and not preprocessing.needs_region:
        yield ("cohort", "region"), "has no effect: no step of preprocessing looks at a region; leave it out"


def _crop_keeps_the_answer_out(task: Task, preprocessing: Preprocessing) -> Findings:
    if isinstance(task, SegmentationTask) and preprocessing.crops_around_mask:
        path = ("preprocessing", "crop", "around")
        yield path, "would show a segmentation where the answer lies; write around: image, or no crop"


def _prevalence_is_used(cohort: Cohort) -> Findings:
    if cohort.prevalence is not None and cohort.sampling == "cohort":
        yield (
            ("cohort", "prevalence"),
            "has no effect with sampling: cohort, whose own prevalence counts; "
            "leave it out or write sampling: enriched",
        )


def _comparators_fit_task(comparators: tuple[Comparator, ...], task: Task) -> Findings:
    if comparators and isinstance(task, SegmentationTask):
        yield ("comparators",), "a regression predicts the label of a case; leave it out for a segmentation"


def _classified_images_have_one_size(task: Task, preprocessing: Preprocessing) -> Findings:
    crop = preprocessing.crop
    if isinstance(task, ClassificationTask) and not isinstance(crop, CenterCrop):
        yield (
            ("preprocessing", "crop", "kind"),
            f"{crop.kind} leaves images of different sizes, and a classification takes one size; write "
            "crop: {kind: center, size_voxels: [i, j, k]} (with the images' own size where all are alike)",
        )


def _classified_whole(task: Task, training: Training, prediction: Prediction) -> Findings:
    if not isinstance(task, ClassificationTask):
        return
    why = "a label belongs to the whole case, so a classification takes no"
    if training.patch_voxels is not None:
        yield ("training", "patch_voxels"), f"{why} patches; use preprocessing.crop"
    if prediction.window_voxels is not None:
        yield ("prediction", "window_voxels"), f"{why} windows; use preprocessing.crop"


def _mixup_fits_task(task: Task, augmentation: Augmentation) -> Findings:
    if isinstance(task, SegmentationTask) and augmentation.mixup_alpha is not None:
        yield ("augmentation", "mixup_alpha"), "mixes labels of cases; leave it out for a segmentation"


def _loss_is_something(task: Task, training: Training) -> Findings:
    none = training.dice_weight == 0 and training.cross_entropy_weight == 0
    if isinstance(task, SegmentationTask) and none:
        yield ("training", "dice_weight"), "this and cross_entropy_weight are 0, so nothing is learned"


def _inner_is_said_once(split: AnySplit, training: Training) -> Findings:
    if training.inner == Training().inner:
        return
    why = "says how training parts are divided, and so does training.inner; leave one of them out"
    if isinstance(split, NestedSplit) and split.inner_folds is not None:
        yield ("split", "inner_folds"), why
    if isinstance(split, ColumnSplit) and split.validation_values:
        yield ("split", "validation_values"), why


def _nested_interval_needs_folds(evaluation: Evaluation, split: AnySplit) -> Findings:
    if evaluation.nested_interval and not (isinstance(split, KFold) and split.folds >= 3):
        yield ("evaluation", "nested_interval"), "needs split.kind kfold with 3 folds or more"


def _column_values_differ(split: AnySplit) -> Findings:
    if not isinstance(split, ColumnSplit):
        return
    first: dict[str, str] = {}
    for role in ("train_values", "validation_values", "test_values"):
        for place, value in enumerate(getattr(split, role)):
            taken = first.setdefault(str(value), role)
            if taken != role:
                yield ("split", role, place), f"{value!r} is already one of {taken}"


CHECKS: dict[Callable[..., Findings], tuple[str, ...]] = {
    check: tuple(inspect.signature(check).parameters)
    for check in (
        _network_fits_task,
        _source_fits_task,
        _masks_are_named,
        _crop_finds_masks,
        _region_is_named,
        _crop_keeps_the_answer_out,
        _prevalence_is_used,
        _comparators_fit_task,
        _classified_images_have_one_size,
        _classified_whole,
        _mixup_fits_task,
        _loss_is_something,
        _inner_is_said_once,
        _column_values_differ,
        _nested_interval_needs_folds,
        columns_exist,
        columns_have_one_role,
        forbidden_is_no_input,
        label_is_no_input,
        nothing_twice,
        stride_divides,
        lowest_level,
        densenet_input,
        patch_in_crop,
    )
}
