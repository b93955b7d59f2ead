"""YAML 1.2, read with the places of everything."""

from __future__ import annotations

import math

import pytest

from medvision.config.document import parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # YAML 1.2.2, 10.3.2 core schema; PyYAML reads the first as text and the next four as booleans.
        ("1e-4", 1e-4),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("true", True),
        ("0x1F", 31),
        ("0o17", 15),
        (".5", 0.5),
        ("-.inf", -math.inf),
        ("~", None),
        ("null", None),
        ("", None),
        ("12:30", "12:30"),
        ("2020-01-01", "2020-01-01"),
        ("'5'", "5"),
        ("!!str 5", "5"),
    ],
)
def test_scalars(text, value):
    tree, problems = parse(f"key: {text}", "a.yaml")
    assert problems == []
    found = tree.plain()["key"]
    assert found == value
    assert type(found) is type(value)


def test_every_repeated_key_is_found():
    _, problems = parse("a: 1\nb: {c: 1, c: 2}\na: 3\na: 4\n", "a.yaml")
    assert [str(p) for p in problems] == [
        "a.yaml:2:11: b.c: this key stands here twice; the first is at a.yaml:2:5",
        "a.yaml:3:1: a: this key stands here twice; the first is at a.yaml:1:1",
        "a.yaml:4:1: a: this key stands here twice; the first is at a.yaml:1:1",
    ]


def test_an_alias_is_a_copy():
    tree, problems = parse("a: &x [1, 2]\nb: *x\n", "a.yaml")
    assert (tree.plain(), problems) == ({"a": [1, 2], "b": [1, 2]}, [])


def test_an_alias_of_itself_is_refused():
    _, problems = parse("a: &x [1, *x]\n", "a.yaml")
    assert [p.message for p in problems] == ["an alias that repeats without end; write the value out"]


def test_aliases_that_grow_without_bound_are_refused():
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    _, problems = parse("\n".join(lines), "a.yaml")
    assert [p.message for p in problems] == ["an alias that repeats without end; write the value out"]


def test_a_merge_key_is_an_ordinary_key():
    tree, _ = parse("<<: {a: 1}\n", "a.yaml")
    assert tree.plain() == {"<<": {"a": 1}}


def test_keys_are_words():
    _, problems = parse("? [a]\n: 1\n", "a.yaml")
    assert [str(p) for p in problems] == ["a.yaml:1:3: a key must be a word, not a list or a mapping"]
    assert parse("1: 2\ntrue: 3\n", "a.yaml")[0].plain() == {"1": 2, "true": 3}


@pytest.mark.parametrize("text", ["a: !mine 3", "a: !!set {b}", "a: !!int abc", "a: !!binary aGk="])
def test_tags_are_refused(text):
    _, problems = parse(text, "a.yaml")
    assert [(p.path, str(p.where)) for p in problems] == [(("a",), "a.yaml:1:4")]


def test_characters_that_yaml_does_not_allow():
    tree, problems = parse("a: \x00", "a.yaml")
    assert tree is None
    assert str(problems[0]).startswith("a.yaml:1:1: not YAML: unacceptable character")
