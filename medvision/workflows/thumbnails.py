"""Small pictures of series, from one slice each."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medvision.errors import MedvisionError
from medvision.imaging.decoding import stored_frames
from medvision.imaging.judging import unpack
from medvision.workflows.progress import counted, display
from medvision.workflows.scan import Scan
from medvision.workflows.scan_files import quiet_pydicom

_PIXELS = 96


def thumbnails(found: Scan, *, quiet: bool = True) -> dict[str, str]:
    """Draw the middle image of each complete series.

    Only volumes are drawn: secondary captures and ultrasound often have names burnt into their pixels.

    Returns:
        PNG as a data URI, by series; a series whose image cannot be decoded has none.
    """
    rows = found.table[found.table["complete"]]
    pictures: dict[str, str] = {}
    with found.state() as state, display(quiet=quiet) as shown, counted(shown, "pictures", len(rows)) as task:
        for done, (series, uid) in enumerate(zip(rows["series"], rows["series_uid"], strict=True), start=1):
            middle = state.middle_image(uid)
            picture = None if middle is None else _picture(*middle)
            if picture is not None:
                pictures[str(series)] = picture
            task.advance(done)
    return pictures


def _picture(file: Path, packed: str) -> str | None:
    from matplotlib.image import imsave

    slices = unpack(packed)
    one = slices[len(slices) // 2]
    try:
        with quiet_pydicom():
            values = next(stored_frames(file, [one.frame])).astype(np.float32)
    except MedvisionError:
        return None
    if one.tile is not None:
        (row, column), (columns, rows) = one.tile, one.shape
        values = values[row : row + rows, column : column + columns]
    small = _shrunk(values)
    low, high = np.percentile(small, (1, 99))
    stream = io.BytesIO()
    imsave(
        stream,
        small,
        cmap="gray",
        vmin=low,
        vmax=max(high, low + 1),
        format="png",
    )
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def _shrunk(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Means of blocks of pixels, so that neither side is longer than `_PIXELS`."""
    step = max(1, -(-max(values.shape) // _PIXELS))
    rows, columns = (side // step * step for side in values.shape)
    blocks = values[:rows, :columns].reshape(rows // step, step, columns // step, step)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)
