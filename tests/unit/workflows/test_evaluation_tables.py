import numpy as np
import pandas as pd

from medvision.workflows.evaluate import evaluate
from medvision.workflows.evaluation_tables import evaluation_table, evaluation_tables


def predictions(n=120, seed=1):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    return pd.DataFrame(
        {
            "label": labels,
            "score": rng.normal(size=n) + labels,
            "patient": np.arange(n) // 2,
            "sex": rng.choice(["F", "M"], n),
            "site": np.where(np.arange(n) < 4, "small", "large"),
        }
    )


def test_a_column_that_says_the_same_everywhere_is_left_out():
    found = evaluate(predictions(), label="label", score="score", threshold=0.5)
    assert evaluation_table(found).columns == ("Measure", "Estimate", "Units", "Method")
    clustered = evaluate(predictions(), label="label", score="score", patient="patient")
    assert "Patients" in evaluation_table(clustered).columns
    folds = predictions().assign(fold=np.arange(120) // 60)
    assert "Group" in evaluation_table(evaluate(folds, label="label", score="score", fold="fold")).columns


def test_estimates_are_printed_as_in_a_report():
    found = evaluate(predictions(), label="label", score="score", threshold=0.5)
    rows = {row[0]: row[1] for row in evaluation_table(found).rows}
    record = next(one for one in found.estimates if one["metric"] == "sensitivity")
    low, high = (100 * record[key] for key in ("low", "high"))
    assert rows["Sensitivity"] == f"{100 * record['value']:.1f}% (95% CI {low:.1f}–{high:.1f})"


def test_a_dagger_has_its_reason_below_and_is_there_for_nothing_else():
    found = evaluate(predictions(), label="label", score="score", threshold_rule="youden")
    table = evaluation_table(found)
    marked = {row[0] for row in table.rows if row[1].endswith("†")}
    assert "Sensitivity" in marked
    assert "AUC" not in marked
    (note,) = (note for note in table.notes if note.startswith("†"))
    assert note.startswith("† optimistic threshold chosen on the same cases: Sensitivity, ")


def test_holms_family_counts_only_covariates_that_were_tested():
    found = evaluate(predictions(), label="label", score="score", by=["sex", "site"])
    tested = next(note for note in found.notes if note.startswith("sex: test that AUC"))
    assert "Holm" not in tested
    assert any(note.startswith("site: AUC cannot be tested") for note in found.notes)
    assert evaluation_tables(found)[1].columns == ("Group", "AUC")
