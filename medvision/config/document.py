"""From YAML text to a tree in which everything knows where it stands."""

from __future__ import annotations

from dataclasses import replace

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from medvision.config.problem import KeyPath, Problem, Where
from medvision.config.tree import Scalar, Tree

_STANDARD = "tag:yaml.org,2002:"
# Text to a person, though YAML libraries know more: a date, the old keys `<<` and `=`.
_TEXT = {_STANDARD + name for name in ("str", "timestamp", "merge", "value")}
_VALUES = {_STANDARD + name for name in ("int", "float", "bool", "null")}
# A study has some hundred values; aliases within aliases can grow to any number of them.
_MOST_VALUES = 20_000

_PLAINER = {
    "mapping values are not allowed here": "a second ':', or a line indented unlike its neighbours",
    "found character '\\t' that cannot start any token": "a tab; indent with spaces",
    "expected a single document in the stream": "a second document after '---'; a file holds one study",
}


def parse(text: str, source: str) -> tuple[Tree | None, list[Problem]]:
    r"""Read one YAML 1.2 document.

    Args:
        text: The document.
        source: Its name for messages.

    Returns:
        The tree (None where there is no document or it cannot be read) and what is wrong with it:
        a syntax error, or every key that stands twice and every tag.

    Example:
        >>> tree, problems = parse("epochs: 5\nepochs: 1e-4", "a.yaml")
        >>> tree.plain(), str(problems[0])
        ({'epochs': 0.0001}, 'a.yaml:2:1: epochs: this key stands here twice; the first is at a.yaml:1:1')
    """
    # Pure Python: the C scanner reads YAML 1.1 only, in which `no` is False.
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(text)
    except MarkedYAMLError as error:
        return None, [_syntax_problem(error, source)]
    except YAMLError as error:
        return None, [Problem(Where(source, 1, 1), (), f"not YAML: {' '.join(str(error).split())}")]
    if node is None:
        return None, []
    builder = _Builder(yaml, source)
    tree = builder.build(node, (), ())
    return tree, builder.problems


def _syntax_problem(error: MarkedYAMLError, source: str) -> Problem:
    said = str(error.problem or error.context)
    found = _PLAINER.get(str(error.context), _PLAINER.get(said, said))
    mark = error.problem_mark or error.context_mark
    where = Where(source, mark.line + 1, mark.column + 1) if mark else Where(source, 1, 1)
    return Problem(where, (), f"not YAML: {found}")


class _Builder:
    """Turns ruamel's nodes into a tree and notes what a study file may not hold."""

    def __init__(self, yaml: YAML, source: str) -> None:
        self._yaml = yaml
        self._source = source
        self._values = 0
        self.problems: list[Problem] = []

    def build(self, node: Node, path: KeyPath, above: tuple[int, ...]) -> Tree:
        where = self._where(node)
        self._values += 1
        if id(node) in above or self._values > _MOST_VALUES:
            if self._values <= _MOST_VALUES + 1:
                self._note(node, path, "an alias that repeats without end; write the value out")
            return Tree(None, where)
        inside = (*above, id(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, path, inside)
        if isinstance(node, SequenceNode):
            self._check_tag(node, path, {_STANDARD + "seq"})
            items = [self.build(item, (*path, i), inside) for i, item in enumerate(node.value)]
            return Tree(items, where)
        return Tree(self._scalar(node, path) if isinstance(node, ScalarNode) else None, where)

    def _mapping(self, node: MappingNode, path: KeyPath, inside: tuple[int, ...]) -> Tree:
        self._check_tag(node, path, {_STANDARD + "map"})
        values: dict[str, Tree] = {}
        keys: dict[str, Where] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._note(key_node, path, "a key must be a word, not a list or a mapping")
                continue
            key = str(key_node.value)
            if key in keys:
                first = keys[key]
                self._note(key_node, (*path, key), f"this key stands here twice; the first is at {first}")
            keys.setdefault(key, self._where(key_node))
            value = self.build(value_node, (*path, key), inside)
            # What is left empty "stands" where the next thing begins; its key says more.
            is_empty = value.value is None and value_node.start_mark.index == value_node.end_mark.index
            values[key] = replace(value, where=self._where(key_node)) if is_empty else value
        return Tree(values, self._where(node), keys)

    def _scalar(self, node: ScalarNode, path: KeyPath) -> Scalar:
        tag = str(node.tag)
        if tag in _TEXT or not self._check_tag(node, path, _VALUES):
            return str(node.value)
        try:
            value = self._yaml.constructor.construct_object(node)
        except (ValueError, YAMLError):
            self._note(node, path, f"{node.value!r} is no {tag.removeprefix(_STANDARD)}")
            return None
        return value if isinstance(value, str | int | float | bool | None) else str(node.value)

    def _check_tag(self, node: Node, path: KeyPath, allowed: set[str]) -> bool:
        tag = str(node.tag)
        if tag not in allowed:
            self._note(
                node, path, f"the tag {tag!r} is not allowed; a study file is plain data and runs no code"
            )
        return tag in allowed

    def _note(self, node: Node, path: KeyPath, message: str) -> None:
        self.problems.append(Problem(self._where(node), path, message))

    def _where(self, node: Node) -> Where:
        return Where(self._source, node.start_mark.line + 1, node.start_mark.column + 1)
