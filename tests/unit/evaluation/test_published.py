"""Published tables: their shapes and totals, and what their sources found in them."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import (
    adjust,
    auroc,
    bland_altman,
    clustered_proportion,
    compare_auroc,
    compare_proportions,
    compare_segmentation,
    diagnostic_accuracy,
    fleiss_kappa,
    froc_fom,
    icc,
    mcnemar,
    published,
    roc_coordinates,
)

TABLES = {
    name: table
    for name, table in inspect.getmembers(published, inspect.isfunction)
    if table.__module__ == published.__name__ and not name.startswith("_")
}


def _arrays(found: object) -> list[np.ndarray]:
    if isinstance(found, np.ndarray):
        return [found]
    parts = found.values() if isinstance(found, dict) else found if isinstance(found, tuple) else ()
    return [array for part in parts for array in _arrays(part)]


@pytest.mark.parametrize("name", sorted(set(TABLES) - {"chakraborty"}))
def test_arrays_are_as_long_as_each_other_and_cannot_be_written_to(name: str) -> None:
    arrays = _arrays(TABLES[name]())
    assert len({len(array) for array in arrays}) == 1
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_every_table_stands_on_its_page_and_in_no_other_list(repository: Path) -> None:
    page = (repository / "docs" / "api" / "published.rst").read_text(encoding="utf-8")
    assert set(page.split(".. public:: medvision.evaluation.published")[1].split()) == set(TABLES)


def test_every_table_is_held_against_its_source_here() -> None:
    used = {
        node.attr
        for node in ast.walk(ast.parse(Path(__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "published"
    }
    assert set(TABLES) <= used


def test_ratings_of_ct_scans() -> None:
    """Hanley and McNeil 1982: 0.893; Stata's roctab: 0.8932, 0.0307, 0.8330 to 0.9534."""
    labels, ratings = published.hanley_mcneil()
    assert (len(labels), labels.sum(), ratings.min(), ratings.max()) == (109, 51, 1, 5)
    found = auroc(labels, ratings, method="wald")
    assert found.value == pytest.approx(0.893, abs=5e-4)
    assert [found.value, found.standard_error, found.low, found.high] == pytest.approx(
        [0.8932, 0.0307, 0.8330, 0.9534], abs=6e-5
    )
    table = roc_coordinates(labels, ratings)
    assert np.diff(-table.false_positive).tolist() == [33, 6, 6, 11, 2]
    assert np.diff(-table.true_positive).tolist() == [3, 2, 2, 11, 33]


def test_three_tests_before_surgery() -> None:
    """The manual of SAS PROC LOGISTIC: areas 0.7366, 0.7258, 0.6478; errors 0.0927, 0.1028, 0.1000."""
    labels, tests = published.delong()
    assert (len(labels), labels.sum(), list(tests)) == (43, 12, ["albumin", "protein", "score"])
    albumin, protein, score = -tests["albumin"], -tests["protein"], tests["score"]
    areas = [auroc(labels, one, method="wald") for one in (albumin, score, protein)]
    assert [one.value for one in areas] == pytest.approx([0.7366, 0.7258, 0.6478], abs=6e-5)
    assert [one.standard_error for one in areas] == pytest.approx([0.0927, 0.1028, 0.1000], abs=6e-5)
    difference = compare_auroc(labels, albumin, score).difference.value
    assert difference == pytest.approx(areas[0].value - areas[1].value)


def test_responses_before_and_after() -> None:
    """R contingencytables 3.0.0: Tango -0.1240, -0.0054; Newcombe -0.1186, -0.0046; mid-p 0.034690."""
    before, after = published.cavo()
    cells = [int(((before == b) & (after == a)).sum()) for b in (1, 0) for a in (1, 0)]
    assert cells == [59, 6, 16, 80]
    for method, expected in (("tango", (-0.1240, -0.0054)), ("newcombe", (-0.1186, -0.0046))):
        found = compare_proportions(before, after, method=method)
        assert (found.difference.low, found.difference.high) == pytest.approx(expected, abs=6e-5)
        assert found.p == pytest.approx(mcnemar(*cells[1:3]).p) == pytest.approx(0.03469, abs=6e-7)


def test_a_fourfold_table() -> None:
    """The manual of R epiR, epi.tests."""
    labels, results = published.scott()
    found = diagnostic_accuracy(labels, results, resamples=20)
    assert (found.table.tp, found.table.fp, found.table.fn, found.table.tn) == (670, 202, 74, 640)
    shares = [one.value for one in (found.sensitivity, found.specificity, found.ppv, found.npv)]
    assert shares == pytest.approx([0.900538, 0.760095, 0.768349, 0.896359], abs=1e-6)
    ratio = found.lr_positive
    assert [ratio.value, ratio.low, ratio.high] == pytest.approx([3.753726, 3.320688, 4.243235], abs=2e-6)


@pytest.mark.parametrize(
    ("group", "pups", "lived", "effect"), [("control", 158, 142, 1.232495), ("treated", 145, 112, 3.952861)]
)
def test_litters(group: str, pups: int, lived: int, effect: float) -> None:
    """Rao and Scott 1992, table 1."""
    alive, litters = published.weil(group)
    assert (len(alive), alive.sum(), len(np.unique(litters))) == (pups, lived, 16)
    assert clustered_proportion(alive, litters).design_effect == pytest.approx(effect, abs=5e-7)


def test_no_other_group_of_litters() -> None:
    with pytest.raises(EvaluationError, match="did you mean 'treated'"):
        published.weil("treatd")  # type: ignore[arg-type] # a misspelling is what is tested


def test_peak_flow() -> None:
    """Bland and Altman 1986: -2.1 and 38.8 l/min."""
    found = bland_altman(*published.pefr())
    assert found.bias.n_units == 17
    assert [found.bias.value, found.standard_deviation] == pytest.approx([-2.1, 38.8], abs=0.05)


def test_judges() -> None:
    """Shrout and Fleiss 1979, table 4."""
    ratings = published.shrout_fleiss()
    assert (ratings.shape, ratings.sum()) == ((6, 4), 127)
    found = [icc(ratings, form=form).value for form in ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")]
    assert found == pytest.approx([0.17, 0.29, 0.71, 0.44, 0.62, 0.91], abs=6e-3)


def test_fourteen_raters() -> None:
    """Wikipedia, Fleiss' kappa: 0.210; each row has 14 ratings."""
    counts = published.fleiss()
    assert counts.sum(axis=1).tolist() == [14] * 10
    assert fleiss_kappa(counts).value == pytest.approx(0.210, abs=5e-4)


def test_depression_scores() -> None:
    """R's wilcox.test on the scores of Hollander and Wolfe: p 0.0390625; 0.46, 0.010 to 0.786."""
    found = compare_segmentation(*published.depression(), resamples=20)
    centre = found.hodges_lehmann
    assert found.p == pytest.approx(0.0390625, abs=1e-12)
    assert [centre.value, centre.low, centre.high] == pytest.approx([0.46, 0.010, 0.786], abs=1e-9)


def test_fifteen_p_values() -> None:
    """Benjamini and Hochberg 1995, section 3.2: 4 rejected, and 3 by Bonferroni's and its relatives."""
    p = published.benjamini_hochberg()
    assert len(p) == 15
    assert (np.diff(p) > 0).all()
    assert [int((adjust(p, method=method) <= 0.05).sum()) for method in ("bh", "holm")] == [4, 3]


def test_marks_on_eight_cases() -> None:
    """The RJafroc FROC Book: AFROC 18.5 of 24 pairs, wAFROC 0.678125."""
    marks, lesions, cases = published.chakraborty()
    assert lesions.groupby("case_id")["weight"].sum().tolist() == pytest.approx([1] * 4)
    found = [froc_fom(marks, lesions, cases=cases, fom=fom).value for fom in ("AFROC", "wAFROC")]
    assert found == pytest.approx([18.5 / 24, 0.678125], abs=1e-12)
