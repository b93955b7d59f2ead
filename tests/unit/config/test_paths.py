"""Environment variables in paths."""

from __future__ import annotations

import pytest

from medvision.config import expand_path
from medvision.errors import ConfigError


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("MV_SET", "/data")
    monkeypatch.setenv("MV_EMPTY", "")
    monkeypatch.setenv("MV_NESTED", "${MV_SET}")
    monkeypatch.delenv("MV_UNSET", raising=False)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a/b.csv", "a/b.csv"),
        ("${MV_SET}/b.csv", "/data/b.csv"),
        ("${MV_SET:-other}/b.csv", "/data/b.csv"),
        ("${MV_UNSET:-../other}/b.csv", "../other/b.csv"),
        ("${MV_EMPTY:-other}/b.csv", "other/b.csv"),
        ("${MV_UNSET:-}b.csv", "b.csv"),
        ("${MV_SET}/${MV_UNSET:-x}", "/data/x"),
        ("${MV_NESTED}/b", "${MV_SET}/b"),  # filled in once, never again
        ("cost$/b.csv", "cost$/b.csv"),
        ("$MV_SET/b.csv", "$MV_SET/b.csv"),
        ("~/b.csv", "~/b.csv"),
    ],
)
def test_what_is_filled_in(text, path):
    assert expand_path(text) == path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${MV_UNSET}/b", "the environment variable MV_UNSET is not set"),
        ("${MV_EMPTY}/b", "the environment variable MV_EMPTY is not set"),
        ("${MV_SET", "another form"),
        ("${}", "another form"),
        ("${MV_SET:=x}", "another form"),
        ("${MV-SET}", "another form"),
        ("${A:-${B}}", "another form"),
        ("$(ls)/${1}", "another form"),
    ],
)
def test_what_is_refused(text, words):
    with pytest.raises(ConfigError, match=words):
        expand_path(text)


def test_all_unset_variables_are_named():
    with pytest.raises(ConfigError) as caught:
        expand_path("${MV_UNSET}/${MV_EMPTY}")
    assert len(caught.value.problems) == 2
