"""Whether the slices of a series form one volume, by the rules that reading it follows."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from medvision.errors import SeriesError
from medvision.imaging.coding import PixelCoding
from medvision.imaging.geometry import FloatArray, Geometry
from medvision.imaging.header import SliceHeader
from medvision.imaging.options import Reading
from medvision.imaging.series import arrange
from medvision.imaging.volumes import find_volumes

_WHERE = "this series"
_AS_IT_IS = Reading()


@dataclass(frozen=True, eq=False)
class Judged:
    """What reading a series would give.

    Attributes:
        geometry: Of the volume, or of the first of several; None where the slices form none.
        why_not: The refusal; "" where there is none.
        volumes: How many volumes share the positions; None where nothing tells.
        warnings: What reading it would warn of.
    """

    geometry: Geometry | None
    why_not: str
    volumes: int | None
    warnings: tuple[str, ...]


def judge(slices: Sequence[SliceHeader]) -> Judged:
    """Say whether the slices of one series form one volume, and why not.

    The steps are those of :func:`medvision.imaging.series.read_series`, so that an inventory and
    ``load_volume`` agree.

    Args:
        slices: All of one series, at least one.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from medvision.imaging.header import read_slices
        >>> from medvision.testing import apply_fault, thorax_phantom, write_dicom_series
        >>> with TemporaryDirectory() as folder:
        ...     _ = write_dicom_series(thorax_phantom(1, shape=(48, 48, 16), lesions=1), folder)
        ...     _ = apply_fault(folder, "missing_slice")
        ...     found = judge([one for file in Path(folder).iterdir() for one in read_slices(file)])
        >>> found.why_not
        "1 slice missing between ... or pass on_gap='fill' (interpolate) or 'split'"
    """
    found, geometry, why_not = None, None, ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = find_volumes(slices, _WHERE, _AS_IT_IS)
            geometry = arrange(found.volumes[0], 1, _WHERE, _AS_IT_IS).geometry
        except SeriesError as error:
            why_not = _sentence(error)
    if found is not None and len(found.volumes) > 1:
        why_not = str(found)
    told = () if why_not else tuple(dict.fromkeys(_plain(str(one.message)) for one in caught))
    return Judged(geometry, why_not, None if found is None else len(found.volumes), told)


def _sentence(error: SeriesError) -> str:
    return "; ".join(error.problems) if error.problems else _plain(error.message)


def _plain(text: str) -> str:
    return text.removeprefix(f"{_WHERE}: ")


def pack(slices: Sequence[SliceHeader], patient: str) -> str:
    """Write down what :func:`judge` needs of some slices.

    Args:
        slices: Of one file.
        patient: The patient's pseudonym, which takes the place of PatientID; a refusal would quote it.
    """
    return json.dumps([_packed(one, patient) for one in slices], separators=(",", ":"))


def unpack(text: str) -> list[SliceHeader]:
    """Slices from :func:`pack`; called by their InstanceNumber, for a file name may name the patient."""
    return [_unpacked(values) for values in json.loads(text)]


def _packed(one: SliceHeader, patient: str) -> list[Any]:
    frame = one.same.get("frame of reference", "")
    same = {**one.same, "patient": patient, "frame of reference": _short(frame)}
    return [
        one.instance_uid, one.instance_number, one.shape, _listed(one.position), _listed(one.orientation),
        _listed(one.pixel_spacing), one.depth_mm, one.spacing_between_mm, one.refusal,
        same, dict(one.keys), one.tile, _coding_of(one.coding), one.rescaled,
        one.projection, one.frame,
    ]  # fmt: skip


_coding_of = attrgetter(*(field.name for field in fields(PixelCoding)))  # astuple copies every value deeply


@lru_cache(maxsize=64)
def _short(uid: str) -> str:
    """A UID as a few letters: what a sentence on a page names must be no identifier."""
    return f"F-{hashlib.sha256(uid.encode('utf-8', 'replace')).hexdigest()[:8]}" if uid else ""


def _unpacked(values: list[Any]) -> SliceHeader:
    uid, number, shape, position, orientation, spacing, depth, between, refusal, same, keys = values[:11]
    tile, coding, rescaled, projection, frame = values[11:]
    return SliceHeader(
        path=Path("image without InstanceNumber" if number is None else f"image {number}"),
        patient_id=same["patient"],
        series_uid="",
        description="",
        modality=same.get("modality", ""),
        instance_uid=uid,
        instance_number=number,
        shape=(shape[0], shape[1]),
        position=_array(position),
        orientation=_array(orientation),
        pixel_spacing=_array(spacing),
        depth_mm=depth,
        spacing_between_mm=between,
        slope=1.0,
        intercept=0.0,
        coding=PixelCoding(*coding),
        same=MappingProxyType(same),
        keys=MappingProxyType({name: tuple(found) for name, found in keys.items()}),
        refusal=refusal,
        rescaled=rescaled,
        projection=projection,
        tile=None if tile is None else (tile[0], tile[1]),
        frame=frame,
    )


def _listed(vector: FloatArray | None) -> list[float] | None:
    return None if vector is None else [float(x) for x in vector]


def _array(values: list[float] | None) -> FloatArray | None:
    return None if values is None else np.array(values, dtype=np.float64)
