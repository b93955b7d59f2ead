"""Which cases are shown, and what is written above them."""

import pandas as pd

from medvision.reporting.contents import read_run
from medvision.reporting.figures.montage import classification_panels, montage_figure, segmentation_panels


def mean_dice(folder):
    scores = pd.read_parquet(folder / "segmentation.parquet")
    return scores.pivot_table(index="case_id", columns="structure", values="dice").mean(axis=1)


def test_worst_median_and_best(segmentation, segmentation_run):
    groups = segmentation_panels(segmentation)
    ranked = mean_dice(segmentation_run).sort_index().sort_values(kind="stable")
    chosen = {name: [panel.case_id for panel in panels] for name, panels in groups.items()}
    assert chosen["Worst"] == list(ranked.index[:3])
    assert chosen["Best"] == list(ranked.index[-3:][::-1])
    assert chosen["Median"] == list(ranked.index[6:9])


def test_no_case_stands_twice_however_few_there_are(make_segmentation_run, tmp_path):
    for patients in (3, 4, 5):
        contents = read_run(make_segmentation_run(tmp_path / str(patients), patients=patients))
        shown = [panel.case_id for panels in segmentation_panels(contents).values() for panel in panels]
        assert len(shown) == len(set(shown)) >= 3


def test_titles_have_the_dice_of_each_structure(segmentation, segmentation_run):
    scores = (
        pd.read_parquet(segmentation_run / "segmentation.parquet").set_index(["case_id", "structure"]).dice
    )
    for panel in segmentation_panels(segmentation)["Worst"]:
        one, two = scores[panel.case_id, "anterior"], scores[panel.case_id, "posterior"]
        assert panel.text == f"Dice anterior {one:.2f}, posterior {two:.2f}"
        assert set(panel.masks) == {"reference", "prediction"}


def test_wrong_calls_come_first_and_the_most_confident_first(classification):
    groups = classification_panels(classification)
    table = classification.predictions.set_index("case_id")
    headings = list(groups)
    assert headings[0].startswith("Missed: malignant,\ncalled not malignant")
    assert headings[1].startswith("False alarm")
    wrong = table[(table.label == 0) & (table.prediction == 1)]
    assert f"(n = {len(wrong)})" in headings[1]
    distance = (wrong.score - wrong.threshold).abs().sort_values(ascending=False)
    assert [panel.case_id for panel in groups[headings[1]]] == list(distance.index[:3])


def test_panels_say_score_and_threshold(classification):
    table = classification.predictions.set_index("case_id")
    for heading, panels in classification_panels(classification).items():
        for panel in panels:
            row = table.loc[panel.case_id]
            sign = "≥" if row.prediction == 1 else "<"
            assert panel.text == f"score {row.score:.2f} {sign} {row.threshold:.2f}"
            assert (row.label == row.prediction) == heading.startswith("Right")


def test_images_that_are_gone_leave_a_note_not_an_error(changed, classification_run):
    folder = changed(classification_run)
    cohort = pd.read_parquet(folder / "cohort.parquet")
    shown = [p.case_id for panels in classification_panels(read_run(folder)).values() for p in panels]
    cohort.loc[cohort.case_id == shown[0], "image"] = "gone.nii.gz"
    cohort.to_parquet(folder / "cohort.parquet")
    figure = montage_figure(read_run(folder)).figure
    assert "image not found" in [text.get_text() for axes in figure.axes for text in axes.texts]
    cohort.drop(columns=["image"]).to_parquet(folder / "cohort.parquet")
    assert montage_figure(read_run(folder)) is None


def test_an_image_that_cannot_be_read_leaves_a_note(changed, classification_run):
    folder = changed(classification_run)
    contents = read_run(folder)
    first = next(iter(classification_panels(contents).values()))[0]
    (folder / "broken.nii.gz").write_bytes(b"nothing")
    cohort = pd.read_parquet(folder / "cohort.parquet")
    cohort.loc[cohort.case_id == first.case_id, "image"] = "broken.nii.gz"  # found beside the run
    cohort.to_parquet(folder / "cohort.parquet")
    texts = [text.get_text() for axes in montage_figure(read_run(folder)).figure.axes for text in axes.texts]
    assert any(text.startswith("cannot be shown:") for text in texts)


def test_without_masks_the_middle_slice_is_shown(changed, classification_run):
    folder = changed(classification_run)
    pd.read_parquet(folder / "cohort.parquet").drop(columns="mask").to_parquet(folder / "cohort.parquet")
    labels = [axes.get_xlabel() for axes in montage_figure(read_run(folder)).figure.axes]
    assert "axial, slice 8 of 14 from inferior" in labels


def test_the_caption_states_convention_and_window(classification, segmentation):
    assert "patient's right is on the left" in montage_figure(classification).caption
    assert "−1000 to 400 HU" in montage_figure(classification).caption
    assert "percentile of each slice" in montage_figure(segmentation).caption
