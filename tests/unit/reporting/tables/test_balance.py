"""The balance of the parts."""

from __future__ import annotations

import pandas as pd
import pytest

from medvision.cohort import standardised_difference
from medvision.reporting.contents import read_run
from medvision.reporting.tables.balance import Sides, balance_summary, balance_table
from medvision.reporting.tables.cohort import part_balance_table


@pytest.fixture
def part():
    train = pd.DataFrame({"patient_id": list("aabc"), "label": [1, 0, 0, 1], "age": [50, 50, 60, 71],
                          "site": list("xxyz")})  # fmt: skip
    test = pd.DataFrame({"patient_id": list("de"), "label": [1, 0], "age": [40, None], "site": ["x", "w"]})
    return Sides("Fold 0", train, test)


def test_each_part_has_its_counts_and_every_column_with_its_difference(part):
    table = balance_table([part, part], ["age", "site"], unit="nodule", positive="malignant")
    rows = table.rows[: len(table.rows) // 2]
    assert rows[0] == ("Fold 0", "", "", "")
    assert rows[1] == ("Patients, n", "3", "2", "—")
    assert rows[2] == ("Nodules, n", "4", "2", "—")
    assert rows[3] == ("malignant, n (%)", "2 (50.0%)", "1 (50.0%)", "0.00")
    age = standardised_difference(part.test["age"], part.train["age"])
    assert rows[4] == (
        "Age, median [IQR]",
        "55.0 [50.0–62.8]",
        "40.0 [40.0–40.0]",
        f"{age:.2f}".replace("-", "−"),
    )
    assert rows[5] == ("  missing, n", "0", "1", "—")
    # A value that only the test part has stands there too.
    assert ("  w", "0 (0.0%)", "1 (50.0%)", "—") in rows
    assert "Austin" in table.notes[-1]


def test_the_summary_names_the_largest_difference(part):
    row = balance_summary([part], ["age", "site"], unit="nodule", positive="malignant").rows[0]
    assert row[:7] == ("Fold 0", "3", "4", "2 (50.0%)", "2", "2", "1 (50.0%)")
    assert row[7].endswith("(Age)")
    assert balance_summary([part], [], unit="nodule", positive=None).rows[0][-1] == "—"


def test_what_does_not_vary_is_undefined_and_never_zero(part):
    constant = Sides("Fold 0", part.train.assign(age=1), part.test.assign(age=2))
    assert (
        balance_table([constant], ["age"], unit="scan", positive=None).rows[3][3] == "undefined (no variance)"
    )
    assert balance_summary([constant], ["age"], unit="scan", positive=None).rows[0][-1] == "undefined (Age)"


def test_a_run_has_every_fold_of_the_first_repeat(classification, make_classification_run, tmp_path):
    table = part_balance_table(classification)
    titles = [row[0] for row in table.rows if not any(row[1:])]
    assert titles == [f"Fold {fold}" for _, fold in classification.parts]
    part, cohort = classification.split_parts[0], classification.cohort.set_index("case_id")
    ages = [cohort.loc[list(cases), "diameter_mm"] for cases in (part.test, part.train)]
    (row,) = [row for row in table.rows[: len(table.rows) // len(titles)] if row[0].startswith("Diameter")]
    assert row[3] == f"{standardised_difference(*ages):.2f}".replace("-", "−")
    repeated = read_run(make_classification_run(tmp_path / "repeated", repeats=2))
    assert "first repeat" in part_balance_table(repeated).notes[0]
