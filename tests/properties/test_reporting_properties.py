"""What must hold for every table, number, picture and curve of a report."""

from __future__ import annotations

import csv
import io
import itertools
import re

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from medvision.imaging import Geometry, Volume, reorient
from medvision.reporting.estimates import ReportedEstimate
from medvision.reporting.figures.curves import mean_roc, roc_points
from medvision.reporting.figures.slices import cut_slice
from medvision.reporting.tables.latex import escape_latex
from medvision.reporting.tables.table import Table
from medvision.reporting.wording import print_estimate, print_p

# Carriage returns and other controls are no part of a cell: a table holds lines of text.
words = st.text(st.characters(blacklist_categories=("Cc", "Cs")), max_size=12)
cells = st.lists(st.tuples(words, words, words), min_size=1, max_size=5)


@given(cells)
def test_csv_gives_back_what_went_in(rows):
    table = Table("t", "T", ("a", "b", "c"), tuple(rows))
    assert [tuple(row) for row in csv.reader(io.StringIO(table.to_csv()))][1:] == list(rows)


@given(cells)
def test_markdown_never_gains_or_loses_a_column(rows):
    lines = Table("t", "T", ("a", "b", "c"), tuple(rows)).to_markdown().splitlines()
    piped = [line for line in lines if line.startswith("| ")]
    assert len(piped) == len(rows) + 2
    # A bar counts unless an odd number of backslashes stands before it.
    assert {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in piped} == {4}


@given(cells)
def test_html_never_lets_a_cell_become_markup(rows):
    text = str(Table("t", "T", ("a", "b", "c"), tuple(rows)).to_html())
    tags = set(re.findall(r"</?([^\s>/]+)", text))
    assert tags <= {"div", "table", "caption", "thead", "tbody", "tr", "th", "td"}


@given(words)
def test_latex_leaves_no_active_character(text):
    escaped = escape_latex(text)
    harmless = re.sub(r"\\[{}$&#_%]|\\[A-Za-z]+(\d+)?(\{\})?|\$[^$]*\$|\{[\[*]\}", "", escaped)
    assert not set(harmless) & set("\\{}$&#_%^")
    assert not escaped.startswith(("[", "*"))


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from(["auroc", "sensitivity", "dice"]))
def test_a_printed_estimate_is_the_estimate(a, b, c, metric):
    low, value, high = sorted((a, b, c))
    printed = print_estimate(ReportedEstimate(value, low, high, 0.95, "m", 9, 9, metric=metric))
    percent = metric == "sensitivity"
    numbers = [float(text) for text in re.findall(r"\d+\.\d+", printed)]
    scale, half = (100, 0.05) if percent else (1, 0.0005)
    assert np.allclose(numbers, [scale * value, scale * low, scale * high], atol=half + 1e-9)
    assert numbers[1] <= numbers[0] <= numbers[2]


@given(st.floats(0, 1))
def test_a_p_value_is_never_printed_as_zero_or_one(p):
    assert print_p(p) not in ("0.000", "1.000", "0", "1")


@given(
    st.permutations([0, 1, 2]),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
    st.integers(0, 1000),
)
def test_a_picture_does_not_depend_on_how_the_file_is_stored(order, flips, seed):
    rng = np.random.default_rng(seed)
    array = rng.normal(size=(7, 6, 5))
    mask = (rng.random(array.shape) > 0.8).astype(int)
    affine = np.diag([0.7, 0.7, 1.0, 1.0])
    straight = cut_slice(Volume(array, Geometry(array.shape, affine)), {"reference": mask}, ("reference",))

    def stored(values):
        axes = [axis for axis, flipped in enumerate(flips) if flipped]
        moved = np.flip(values, axes).transpose(order)
        frame = affine.copy()
        for axis in axes:
            frame[:3, 3] += affine[:3, axis] * (values.shape[axis] - 1)
            frame[:3, axis] = -affine[:3, axis]
        frame[:3, :3] = frame[:3, :3][:, order]
        return Volume(moved, Geometry(moved.shape, frame))

    volume, reference = reorient(stored(array), "RAS"), reorient(stored(mask), "RAS")
    again = cut_slice(volume, {"reference": reference.array}, ("reference",))
    np.testing.assert_array_equal(again.image, straight.image)
    np.testing.assert_array_equal(again.masks["reference"], straight.masks["reference"])
    assert again.position == straight.position


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=4, max_size=40))
def test_curves_rise_from_corner_to_corner(pairs):
    labels, scores = np.array([p[0] for p in pairs]), np.array([float(p[1]) for p in pairs])
    if len(set(labels.tolist())) < 2:
        return
    false, true = roc_points(labels, scores)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert (np.diff(false) >= 0).all()
    assert (np.diff(true) >= 0).all()


@given(st.integers(0, 500))
def test_the_band_does_not_change_under_a_rising_transform(seed):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"label": rng.integers(0, 2, 30), "score": rng.normal(size=30).round(1)})
    table["patient_id"] = [f"p{n // 2}" for n in range(30)]
    table["repeat"], table["fold"] = 0, [n // 2 % 3 for n in range(30)]
    bands = [
        mean_roc(table.assign(score=score), "image", level=0.95, resamples=40, seed=1)
        for score in (table.score, np.exp(3 * table.score))
    ]
    if bands[0] is None:
        assert bands[1] is None
        return
    for one, other in itertools.pairwise(bands):
        np.testing.assert_allclose(one.mean, other.mean)
        np.testing.assert_allclose(one.low, other.low)
