"""Table 1 against an independent count of the cohort."""

import numpy as np
import pandas as pd

from medvision.reporting.contents import read_run
from medvision.reporting.tables.cohort import cohort_table, fold_balance_table, split_table


def row(table, first):
    return next(cells[1:] for cells in table.rows if cells[0] == first)


def test_counts_by_class(classification, classification_run):
    cohort = pd.read_parquet(classification_run / "cohort.parquet")
    table = cohort_table(classification)
    ill, well = cohort[cohort.label == 1], cohort[cohort.label == 0]
    expected = [f"{name} (n = {len(part)})" for name, part in
                (("All", cohort), ("malignant", ill), ("not malignant", well))]  # fmt: skip
    assert list(table.columns[1:]) == expected
    groups = (cohort, ill, well)
    assert row(table, "Patients, n") == tuple(str(part.patient_id.nunique()) for part in groups)
    assert row(table, "Nodules, n") == tuple(str(len(part)) for part in groups)
    women = tuple(
        f"{(part.sex == 'female').sum()} ({100 * (part.sex == 'female').mean():.1f}%)" for part in groups
    )
    assert row(table, "  female") == women


def test_medians_by_class(classification, classification_run):
    cohort = pd.read_parquet(classification_run / "cohort.parquet")
    cells = []
    for part in (cohort, cohort[cohort.label == 1], cohort[cohort.label == 0]):
        low, middle, high = np.percentile(part.diameter_mm, [25, 50, 75])
        cells.append(f"{middle:.1f} [{low:.1f}–{high:.1f}]")
    assert row(cohort_table(classification), "Diameter, mm, median [IQR]") == tuple(cells)


def test_missing_values_stand_below_their_variable(classification, classification_run):
    cohort = pd.read_parquet(classification_run / "cohort.parquet")
    table = cohort_table(classification)
    names = [cells[0] for cells in table.rows]
    assert names[names.index("Age, years, median [IQR]") + 1] == "  missing, n"
    by_class = cohort.age_years.isna().groupby(cohort.label).sum()
    assert row(table, "  missing, n") == ("3", str(by_class[1]), str(by_class[0]))
    assert names.count("  missing, n") == 1


def test_patients_of_both_classes_are_named(classification, classification_run):
    cohort = pd.read_parquet(classification_run / "cohort.parquet")
    both = (cohort.groupby("patient_id").label.nunique() == 2).sum()
    assert any(note.startswith(f"{both} patients have nodules of both classes") for note in
               cohort_table(classification).notes)  # fmt: skip


def test_an_enriched_sample_is_marked(changed, edited_study, classification_run):
    folder = changed(classification_run)
    edited_study(folder, lambda study: study["cohort"].update(sampling="enriched"))
    assert any("is not a prevalence" in note for note in cohort_table(read_run(folder)).notes)


def test_a_segmentation_has_one_column_and_the_volumes(segmentation, segmentation_run):
    table = cohort_table(segmentation)
    assert table.columns == ("Characteristic", "All (n = 15)")
    scores = pd.read_parquet(segmentation_run / "segmentation.parquet")
    volumes = scores[scores.structure == "posterior"].volume_reference_ml
    low, middle, high = np.percentile(volumes, [25, 50, 75])
    assert row(table, "Reference volume of posterior, ml, median [IQR]") == (
        f"{middle:.2f} [{low:.2f}–{high:.2f}]",
    )


def test_folds_add_up_to_the_cohort(classification):
    table = fold_balance_table(classification)
    assert table.columns[0:2] == ("Characteristic", "All (n = 78)")
    counts = [int(cell) for cell in row(table, "Nodules, n")]
    assert counts[0] == sum(counts[1:]) == 78
    patients = [int(cell) for cell in row(table, "Patients, n")]
    assert patients[0] == sum(patients[1:]) == 40  # nobody is in two folds
    ill = [int(cell.split()[0]) for cell in row(table, "malignant, n (%)")]
    assert ill[0] == sum(ill[1:]) == 21


def test_split_counts_both_parts(classification):
    table = split_table(classification)
    for cells, part in zip(table.rows, classification.split_parts, strict=True):
        assert cells[:2] == (str(part.repeat), str(part.fold))
        assert (cells[3], cells[6]) == (str(len(part.train)), str(len(part.test)))
        assert int(cells[2]) + int(cells[5]) == 40


def test_repeats_have_their_own_rows(make_classification_run, tmp_path):
    contents = read_run(make_classification_run(tmp_path / "twice", patients=12, repeats=2))
    assert [cells[:2] for cells in split_table(contents).rows] == [
        (str(repeat), str(fold)) for repeat in range(2) for fold in range(3)
    ]
    assert len(fold_balance_table(contents).columns) == 5
    assert "of repeat 0" in fold_balance_table(contents).notes[0]
