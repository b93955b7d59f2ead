from __future__ import annotations

from pathlib import Path

import pytest

from medvision.config.selection import Conditions, Selection, load_selection
from medvision.config.study import Study
from medvision.errors import ConfigError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    return path


def test_everything_that_a_rule_file_can_say(tmp_path: Path) -> None:
    rules = load_selection(
        written(
            tmp_path,
            """
name: thorax
one_per: study
where:
  kind: [image, derived]
  modality: [ct]
  study_date: {first: 2015-01-01, last: 2020-12-31}
  body_part: {contains: [chest]}
  description: {without: [lung]}
  manufacturer: {contains: [SIEMENS, GE]}
  orientation: [axial]
  oblique: refused
  slice_spacing_mm: {at_most: 2}
  thickness_mm: {at_least: 0.5, at_most: 2}
  pixel_spacing_mm: {at_most: 1}
  slices: {at_least: 100}
  kernel: soft
  kernel_name: {contains: [B30]}
  sequence: {contains: [GR]}
  contrast: "yes"
prefer: [most_slices, thinnest_slices, earliest]
""",
        )
    )
    assert rules.where.modality == ("CT",)
    assert rules.where.study_date is not None
    assert rules.where.study_date.first == "2015-01-01"
    assert set(rules.where.model_fields_set) == set(Conditions.model_fields)


def test_every_mistake_with_its_place(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """name: thorax
one_pre: study
where:
  orientation: [axail]
  slice_spacing_mm: {at_most: -1}
  slices: {at_least: 10, at_most: 5}
  thickness_mm: {}
  kernal: soft
  description: {}
prefer: [most_slice]
name: again
""",
    )
    with pytest.raises(ConfigError) as told:
        load_selection(path)
    text = str(told.value)
    for line, part in (
        (4, "expected one of axial, coronal, sagittal, found 'axail'; did you mean 'axial'?"),
        (2, "one_pre: unknown key; did you mean 'one_per'?"),
        (4, "where.orientation[0]"),
        (5, "where.slice_spacing_mm.at_most"),
        (6, "at_least 10 is more than at_most 5"),
        (7, "say at_least, at_most or both"),
        (8, "where.kernal: unknown key; did you mean 'kernel'?"),
        (9, "say what it contains"),
        (10, "prefer[0]"),
        (11, "stands here twice"),
    ):
        assert any(f"rules.yaml:{line}:" in row and part in row for row in text.splitlines()), (
            line,
            part,
            text,
        )


def test_days_are_days_and_in_order(tmp_path: Path) -> None:
    path = written(tmp_path, "name: a b\nwhere:\n  study_date: {first: 2020-02-30}\nprefer: [most_slice]\n")
    with pytest.raises(ConfigError) as told:
        load_selection(path)
    assert "1:7: name: 'a b' is not possible here: Names the folder of the outcome" in str(told.value)
    assert "3:23: where.study_date.first: '2020-02-30' is no day" in str(told.value)
    assert "expected one of most_slices, fewest_slices" in str(told.value)
    for period, why in (("{first: 2020-02-03, last: 2019-01-01}", "is after last 2019"), ("{}", "say first")):
        with pytest.raises(ConfigError, match=f"where.study_date: .*{why}"):
            load_selection(written(tmp_path, f"name: a\nwhere: {{study_date: {period}}}\n"))


def test_problems_of_the_text_alone_stop_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="stands here twice"):
        load_selection(written(tmp_path, "name: a\nname: b\n"))
    with pytest.raises(ConfigError, match="there is no such file"):
        load_selection(tmp_path / "none.yaml")


def test_rules_may_extend_others(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("name: base\nwhere: {modality: [CT], kernel: soft}\n")
    rules = load_selection(written(tmp_path, "extends: base.yaml\nname: thin\nwhere: {kernel: sharp}\n"))
    assert rules == Selection(name="thin", where=Conditions(modality=("CT",), kernel="sharp"))


def test_errors_of_studies_are_still_about_studies(tmp_path: Path) -> None:
    from medvision.config.fields import known_keys

    with pytest.raises(ConfigError):
        load_selection(written(tmp_path, "nome: a\n"))
    assert known_keys((), None) == list(Study.model_fields)
