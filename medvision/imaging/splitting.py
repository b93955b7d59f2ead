"""Volumes that share their positions: echoes, time points, acquisitions in one series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from medvision.errors import SeriesError
from medvision.imaging.header import VOLUME_KEYS, SliceHeader
from medvision.imaging.ordering import SAME_PLACE_MM, along_normal, names

Volumes = tuple[str, list[list[SliceHeader]]]


def split_volumes(slices: Sequence[SliceHeader], where: str) -> Volumes:
    """Split slices that share positions into volumes (echoes, time points, acquisitions).

    A header field tells volumes apart when it has exactly as many values as the fullest position has
    images, and no value occurs twice at a position. Failing that, images that GE stores with a
    NumberOfTemporalPositions of that count are told apart by InstanceNumber within each position.

    Returns:
        The field's name ("" where there is one volume) and the volumes in the order of its values.

    Raises:
        SeriesError: Some position holds several images and no field tells volumes apart.
    """
    places = _places(slices)
    fullest = max(len(at) for at in places)
    if fullest == 1:
        return "", [list(slices)]
    for key in VOLUME_KEYS:
        volumes = _split_by(slices, places, [s.keys.get(key, ()) for s in slices])
        if volumes is not None and len(volumes) == fullest:
            return key, volumes
    if all(s.keys.get("NumberOfTemporalPositions") == (fullest,) for s in slices):
        ranks = {s: rank for at in places for rank, s in enumerate(sorted(at, key=_instance))}
        volumes = _split_by(slices, places, [(float(ranks[s]),) for s in slices])
        if volumes is not None and all(len(at) == fullest for at in places):
            return "InstanceNumber within each position", volumes
    raise SeriesError(f"{where}: {_doubles(places)}")


def _instance(one: SliceHeader) -> int:
    return -1 if one.instance_number is None else one.instance_number


def _places(slices: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """The slices at each position, by increasing place along the normal."""
    along = along_normal(slices)
    order = np.argsort(along, kind="stable")
    groups: list[list[SliceHeader]] = []
    for previous, current in zip([None, *order[:-1]], order, strict=True):
        if previous is None or along[current] - along[previous] > SAME_PLACE_MM:
            groups.append([])
        groups[-1].append(slices[current])
    return groups


def _split_by(
    slices: Sequence[SliceHeader],
    places: Sequence[Sequence[SliceHeader]],
    values: Sequence[tuple[float | str, ...]],
) -> list[list[SliceHeader]] | None:
    """Volumes by increasing value; None where a value occurs twice at one position."""
    value = {one: of_one for one, of_one in zip(slices, values, strict=True)}
    if any(len({value[s] for s in at}) < len(at) for at in places):
        return None
    volumes: dict[tuple[float | str, ...], list[SliceHeader]] = defaultdict(list)
    for one in slices:
        volumes[value[one]].append(one)
    return [volumes[v] for v in sorted(volumes, key=lambda v: [(isinstance(x, str), x) for x in v])]


def _doubles(places: Sequence[Sequence[SliceHeader]]) -> str:
    double = [at for at in places if len(at) > 1]
    first = double[0]
    at = f"{float(along_normal(first)[0]):.2f} mm"
    if len({s.instance_uid for s in first}) < len(first):
        return f"the same image is there twice, such as {names(first)}; delete the copies"
    return (
        f"{len(double)} of {len(places)} positions hold several images, such as {names(first)} at {at} "
        f"along the normal, and no header field tells whole volumes apart; give the files of one volume"
    )
