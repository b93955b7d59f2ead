"""The performance table shows every estimate with interval, sample and method, and no other number."""

from medvision.reporting.contents import read_run
from medvision.reporting.tables.performance import (
    estimates_table,
    fold_results_table,
    performance_table,
)


def test_the_fold_averaged_area_stands_first_and_the_pooled_one_is_labelled(classification):
    firsts = [cells[0] for cells in performance_table(classification).rows]
    assert firsts[:4] == ["Fold-averaged", "  AUC", "Pooled out-of-fold", "  AUC"]


def test_cells_are_the_estimates_of_results_json(classification):
    table = performance_table(classification)
    assert table.columns == ("Measure", "image", "diameter", "Sample", "Interval")
    pooled = {e.model: e for e in classification.select(metric="sensitivity")}
    cells = next(cells for cells in table.rows if cells[0] == "  Sensitivity")
    for cell, model in zip(cells[1:3], ("image", "diameter"), strict=True):
        e = pooled[model]
        assert cell == f"{100 * e.value:.1f}% ({100 * e.low:.1f}–{100 * e.high:.1f})"
    assert cells[3] == f"{pooled['image'].n_units} nodules of {pooled['image'].n_patients} patients"
    assert cells[4] == "logit-t, clustered"


def test_samples_that_differ_are_told_apart(classification):
    cells = next(cells for cells in performance_table(classification).rows if cells[0] == "  PPV")
    assert cells[3].startswith("image: 26 nodules of ")
    assert "; diameter: 23 nodules of " in cells[3]


def test_undefined_and_missing_are_two_things(classification):
    cells = next(cells for cells in performance_table(classification).rows if cells[0] == "  LR+")
    assert cells[1:3] == ("not estimated", "undefined (no units in the denominator)")


def test_a_number_to_be_read_with_care_has_a_dagger_and_a_note(changed, classification_run):
    def flag(results):
        results["estimates"][0]["status"] = "degenerate_variance"

    table = performance_table(read_run(changed(classification_run, results=flag)))
    assert table.rows[1][1].endswith(" †")
    assert "† AUC of image, fold-averaged: no variance that an interval could rest on." in table.notes


def test_the_prevalence_of_an_enriched_sample_is_stated(changed, edited_study, classification_run):
    folder = changed(classification_run)
    edited_study(folder, lambda study: study["cohort"].update(sampling="enriched", prevalence=0.05))
    assert any(
        "PPV and NPV refer to a prevalence of 5%" in note
        for note in performance_table(read_run(folder)).notes
    )


def test_folds_have_their_own_table(classification):
    table = fold_results_table(classification)
    assert table.columns == ("Model", "Measure", "Fold 0", "Fold 1", "Fold 2")
    single = {(e.model, e.fold): e for e in classification.estimates if e.fold is not None}
    for cells in table.rows:
        for fold in range(3):
            assert cells[2 + fold].startswith(f"{single[cells[0], fold].value:.3f} (")


def test_without_single_folds_there_is_no_such_table(segmentation):
    assert fold_results_table(segmentation) is None


def test_every_estimate_is_listed_once(classification, segmentation):
    for contents in (classification, segmentation):
        table = estimates_table(contents)
        assert len(table.rows) == len(contents.estimates)
        numbers = [cells[6] for cells in table.rows]
        assert numbers == ["NaN" if not e.defined else f"{e.value:.6g}" for e in contents.estimates]
