"""The segmentation table against the scores of each case."""

import numpy as np
import pandas as pd

from medvision.reporting.contents import read_run
from medvision.reporting.tables.segmentation import case_values, empty_masks, segmentation_table


def block(table, structure):
    """The rows below the heading of a structure."""
    names = [cells[0] for cells in table.rows]
    start = names.index(structure) + 1
    end = next((n for n in range(start, len(names)) if not names[n].startswith("  ")), len(names))
    return {cells[0].strip(): cells[1:] for cells in table.rows[start:end]}


def test_means_medians_and_quartiles(segmentation, segmentation_run):
    scores = pd.read_parquet(segmentation_run / "segmentation.parquet")
    found = block(segmentation_table(segmentation), "anterior")
    dice = scores[scores.structure == "anterior"].dice
    assert found["Dice"][0].startswith(f"{dice.mean():.3f} (")
    assert found["Dice"][1].startswith(f"{dice.median():.3f} (")
    low, high = np.percentile(dice, [25, 75])
    assert found["Dice"][2] == f"{low:.3f}–{high:.3f}"
    assert found["Dice"][3:] == ("15 scans of 15 patients", "0", "bootstrap of patients, percentile")


def test_undefined_cases_are_counted_not_lost(segmentation, segmentation_run):
    scores = pd.read_parquet(segmentation_run / "segmentation.parquet")
    posterior = scores[scores.structure == "posterior"]
    found = block(segmentation_table(segmentation), "posterior")
    assert posterior.dice.isna().sum() == 1
    assert posterior.hd95_mm.isna().sum() == 2
    assert (found["Dice"][4], found["HD95"][4]) == ("1", "2")


def test_empty_masks_are_told_apart(segmentation):
    (sentence,) = empty_masks(segmentation)
    assert sentence.startswith(
        "posterior: missed altogether in 1 scan, outlined where the reference has none in 0"
    )
    assert "absent in reference and prediction in 1 scan" in sentence


def test_units_are_printed(segmentation):
    found = block(segmentation_table(segmentation), "anterior")
    assert " mm (" in found["HD95"][0]
    assert found["HD95"][2].endswith(" mm")
    assert " ml (" in found["Volume error"][0]
    assert any("NSD tolerance 1.0 mm" in note for note in segmentation_table(segmentation).notes)


def test_repeats_are_averaged_for_each_case_first(make_segmentation_run, tmp_path):
    contents = read_run(make_segmentation_run(tmp_path / "twice", patients=6, repeats=2))
    scores = contents.segmentation
    values = case_values(scores, "anterior", "dice")
    assert len(values) == 6
    one = scores[(scores.structure == "anterior") & (scores.case_id == "hippo_002")].dice
    assert len(one) == 2
    assert values["hippo_002"] == one.mean()
    assert any("predicted 2 times" in note for note in segmentation_table(contents).notes)


def test_a_metric_without_an_interval_says_so(changed, segmentation_run):
    def strip(results):
        results["estimates"][0].update(low=None, high=None)

    found = block(segmentation_table(read_run(changed(segmentation_run, results=strip))), "anterior")
    assert found["Dice"][0].endswith("(no interval)")


def test_an_estimate_over_all_structures_has_its_own_block(changed, segmentation_run):
    def add(results):
        results["estimates"].append({**results["estimates"][0], "structure": None, "value": 0.777})

    found = block(segmentation_table(read_run(changed(segmentation_run, results=add))), "All structures")
    assert found["Dice"][0].startswith("0.777")


def test_the_mean_over_structures_says_that_it_is_within_patients_first(changed, segmentation_run):
    def add(results):
        for first, name in zip(results["estimates"][:2], ("mean", "median"), strict=True):
            own = {"structure": None, "aggregation": f"{name} over patients", "value": 0.777, "high": 0.9}
            results["estimates"].append({**first, **own})

    table = segmentation_table(read_run(changed(segmentation_run, results=add)))
    assert all(cell.startswith("0.777") for cell in block(table, "All structures")["Dice"][:2])
    assert any("first the mean over the structures that have a value in a patient" in n for n in table.notes)
