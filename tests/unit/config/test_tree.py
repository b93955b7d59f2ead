"""Places in a document."""

from __future__ import annotations

import pytest

from medvision.config.document import parse
from medvision.config.tree import has, locate, renamed

TEXT = """\
training:
  epochs: 5
  sizes: [16, 32]
names:
  - first: 1
  - second: 2
"""


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ((), "a.yaml:1:1", "a.yaml:1:1"),
        (("training",), "a.yaml:2:3", "a.yaml:1:1"),
        (("training", "epochs"), "a.yaml:2:11", "a.yaml:2:3"),
        (("training", "sizes", 1), "a.yaml:3:15", "a.yaml:3:15"),
        (("names", 1, "second"), "a.yaml:6:13", "a.yaml:6:5"),
        # Not in the document: the key of the nearest thing above.
        (("training", "optimizer", "kind"), "a.yaml:1:1", "a.yaml:1:1"),
        (("training", "sizes", 7), "a.yaml:3:3", "a.yaml:3:3"),
    ],
)
def test_locate(path, value, key):
    tree, _ = parse(TEXT, "a.yaml")
    assert str(locate(tree, path)) == value
    assert str(locate(tree, path, key=True)) == key


def test_has_and_renamed():
    tree, _ = parse(TEXT, "a.yaml")
    assert has(tree, ("names", 1, "second"))
    other = renamed(
        tree, {("names", 1, "second"): None, ("names", 0, "first"): "one", ("training",): "names"}
    )
    assert other.plain() == {"names": [{"one": 1}, {}]}
    assert not has(other, ("training", "epochs"))
