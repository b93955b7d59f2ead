"""Counts and row percentages of the two-by-two table."""

from medvision.reporting.consistency import confusion_counts
from medvision.reporting.contents import read_run
from medvision.reporting.figures.confusion import confusion_figure


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_one_panel_a_model_with_counts_and_row_percentages(classification):
    figure = confusion_figure(classification).figure
    assert [axes.get_title() for axes in figure.axes] == ["image", "diameter"]
    n = confusion_counts(classification.predictions, "image")
    well, ill = n["tn"] + n["fp"], n["tp"] + n["fn"]
    assert texts(figure.axes[0]) == [
        str(n["tn"]), f"{100 * n['tn'] / well:.1f}%", str(n["fp"]), f"{100 * n['fp'] / well:.1f}%",
        str(n["fn"]), f"{100 * n['fn'] / ill:.1f}%", str(n["tp"]), f"{100 * n['tp'] / ill:.1f}%",
    ]  # fmt: skip


def test_rows_are_the_reference_and_columns_the_calls(classification):
    axes = confusion_figure(classification).figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Called by the model", "Reference standard")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["not malignant", "malignant"]


def test_a_class_without_cases_has_no_percentage(changed, classification_run):
    def empty(results):
        results["confusion"] = {"image": {"tp": 0, "fn": 0, "fp": 1, "tn": 3}}

    figure = confusion_figure(read_run(changed(classification_run, results=empty)))
    assert texts(figure.figure.axes[0])[4:] == ["0", "no cases", "0", "no cases"]
