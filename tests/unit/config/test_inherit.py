"""Files that extend files."""

from __future__ import annotations

import pytest

from medvision.config import load_study
from medvision.errors import ConfigError


def test_a_chain_is_merged_key_by_key(study_file, segmentation):
    study_file(segmentation + "training: {epochs: 10, batch_size: 2}\n", "base.yaml")
    study_file("extends: base.yaml\ntraining: {epochs: 20}\nseed: 1\n", "middle.yaml")
    study = load_study(study_file("extends: middle.yaml\nseed: 2\nmodel: {channels: [8, 16]}\n"))
    assert (study.training.epochs, study.training.batch_size, study.seed) == (20, 2, 2)
    assert study.model.channels == (8, 16)


def test_extends_is_relative_to_the_file_that_says_so(study_file, segmentation):
    study_file(segmentation, "base/root.yaml")
    study_file("extends: root.yaml\n", "base/middle.yaml")
    assert load_study(study_file("extends: ../base/middle.yaml\n", "studies/a.yaml")).name == "hippocampus"


def test_lists_replace(study_file, segmentation):
    study_file(segmentation + "augmentation: {flip_axes: [0, 1]}\n", "base.yaml")
    study = load_study(study_file("extends: base.yaml\naugmentation: {flip_axes: [2]}\n"))
    assert study.augmentation.flip_axes == (2,)


def test_null_takes_a_part_away(study_file, segmentation):
    study_file(segmentation + "training: {early_stopping: {patience_epochs: 3}}\n", "base.yaml")
    study = load_study(study_file("extends: base.yaml\ntraining: {early_stopping: null}\n"))
    assert study.training.early_stopping is None


def test_another_kind_replaces_the_whole_mapping(study_file, segmentation):
    study_file(segmentation + "training: {optimizer: {kind: adamw, weight_decay: 0.5}}\n", "base.yaml")
    study = load_study(study_file("extends: base.yaml\ntraining: {optimizer: {kind: sgd}}\n"))
    assert study.training.optimizer.weight_decay == 3e-5
    same = load_study(
        study_file("extends: base.yaml\ntraining: {optimizer: {kind: adamw, learning_rate: 0.1}}\n")
    )
    assert same.training.optimizer.weight_decay == 0.5


def test_errors_point_at_the_file_where_the_value_stands(study_file, problems_of, segmentation):
    study_file(segmentation + "training:\n  epochs: 0\n  bach_size: 2\n", "base.yaml")
    assert problems_of("extends: base.yaml\ntraining:\n  batch_size: -1\n") == [
        "study.yaml:3:15: training.batch_size: must be at least 1, found -1",
        "base.yaml:10:11: training.epochs: must be at least 1, found 0",
        "base.yaml:11:3: training.bach_size: unknown key; did you mean 'batch_size'?",
    ]


def test_parts_that_do_not_fit_point_at_the_file_that_says_it(study_file, problems_of, segmentation):
    study_file(segmentation, "base.yaml")
    assert problems_of("extends: base.yaml\nprediction:\n  window_voxels: [30, 32, 32]\n") == [
        "study.yaml:3:18: prediction.window_voxels: [30, 32, 32] must be divisible by 8 "
        "(unet with 4 levels); the nearest is [32, 32, 32]"
    ]


def test_repeated_keys_of_all_files_are_found(study_file, problems_of, segmentation):
    study_file(segmentation + "seed: 1\nseed: 2\n", "base.yaml")
    assert problems_of("extends: base.yaml\ntitle: a\ntitle: b\n") == [
        "study.yaml:3:1: title: this key stands here twice; the first is at study.yaml:2:1",
        "base.yaml:10:1: seed: this key stands here twice; the first is at base.yaml:9:1",
    ]


def test_a_missing_base(problems_of):
    assert problems_of("name: a\nextends: nothing.yaml\n") == [
        "study.yaml:2:10: extends: there is no file 'nothing.yaml'"
    ]


def test_a_base_that_is_no_name(problems_of):
    assert problems_of("extends: [a.yaml]\n") == [
        "study.yaml:1:10: extends: expected the name of one file, such as base.yaml"
    ]


def test_a_circle(study_file, problems_of):
    study_file("extends: c.yaml\n", "b.yaml")
    study_file("extends: study.yaml\n", "c.yaml")
    assert problems_of("extends: b.yaml\n") == [
        "c.yaml:1:10: extends: goes round in a circle: study.yaml → b.yaml → c.yaml → study.yaml"
    ]


def test_a_file_that_extends_itself(problems_of):
    assert "goes round in a circle: study.yaml → study.yaml" in problems_of("extends: study.yaml\n")[0]


def test_a_circle_through_another_spelling_of_the_path(study_file, problems_of):
    study_file("extends: ../study.yaml\n", "sub/b.yaml")
    assert "goes round in a circle" in problems_of("extends: sub/../sub/b.yaml\n")[0]


def test_an_empty_base(study_file):
    study_file("", "base.yaml")
    with pytest.raises(ConfigError, match=r"base\.yaml:1:1: the file is empty"):
        load_study(study_file("extends: base.yaml\n"))


def test_one_base_may_be_reached_twice_in_a_run_but_not_in_a_chain(study_file, segmentation):
    study_file(segmentation, "base.yaml")
    first = load_study(study_file("extends: base.yaml\n", "a.yaml"))
    assert load_study(study_file("extends: ./base.yaml\n", "b.yaml")) == first
