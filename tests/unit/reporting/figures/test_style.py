"""Figure files: three formats, the same bytes every time, and nobody's settings changed."""

import io

import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image

from medvision.reporting.figures.style import PaperFigure, new_figure, paper_style


def drawn() -> PaperFigure:
    with paper_style():
        figure = new_figure(3.0, 2.0)
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], label="line")
        axes.fill_between([0, 1], [0, 1], [1, 1], hatch="/")
        axes.legend()
    return PaperFigure("demo", "A demonstration", "A caption.", figure)


def test_each_format_is_the_same_bytes_every_time():
    for kind in ("svg", "pdf", "png"):
        assert drawn().render(kind) == drawn().render(kind)


def test_no_file_says_when_it_was_made():
    assert b"<dc:date>" not in drawn().render("svg")
    assert b"CreationDate" not in drawn().render("pdf")
    image = Image.open(io.BytesIO(drawn().render("png")))
    assert "Software" not in image.info


def test_png_has_two_hundred_dots_an_inch():
    assert Image.open(io.BytesIO(drawn().render("png"))).size == (600, 400)


def test_files_are_saved_beside_each_other(tmp_path):
    rendered = drawn().save(tmp_path / "figures")
    assert {path.name: path.read_bytes() for path in (tmp_path / "figures").iterdir()} == {
        f"demo.{kind}": data for kind, data in rendered.items()
    }


def test_the_settings_of_the_caller_come_back_and_do_not_leak_in():
    before = drawn().render("svg")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "lines.linewidth": 9}):
        inside = drawn().render("svg")
        assert mpl.rcParams["font.size"] == 30
    assert inside == before
    assert isinstance(drawn().figure, Figure)
