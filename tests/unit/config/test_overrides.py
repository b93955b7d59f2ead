"""Changes from the command line."""

from __future__ import annotations

import pytest

from medvision.config import load_study


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("training.epochs=5", lambda s: s.training.epochs == 5),
        ("training.optimizer.learning_rate=1e-4", lambda s: s.training.optimizer.learning_rate == 1e-4),
        ("title=no", lambda s: s.title == "no"),
        ("title=a = b", lambda s: s.title == "a = b"),
        ("title='5'", lambda s: s.title == "5"),
        ("model.channels=[8, 16]", lambda s: s.model.channels == (8, 16)),
        (
            "training.early_stopping.patience_epochs=3",
            lambda s: s.training.early_stopping.patience_epochs == 3,
        ),
        ("training.optimizer.kind=sgd", lambda s: s.training.optimizer.momentum == 0.99),
        ("training.optimizer={kind: sgd, momentum: 0.5}", lambda s: s.training.optimizer.momentum == 0.5),
        ("prediction.window_voxels=null", lambda s: s.prediction.window_voxels is None),
        ("training={epochs: 7}", lambda s: s.training.epochs == 7 and s.training.batch_size == 2),
        ("task.labels.tail=3", lambda s: s.task.labels == {"anterior": 1, "posterior": 2, "tail": 3}),
    ],
)
def test_values(study_file, segmentation, override, value):
    assert value(load_study(study_file(segmentation + "training: {batch_size: 2}\n"), [override]))


def test_the_last_one_counts(study_file, segmentation):
    assert load_study(study_file(segmentation), ["seed=1", "seed=2"]).seed == 2


def test_overrides_come_after_extends(study_file, segmentation):
    study_file(segmentation + "seed: 1\n", "base.yaml")
    assert load_study(study_file("extends: base.yaml\nseed: 2\n"), ["seed=3"]).seed == 3


def test_a_kind_and_then_its_settings(study_file, segmentation):
    study = load_study(study_file(segmentation), ["training.inner.kind=cross_fit", "training.inner.folds=4"])
    assert study.training.inner.folds == 4


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("training.epochs=abc", "command line: training.epochs=abc: expected a whole number, found 'abc'"),
        ("training.epohcs=5", "command line: training.epohcs=5: unknown key; did you mean 'epochs'?"),
        (
            "trainin.epochs=5",
            "command line: trainin.epochs=5: trainin: unknown key; did you mean 'training'?",
        ),
        ("model.kind=unett", "command line: model.kind=unett: unknown kind 'unett'; did you mean 'unet'?"),
        (
            "training.optimizer.momentum=0.5",
            "command line: training.optimizer.momentum=0.5: unknown key; only kind sgd",
        ),
        (
            "training={epochs: x}",
            "command line: training={epochs: x}: training.epochs: expected a whole number",
        ),
        ("seed", "command line: seed: write an override as path=value, such as training.epochs=5"),
        ("=5", "command line: =5: write an override as path=value"),
        ("training..epochs=5", "command line: training..epochs=5: write an override as path=value"),
        ("seed=[1", "command line: seed=[1: not YAML: expected ',' or ']'"),
        (
            "training.epochs.x=1",
            "command line: training.epochs.x=1: training.epochs: expected a whole number, found a map",
        ),
    ],
)
def test_errors_point_at_the_override(study_file, problems_of, segmentation, override, problem):
    found = problems_of(segmentation, override)
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_errors_of_files_and_overrides_come_together(problems_of, segmentation):
    found = problems_of(segmentation + "seed: x\n", "training.epochs=0", "title=3")
    assert [problem.split(":")[0] for problem in found] == ["study.yaml", "command line", "command line"]


def test_a_misfit_by_override_points_at_it(problems_of, segmentation):
    assert problems_of(segmentation, "model={kind: resnet}") == [
        "command line: model={kind: resnet}: model.kind: resnet classifies; a segmentation task takes unet, "
        "dynunet or custom"
    ]


def test_an_error_in_the_file_beside_an_override_points_at_the_file(problems_of, segmentation):
    found = problems_of(
        segmentation + "cohort: {kind: msd}\n".replace("cohort", "training"), "training.epochs=4"
    )
    assert found == ["study.yaml:9:12: training.kind: unknown key"]
