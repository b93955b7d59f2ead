"""A study in full, and its hash."""

from __future__ import annotations

import hashlib
import json

from ruamel.yaml import YAML

from medvision.config import dump_study, load_study, study_hash


def test_a_dumped_study_loads_back_equal(study_file, classification):
    study = load_study(study_file(classification), ["title='no: yes # \"x\"'", "task.positive=yes"])
    assert load_study(study_file(dump_study(study), "again.yaml")) == study


def test_every_default_is_written_out(study_file, segmentation):
    text = dump_study(load_study(study_file(segmentation)))
    for line in (
        "seed: 2026",
        "  epochs: 50",
        "  folds: 5",
        "  crop: {kind: none}",
        "  channels: [16, 32, 64, 128]",
    ):
        assert line in text.splitlines()


def test_what_was_left_out_or_written_out_has_one_hash(study_file, segmentation):
    short = load_study(study_file(segmentation))
    full = load_study(
        study_file(segmentation + "training: {epochs: 50, optimizer: {kind: adamw}}\nseed: 2026\n")
    )
    assert study_hash(short) == study_hash(full)
    assert len(study_hash(short)) == 64


def test_the_order_of_keys_and_the_kind_of_number_do_not_count(study_file, segmentation):
    a = load_study(study_file(segmentation + "augmentation: {noise_std: 0, rotate_deg: [1, 1, 1]}\n"))
    swapped = segmentation.replace("{anterior: 1, posterior: 2}", "{posterior: 2, anterior: 1}")
    b = load_study(study_file(swapped + "augmentation: {rotate_deg: [1.0, 1.0, 1.0], noise_std: -0.0}\n"))
    assert a == b
    assert study_hash(a) == study_hash(b)


def test_any_change_changes_the_hash(study_file, segmentation):
    path = study_file(segmentation)
    changes = [
        [],
        ["seed=1"],
        ["title=a"],
        ["training.epochs=51"],
        ["task.labels.anterior=3"],
        ["split.repeats=2"],
    ]
    hashes = {study_hash(load_study(path, change)) for change in changes}
    assert len(hashes) == len(changes)


def test_the_hash_is_that_of_the_canonical_json(study_file, classification):
    study = load_study(study_file(classification))
    # By another way: the dumped YAML, read by ruamel alone, as JSON with sorted keys and no spaces.
    content = YAML(typ="safe", pure=True).load(dump_study(study))
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert study_hash(study) == hashlib.sha256(text.encode()).hexdigest()
