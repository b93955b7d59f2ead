"""Every operating point with what it was fitted on."""

import json

import pytest

from medvision.reporting.contents import read_run
from medvision.reporting.tables.thresholds import thresholds_table


def test_one_row_a_fold_and_model(classification):
    table = thresholds_table(classification)
    assert len(table.rows) == 6
    assert table.rows[0] == (
        "0", "0", "image", "0.45", "largest Youden index", "inner out-of-fold scores of the training part",
        "50 nodules of 27 patients", "91.0%", "84.0%",
    )  # fmt: skip


def test_a_segmentation_has_none(segmentation):
    assert thresholds_table(segmentation) is None


@pytest.mark.parametrize(
    ("fitted_on", "stamped"),
    [
        ("the test part", True), ("all cases", True), ("evaluated data", True),
        ("out-of-fold scores of the training part", False), ("inner folds, not the test part", False),
    ],
)  # fmt: skip
def test_a_threshold_fitted_on_the_evaluated_cases_is_stamped(
    changed, classification_run, fitted_on, stamped
):
    folder = changed(classification_run)
    path = folder / "folds" / "0-1" / "threshold.json"
    content = json.loads(path.read_text())
    content["models"]["image"]["fitted_on"] = fitted_on
    path.write_text(json.dumps(content))
    cells = next(c for c in thresholds_table(read_run(folder)).rows if c[1:3] == ("1", "image"))
    assert ("OPTIMISTIC" in cells[5]) is stamped


def test_a_threshold_that_no_score_reaches_is_not_a_number(changed, classification_run):
    folder = changed(classification_run)
    path = folder / "folds" / "0-0" / "threshold.json"
    content = json.loads(path.read_text())
    content["models"]["image"].update(threshold=None, sensitivity=None)
    path.write_text(json.dumps(content))
    cells = thresholds_table(read_run(folder)).rows[0]
    assert cells[3] == "undefined (no finite threshold)"
    assert cells[7] == "undefined (not recorded)"
