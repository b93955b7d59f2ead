"""Differences with interval and p."""

from medvision.reporting.contents import read_run
from medvision.reporting.tables.comparison import comparison_table


def test_one_row_a_comparison(classification):
    table = comparison_table(classification)
    assert table.rows == (
        (
            "image − diameter", "AUC", "+0.021 (95% CI −0.004 to 0.047)", "1.66", "<0.001", "0.097",
            "78 nodules of 40 patients", "z test; paired influence functions",
        ),
    )  # fmt: skip


def test_nothing_to_compare(segmentation):
    assert comparison_table(segmentation) is None


def test_an_undefined_test_says_so(changed, classification_run):
    def undo(results):
        results["comparisons"][0].update(p=None, p_adjusted=None, statistic=None)

    (cells,) = comparison_table(read_run(changed(classification_run, results=undo))).rows
    assert cells[3:6] == ("undefined", "undefined", "undefined")


def test_a_single_test_that_was_not_adjusted_says_so(changed, classification_run):
    def undo(results):
        results["comparisons"][0]["p_adjusted"] = None

    (cells,) = comparison_table(read_run(changed(classification_run, results=undo))).rows
    assert cells[4:6] == ("<0.001", "not adjusted")
