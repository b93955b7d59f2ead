"""docs/reading.md: its example runs, its options and fields are those of the code."""

import re
from dataclasses import fields

import pytest

from medvision.imaging import Reading
from medvision.imaging.header import VOLUME_KEYS
from medvision.testing import thorax_phantom, write_dicom_series


@pytest.fixture(scope="module")
def page(repository):
    return (repository / "docs" / "reading.md").read_text(encoding="utf-8")


def test_the_example_runs(page, tmp_path, monkeypatch):
    write_dicom_series(thorax_phantom(1, shape=(48, 48, 16), lesions=1), tmp_path / "exports" / "case_17")
    monkeypatch.chdir(tmp_path)
    found = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(block, found)
    assert found["volume"].shape == (48, 48, 16)


def test_every_option_is_described(page):
    missing = [field.name for field in fields(Reading) if f"{field.name}=" not in page]
    assert missing == []
    named = set(re.findall(r"`(on_\w+)=", page))
    assert named == {field.name for field in fields(Reading) if field.name.startswith("on_")}


def test_the_fields_that_tell_volumes_apart_are_listed_in_their_order(page):
    listed = re.search(r"tried in this order: (.*?), an enhanced object's own", page, re.DOTALL).group(1)
    assert tuple(re.split(r",\s+", listed)) == VOLUME_KEYS


def test_every_picture_is_there(page, repository):
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", page)
    assert len(pictures) == 3
    assert all((repository / "docs" / name).is_file() for name in pictures)
