"""What holds for every study."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision.config import Study, dump_study, load_study, study_hash
from medvision.config.document import parse
from medvision.config.dump import yaml_text
from medvision.config.inherit import merge
from medvision.config.overrides import apply_overrides
from medvision.errors import ConfigError

# Any text, all that YAML makes something of included; but no lone surrogates, which no file can hold.
texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.text(
    " :?-#'\"\n\t\x85\u2028[]{}&*!|>%@`", max_size=8
)
columns = st.text(string.ascii_lowercase + string.digits + "_ -:?#'\"", min_size=1, max_size=8)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,12}", fullmatch=True)
positive = st.floats(1e-8, 1e6, allow_nan=False)
unit = st.floats(0, 0.999)
triples = st.tuples(*[st.integers(1, 20).map(lambda n: 16 * n)] * 3)
augmentations = st.fixed_dictionaries(
    {}, optional={"scale": unit, "noise_std": positive, "flip_axes": st.sets(st.integers(0, 2)).map(sorted)}
)
optimizers = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.just("adamw")}, optional={"learning_rate": positive, "weight_decay": positive}
    ),
    st.fixed_dictionaries({"kind": st.just("sgd")}, optional={"momentum": unit}),
)
trainings = st.fixed_dictionaries(
    {},
    optional={
        "epochs": st.integers(1, 10**6),
        "optimizer": optimizers,
        "gradient_clip": st.none() | positive,
        "ema_decay": st.none() | st.floats(0.001, 0.999),
        "early_stopping": st.none() | st.fixed_dictionaries({"patience_epochs": st.integers(1, 99)}),
        "inner": st.sampled_from([{"kind": "holdout", "fraction": 0.25}, {"kind": "cross_fit", "folds": 4}]),
    },
)
common = {"seed": st.integers(0, 2**32 - 1), "title": texts, "question": texts, "training": trainings}
segmentations = st.fixed_dictionaries(
    {
        "name": names,
        "cohort": st.fixed_dictionaries({"kind": st.just("msd"), "path": columns}),
        "task": st.fixed_dictionaries(
            {
                "kind": st.just("segmentation"),
                "labels": st.dictionaries(columns, st.integers(1, 255), min_size=1, max_size=4).map(
                    lambda labels: {name: place + 1 for place, name in enumerate(labels)}
                ),
            }
        ),
        "model": st.fixed_dictionaries({"kind": st.sampled_from(["unet", "dynunet"])}),
    },
    optional={**common, "augmentation": augmentations},
)
classifications = st.fixed_dictionaries(
    {
        "name": names,
        "cohort": st.fixed_dictionaries({"kind": st.just("manifest"), "path": columns}),
        "task": st.fixed_dictionaries(
            {
                "kind": st.just("classification"),
                "label": st.just("the label"),
                "positive": st.one_of(texts, st.integers(), st.booleans()),
            }
        ),
        "model": st.fixed_dictionaries({"kind": st.sampled_from(["resnet"])}, optional={"dropout": unit}),
        "preprocessing": st.fixed_dictionaries(
            {"crop": st.fixed_dictionaries({"kind": st.just("center"), "size_voxels": triples})},
            optional={"spacing_mm": st.tuples(positive, positive, positive)},
        ),
    },
    optional=common,
)
studies = (segmentations | classifications).map(Study.model_validate)


@given(studies)
def test_a_dumped_study_loads_back_equal(tmp_path_factory, study):
    path = tmp_path_factory.mktemp("dump") / "study.yaml"
    path.write_text(dump_study(study), encoding="utf-8", newline="\n")
    again = load_study(path)
    assert again == study
    assert study_hash(again) == study_hash(study)
    # Equal in Python is not enough: 1 == True.
    assert again.model_dump_json() == study.model_dump_json()


@given(studies, studies)
def test_the_hash_tells_studies_apart(one, other):
    assert (study_hash(one) == study_hash(other)) == (one.model_dump_json() == other.model_dump_json())


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), texts)
keys = st.sampled_from(["kind", "a", "b", "c"])
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
mappings = st.dictionaries(keys, documents, max_size=4)


def _tree(value: object):
    tree, problems = parse(yaml_text(value), "a.yaml")
    assert problems == []
    return tree


@given(mappings)
def test_a_document_is_read_as_it_was_written(value):
    assert _tree(value).plain() == value


@given(mappings)
def test_merging_nothing_or_the_same_changes_nothing(value):
    tree = _tree(value)
    assert merge(tree, _tree({})).plain() == value
    assert merge(tree, tree).plain() == value


@given(mappings, mappings)
def test_what_comes_last_counts(base, change):
    def check(merged: object, change: object) -> None:
        if isinstance(change, dict):
            for key, value in change.items():
                check(merged[key], value)
        else:
            assert merged == change

    check(merge(_tree(base), _tree(change)).plain(), change)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_an_override_is_the_value_in_the_file(epochs, other):
    base = parse(f"training: {{epochs: {other}, batch_size: 2}}", "a.yaml")[0]
    changed, problems = apply_overrides(base, [f"training.epochs={epochs}"])
    assert problems == []
    assert changed.plain() == {"training": {"epochs": epochs, "batch_size": 2}}


@given(st.text(max_size=60) | documents.map(str))
def test_any_text_is_a_study_or_a_config_error(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "study.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(ConfigError) as caught:
        load_study(path)
    assert str(caught.value)


@given(studies, st.sampled_from(["seed", "training", "model", "task", "cohort", "name"]), scalars)
def test_any_value_is_right_or_a_config_error_that_names_its_line(tmp_path_factory, study, key, value):
    path = tmp_path_factory.mktemp("value") / "study.yaml"
    path.write_text(dump_study(study), encoding="utf-8", newline="\n")
    problems = _problems(path, f"{key}={value}")
    assert problems is None or problems
    assert all(problem.startswith(("command line: ", f"{path}:")) for problem in problems or ())


def _problems(path, override):
    try:
        load_study(path, [override])
    except ConfigError as error:
        return error.problems
    return None
