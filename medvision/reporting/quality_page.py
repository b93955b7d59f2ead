"""The page of `medvision check --data`: what stands out, as thumbnails that sort by oddness."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from medvision.reporting.html import page_template
from medvision.reporting.tables.table import Table


@dataclass(frozen=True)
class Thumbnail:
    """One case as the page shows it.

    Args:
        case_id: Its name.
        pixels: A slice, grey values 0 to 255, shape (rows, columns).
        text: Below the picture, such as `median −12.3 (z 4.1)`.
        z: Robust |z| by measure, to sort by; `oddness` is the largest.
        odd: Whether it is an outlier.
    """

    case_id: str
    pixels: npt.NDArray[np.uint8]
    text: str
    z: Mapping[str, float]
    odd: bool


@dataclass(frozen=True)
class PairOfThumbnails:
    """Two cases that show the same.

    Args:
        first: One case.
        second: The other.
        text: What they have in common and whether that matters.
        leaks: Whether they cross a patient or a split.
    """

    first: Thumbnail
    second: Thumbnail
    text: str
    leaks: bool


@dataclass(frozen=True)
class QualityPage:
    """Everything that the page says.

    Args:
        title: Heading.
        subtitle: How many cases of how many patients.
        errors: Sentences that stand before everything else.
        findings: Sentences of the summary.
        thumbnails: The oddest cases first.
        shown: How many of how many cases have a thumbnail, where not all have.
        pairs: Copies, those that leak first.
        tables: Shown below, in this order.
        notes: How to read the page.
    """

    title: str
    subtitle: str
    errors: Sequence[str]
    findings: Sequence[str]
    thumbnails: Sequence[Thumbnail]
    shown: str
    pairs: Sequence[PairOfThumbnails]
    tables: Mapping[str, Table]
    notes: Sequence[str]


def render_quality(page: QualityPage) -> str:
    """Return the page as one HTML document without any link to the outside.

    Args:
        page: What it says.
    """
    measures = list(dict.fromkeys(name for each in page.thumbnails for name in each.z))
    return page_template("quality.html.j2").render(
        page=page,
        measures=[name for name in measures if name != "oddness"],
        tables={name: table.to_html() for name, table in page.tables.items()},
        source=png_source,
    )


def png_source(pixels: npt.NDArray[np.uint8]) -> Markup:
    """Return grey values as the source of an `<img>`.

    Example:
        >>> png_source(np.zeros((2, 2), dtype=np.uint8))[:30]
        Markup('data:image/png;base64,iVBORw0K')
    """
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", optimize=True)
    return Markup("data:image/png;base64,") + base64.b64encode(stream.getvalue()).decode("ascii")
