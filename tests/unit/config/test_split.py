"""The `split:` part of a study file."""

from __future__ import annotations

import jsonschema
import pytest
from ruamel.yaml import YAML

from medvision.config import (
    ColumnSplit,
    HashFold,
    KFold,
    SiteSplit,
    TimeSplit,
    dump_study,
    json_schema,
    load_study,
)


@pytest.fixture
def split(study_file, classification):
    """The split of a study whose last line is the one given."""

    def load(text):
        return load_study(study_file(f"{classification}split: {text}\n")).split

    return load


@pytest.fixture
def problems(problems_of, classification):
    return lambda text: problems_of(f"{classification}split: {text}\n")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{folds: 3}", KFold),
        ("{}", KFold),
        ("{kind: kfold, folds: 3, inner_folds: 2}", KFold),
        ("{kind: hash}", HashFold),
        ("{kind: site, column: hospital}", SiteSplit),
        ("{kind: time, column: date, test_from: 2021-01-01}", TimeSplit),
        ("{kind: time, column: year, last_fraction: 0.2, on_crossing: first_scan}", TimeSplit),
        ("{kind: column, column: part, validation_values: [val]}", ColumnSplit),
        ("{folds: 3, test: {kind: fraction, fraction: 0.25, stratify_by: [sex]}}", KFold),
        ("{test: {kind: hash}}", KFold),
        ("{test: {kind: column, column: part, values: [test, 3]}}", KFold),
        ("{test: {kind: time, column: year, test_from: 2021}}", KFold),
    ],
)
def test_every_kind_is_read_by_its_schema_too_and_written_back(
    split, study_file, classification, tmp_path, text, kind
):
    study = load_study(study_file(f"{classification}split: {text}\n"))
    assert isinstance(study.split, kind)
    jsonschema.validate(
        YAML(typ="safe", pure=True).load(
            f"{classification}split: {text}\n".replace("2021-01-01", "'2021-01-01'")
        ),
        json_schema(),
    )
    again = tmp_path / "again.yaml"
    again.write_text(dump_study(study))
    assert load_study(again) == study


def test_a_split_without_a_kind_is_the_k_fold_that_it_was_before_there_were_kinds(split):
    assert split("{folds: 3, repeats: 2}") == KFold(folds=3, repeats=2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{folds: 1}", "study.yaml:20:16: split.folds: must be at least 2, found 1"),
        ("{fold: 3}", "split.fold: unknown key; did you mean 'folds'?"),
        ("{kind: sites, column: a}", "split.kind: unknown kind 'sites'; did you mean 'site'?"),
        ("{kind: site}", "split.column: missing: Column of the site"),
        ("{kind: column, column: 5}", "study.yaml:20:31: split.column: expected text, found 5"),
        ("{kind: hash, repeats: 2}", "split.repeats: unknown key; only kind kfold has it"),
        ("{kind: time, column: d}", "needs one of test_from, last_fraction and windows; found none"),
        ("{kind: time, column: d, windows: 3, last_fraction: 0.2}", "found last_fraction and windows"),
        ("{test: {kind: fraction, fraction: 2}}", "study.yaml:20:42: split.test.fraction: must be below 1"),
        ("{test: {fraction: 0.2}}", "split.test.kind: missing; write one of fraction, hash, column, time"),
        ("{test: {kind: column, column: malignant, values: [1]}}", "parts of one class each"),
        ("{stratify_by: [malignant]}", "the folds are balanced by it anyway"),
        ("{kind: site, column: malignancy_rating}", "listed in cohort.forbidden and must not be used"),
        (
            "{test: {kind: fraction, stratify_by: [sex, sex]}}",
            "split.test.stratify_by[1]: 'sex' stands there",
        ),
        (
            "{kind: column, column: p, validation_values: [test]}",
            "'test' is already one of validation_values",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(problems, text, words):
    assert any(words in problem for problem in problems(text)), problems(text)


def test_the_inner_division_is_said_once(problems_of, classification):
    cross_fit = f"{classification}  inner: {{kind: cross_fit}}\n"
    (one,) = problems_of(f"{cross_fit}split: {{inner_folds: 3}}\n")
    assert "split.inner_folds: says how training parts are divided, and so does training.inner" in one
    (two,) = problems_of(f"{cross_fit}split: {{kind: column, column: p, validation_values: [val]}}\n")
    assert "split.validation_values: says how" in two


def test_a_cohort_without_columns_has_none_to_split_by(problems_of, segmentation):
    (problem,) = problems_of(f"{segmentation}split: {{kind: site, column: hospital}}\n")
    assert "split.column: an msd cohort has no columns, so no 'hospital'" in problem
