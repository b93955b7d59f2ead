"""The one look of all figures, and files that are the same bytes every time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medvision.runs import atomic_write

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Distinguishable with every kind of colour vision (Okabe & Ito, Color Universal Design)."""
GREY = "#8A8A8A"
REFERENCE = "#56B4E9"
"""Contours of the reference: light enough to be seen on a dark image."""
PREDICTION = "#E69F00"
PNG_DPI = 200

_STYLE = Path(__file__).parents[1] / "templates" / "paper.mplstyle"
# Without these entries no format records when it was made.
_METADATA = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}


@dataclass(frozen=True)
class PaperFigure:
    """A figure with the words that belong to it.

    Args:
        name: Stem of its files, such as `roc`.
        title: One line; also the alternative text for those who cannot see it.
        caption: What is shown, of how many, and what an interval or band means.
        figure: The drawing.
        inline: The format that the report embeds: `svg`, or `png` where there are many pixels.
    """

    name: str
    title: str
    caption: str
    figure: Figure
    inline: str = "svg"

    def __post_init__(self) -> None:
        with paper_style(self.name):
            _arrange(self.figure)

    def render(self, kind: str) -> bytes:
        """Return the bytes of the file: `svg`, `pdf` or `png` (200 dpi); equal input gives equal bytes."""
        stream = io.BytesIO()
        with paper_style(self.name):
            self.figure.savefig(stream, format=kind, dpi=PNG_DPI, metadata=_METADATA[kind])
        return stream.getvalue()

    def save(self, folder: Path) -> dict[str, bytes]:
        """Write `<name>.svg`, `.pdf` and `.png` to `folder`, each whole or not at all, and return them.

        Raises:
            RunError: The folder cannot be written.
        """
        rendered = {kind: self.render(kind) for kind in _METADATA}
        for kind, data in rendered.items():
            atomic_write(folder / f"{self.name}.{kind}", data)
        return rendered


@contextmanager
def paper_style(salt: str = "medvision") -> Iterator[None]:
    """Draw or save in the style of the paper; the settings of the caller come back afterwards.

    Args:
        salt: Makes the identifiers inside an SVG the same every time, and unlike those of other figures.

    Example:
        >>> import matplotlib
        >>> with paper_style():
        ...     matplotlib.rcParams["axes.spines.top"]
        False
    """
    with mpl.rc_context({"svg.hashsalt": salt}, fname=_STYLE):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches, whose parts arrange themselves."""
    return Figure(figsize=(width, height), layout="constrained")


def _arrange(figure: Figure) -> None:
    """Arrange the parts once, for all formats, on round positions.

    The solver behind matplotlib's constrained layout returns the same position with another last bit
    from call to call, and one bit decides to which pixel an edge is drawn.
    """
    # Pictures of fixed proportions move the room that their titles need: the second pass settles it.
    for _ in range(2):
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = (round(edge, 6) for edge in axes.get_position(original=True).bounds)
        axes.set_position((left, bottom, width, height))


def unit_square(axes: Axes) -> None:
    """Give both axes the range 0 to 1 and the same length."""
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
