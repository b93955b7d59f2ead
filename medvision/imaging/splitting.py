"""Volumes that share their positions: echoes, time points, acquisitions in one series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from medvision.errors import SeriesError
from medvision.imaging.header import VOLUME_KEYS, SliceHeader
from medvision.imaging.ordering import SAME_PLACE_MM, along_normal, names
from medvision.imaging.values import Key
from medvision.wording import did_you_mean

Volumes = tuple[str, list[list[SliceHeader]]]


def split_volumes(slices: Sequence[SliceHeader], where: str, split_by: str | None = None) -> Volumes:
    """Split slices that share positions into volumes (echoes, time points, acquisitions).

    A header field tells volumes apart when it has exactly as many values as the fullest position has
    images, and no value occurs twice at a position; then two fields together. Failing that,
    images that GE stores with a NumberOfTemporalPositions of that count are told apart by InstanceNumber
    within each position.

    Returns:
        The field's name ("" where there is one volume) and the volumes in the order of its values.

    Raises:
        SeriesError: Some position holds several images and no field tells volumes apart.
    """
    if split_by is not None:
        return split_by, _split_as_asked(slices, where, split_by)
    places = positions_shared(slices)
    fullest = max(len(at) for at in places)
    if fullest == 1:
        return "", [list(slices)]
    for keys in _candidates(slices):
        values = [tuple(v for name in keys for v in s.keys.get(name, ())) for s in slices]
        volumes = _split_by(slices, places, values)
        if volumes is not None and len(volumes) == fullest:
            return " and ".join(keys), volumes
    if all(s.keys.get("NumberOfTemporalPositions") == (fullest,) for s in slices):
        ranks = {s: rank for at in places for rank, s in enumerate(sorted(at, key=_instance))}
        volumes = _split_by(slices, places, [(float(ranks[s]),) for s in slices])
        if volumes is not None and all(len(at) == fullest for at in places):
            return "InstanceNumber within each position", volumes
    raise SeriesError(f"{where}: {_doubles(places)}")


def _candidates(slices: Sequence[SliceHeader]) -> list[tuple[str, ...]]:
    """Fields that may tell volumes apart: those whose values differ, alone and then in pairs."""
    others = dict.fromkeys(name for s in slices for name in s.keys if name not in VOLUME_KEYS)
    others.pop("NumberOfTemporalPositions", None)
    differing = [name for name in (*VOLUME_KEYS, *others) if len({s.keys.get(name) for s in slices}) > 1]
    return [*((name,) for name in differing), *combinations(differing, 2)]


def _split_as_asked(slices: Sequence[SliceHeader], where: str, name: str) -> list[list[SliceHeader]]:
    known = dict.fromkeys(name for s in slices for name in s.keys)
    without = [s for s in slices if name not in s.keys]
    if without:
        raise SeriesError(
            f"{where}: split_by={name!r}, which {len(without)} of {len(slices)} images do not have "
            f"({names(without)}){did_you_mean(name, known)} Known here: {', '.join(known) or 'none'}"
        )
    groups: dict[Key, list[SliceHeader]] = defaultdict(list)
    for one in slices:
        groups[one.keys[name]].append(one)
    volumes = [groups[value] for value in sorted(groups, key=_sortable)]
    for volume in volumes:
        places = positions_shared(volume)
        if max(len(at) for at in places) > 1:
            raise SeriesError(f"{where}: split_by={name!r} leaves this open: {_doubles(places)}")
    return volumes


def _instance(one: SliceHeader) -> int:
    return -1 if one.instance_number is None else one.instance_number


def positions_shared(slices: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
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
    values: Sequence[Key],
) -> list[list[SliceHeader]] | None:
    """Volumes by increasing value; None where a value occurs twice at one position."""
    value = {one: of_one for one, of_one in zip(slices, values, strict=True)}
    if any(len({value[s] for s in at}) < len(at) for at in places):
        return None
    volumes: dict[Key, list[SliceHeader]] = defaultdict(list)
    for one in slices:
        volumes[value[one]].append(one)
    return [volumes[v] for v in sorted(volumes, key=_sortable)]


def _sortable(value: Key) -> list[tuple[bool, float | str]]:
    """Numbers before texts."""
    return [(isinstance(part, str), part) for part in value]


def _doubles(places: Sequence[Sequence[SliceHeader]]) -> str:
    double = [at for at in places if len(at) > 1]
    first = double[0]
    at = f"{float(along_normal(first)[0]):.2f} mm"
    if len({s.instance_uid for s in first}) < len(first):
        cure = "delete the copies, or pass on_duplicate='drop'"
        return f"the same image is there twice, such as {names(first)}; {cure}"
    return (
        f"{len(double)} of {len(places)} positions hold several images, such as {names(first)} at {at} "
        f"along the normal, and no header field tells whole volumes apart; give the files of one volume, "
        f"name the field with split_by=, or drop equal images with on_duplicate='drop'"
    )
