"""What each part accepts by itself."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from medvision.config import (
    Augmentation,
    ClassificationTask,
    CustomModel,
    DynUNetModel,
    Evaluation,
    NyulIntensity,
    PercentileIntensity,
    Preprocessing,
    SegmentationTask,
    Training,
    WindowIntensity,
    ZscoreIntensity,
)


@pytest.mark.parametrize(
    ("rule", "stored"),
    [
        ("youden", "youden"),
        ("sensitivity>=0.95", "sensitivity>=0.95"),
        ("sensitivity ≥ 0.95", "sensitivity>=0.95"),
        ("specificity>=1", "specificity>=1"),
        ("fixed:-2.5", "fixed:-2.5"),
        ("fixed:1e-3", "fixed:1e-3"),
        ("cost: 5", "cost:5"),
    ],
)
def test_threshold_rules(rule, stored):
    assert Evaluation(threshold=rule).threshold == stored


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "0.5",
        "youdens",
        "sensitivity>0.9",
        "sensitivity>=0",
        "specificity>=1.1",
        "sensitivity>=95",
        "cost:0",
        "cost:-1",
        "fixed:",
        "fixed:nan",
        "fixed:1e999",
        "cost:1e999",
        "fixed:1-2",
    ],
)
def test_what_is_no_threshold_rule(rule):
    with pytest.raises(ValidationError, match="is no threshold rule"):
        Evaluation(threshold=rule)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "SRA", "IPL", "AIR"])
def test_orientations(codes):
    assert Preprocessing(orientation=codes).orientation == codes


@pytest.mark.parametrize("codes", ["", "RA", "RASS", "RLS", "ras", "XYZ", "RAP", "RASA"])
def test_what_is_no_orientation(codes):
    with pytest.raises(ValidationError, match="is no orientation"):
        Preprocessing(orientation=codes)


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ((400, -1000), "must rise"),
        ((0, 0), "must rise"),
        ((-5000, 0), "not in Hounsfield"),
        ((0, 65535), "not in"),
    ],
)
def test_what_is_no_window(window, words):
    with pytest.raises(ValidationError, match=words):
        WindowIntensity(kind="window", window_hu=window)


def test_a_window_and_percentiles_are_kept():
    assert WindowIntensity(kind="window", window_hu=[-160, 240]).window_hu == (-160.0, 240.0)
    assert PercentileIntensity(kind="percentile", percentiles=[1, 99]).percentiles == (1.0, 99.0)


def test_percentiles_rise():
    with pytest.raises(ValidationError, match="must rise"):
        PercentileIntensity(kind="percentile", percentiles=(99.5, 0.5))


def test_structures_have_distinct_values():
    with pytest.raises(ValidationError, match="a and c share the mask value 1"):
        SegmentationTask(kind="segmentation", labels={"a": 1, "b": 2, "c": 1})
    with pytest.raises(ValidationError, match="name at least one structure"):
        SegmentationTask(kind="segmentation", labels={})


def test_positive_and_negative_differ():
    with pytest.raises(ValidationError, match="positive and negative are both 1"):
        ClassificationTask(kind="classification", label="y", positive=1, negative=1)


def test_the_type_of_the_positive_value_is_kept():
    for value in (1, True, "1", "yes"):
        stored = ClassificationTask(kind="classification", label="y", positive=value).positive
        assert stored == value
        assert type(stored) is type(value)


def test_supervised_levels():
    DynUNetModel(kind="dynunet", channels=(8, 16, 32), deep_supervision=1)
    with pytest.raises(ValidationError, match="deep_supervision 2 is more than 3 levels allow: 1 at most"):
        DynUNetModel(kind="dynunet", channels=(8, 16, 32), deep_supervision=2)


@pytest.mark.parametrize(
    "target", ["net", "pkg.mod", "pkg:Name.x", ":Name", "os:system('x')", "a..b:C", "a.:C"]
)
def test_what_is_no_target(target):
    with pytest.raises(ValidationError):
        CustomModel(kind="custom", target=target)


def test_bits_are_a_number_or_text():
    assert Training(precision=32).precision == "32"
    assert Training(precision="bf16").precision == "bf16"
    for wrong in (64, True, "fp32"):
        with pytest.raises(ValidationError):
            Training(precision=wrong)


def test_an_augmentation_that_never_happens():
    assert Augmentation(probability=0, flip_axes=(0,)).probability == 0
    with pytest.raises(ValidationError, match="probability 0 means that rotate_deg, noise_std never happens"):
        Augmentation(probability=0, rotate_deg=(0, 0, 10), noise_std=0.1)


@pytest.mark.parametrize("where", [(50,), (50, 10), (1, 1, 99)])
def test_landmarks_rise(where):
    with pytest.raises(ValidationError, match="that rise"):
        NyulIntensity(kind="nyul", percentiles=where)


def test_a_zscore_has_one_foreground():
    with pytest.raises(ValidationError, match="leave one out"):
        ZscoreIntensity(kind="zscore", nonzero=True, foreground={"kind": "body"})


def test_a_region_is_needed_where_a_step_looks_at_it():
    assert not Preprocessing().needs_region
    assert Preprocessing(crop={"kind": "region"}).needs_region
    assert Preprocessing(bias_field={"kind": "n4", "foreground": {"kind": "given"}}).needs_region
