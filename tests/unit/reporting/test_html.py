"""The page: everything in it, nothing from outside, and text stays text."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from medvision.reporting.contents import read_run
from medvision.reporting.html import headlines, render_report
from medvision.reporting.wording import print_estimate


class Page(HTMLParser):
    """Collects links, tags and text, and checks that tags close."""

    VOID = frozenset({"meta", "img", "br", "hr", "link", "input"})

    def __init__(self, text):
        super().__init__()
        self.links, self.tags, self.open, self.words = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [
            value for name, value in attributes if name in ("src", "href", "srcset", "data", "action")
        ]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, tag
        opened = self.open.pop()
        while opened != tag and opened in ("p", "li"):
            opened = self.open.pop()
        assert opened == tag, (opened, tag)

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(params=["classification", "segmentation"])
def run(request):
    return request.getfixturevalue(f"{request.param}_run")


def test_nothing_is_loaded_from_outside(run):
    text = (run / "report.html").read_text()
    page = Page(text)
    assert page.open == []
    assert all(link.startswith("data:image/") for link in page.links)
    assert not re.search(r"https?://|//cdn|@import|url\(", text)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)


def test_every_estimate_stands_in_the_page(run):
    words = unescape((run / "report.html").read_text())
    for estimate in read_run(run).estimates:
        assert print_estimate(estimate) in words


def test_every_table_and_figure_stands_in_the_page(run):
    text = (run / "report.html").read_text()
    for path in (run / "tables").glob("*.html"):
        assert f'id="table-{path.stem}"' in text
    for path in (run / "figures").glob("*.png"):
        assert f'id="figure-{path.stem}"' in text


def test_every_figure_has_a_caption_and_an_alternative_text(run):
    text = (run / "report.html").read_text()
    assert text.count("<figcaption>") == text.count("<figure ") == text.count('alt="')
    assert 'alt=""' not in text


def test_the_record_is_complete(run):
    words = unescape((run / "report.html").read_text())
    record = read_run(run).record
    for value in (
        record["study_sha256"],
        record["splits_sha256"],
        record["git"]["commit"],
        record["started"],
    ):
        assert value in words
    for path, digest in record["inputs"].items():
        assert path in words
        assert digest in words


def test_title_question_and_caution_are_text(classification_run):
    text = (classification_run / "report.html").read_text()
    assert "<h1>Malignancy of lung nodules on CT</h1>" in text
    assert "diameter of a nodule &amp; its margin?" in text
    assert "ratings &lt;not pathology&gt;." in text


def test_markup_in_a_study_stays_text(changed, edited_study, classification_run):
    folder = changed(classification_run)
    attack = "<script>alert(1)</script>"
    edited_study(folder, lambda study: study.update(title=attack, question=attack, caution=attack))
    text = render_report(read_run(folder), {}, [])
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_headlines_of_a_classification(classification):
    found = headlines(classification)
    assert [item.label for item in found] == ["AUC", "Sensitivity", "Specificity"]
    area = classification.select(model="image", metric="auroc", aggregation="fold-averaged")[0]
    assert found[0].value == f"{area.value:.3f}"
    assert found[0].interval == f"95% CI {area.low:.3f}–{area.high:.3f}"
    assert found[0].basis == "fold-averaged, 78 nodules of 40 patients; LeDell, clustered"


def test_headlines_of_a_segmentation(segmentation):
    labels = [item.label for item in headlines(segmentation)]
    assert labels[:2] == ["Mean Dice, anterior", "Mean Dice, posterior"]


def test_an_undefined_headline_says_why(changed, classification_run):
    def undo(results):
        results["estimates"][0].update(value=None, low=None, high=None, status="one_class")

    first = headlines(read_run(changed(classification_run, results=undo)))[0]
    assert (first.value, first.interval) == ("undefined", "only one class present")


def test_uncommitted_changes_are_confessed(changed, classification_run):
    folder = changed(classification_run, record=lambda record: record["git"].update(dirty=True))
    assert "with uncommitted changes" in render_report(read_run(folder), {}, [])


def test_a_bare_record_is_enough(changed, classification_run):
    def strip(record):
        record.clear()
        record.update(folds=[{"repeat": 0, "fold": 0, "epochs": [30, 28]}])

    text = render_report(read_run(changed(classification_run, record=strip)), {}, [])
    assert "not in a git repository" in text
    assert "30, 28" in text
