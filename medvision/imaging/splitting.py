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
    images, and no value occurs twice at a position; then two or three fields together. Failing that,
    images that GE stores with a NumberOfTemporalPositions of that count are told apart by InstanceNumber
    within each position.

    Returns:
        The field's name ("" where there is one volume) and the volumes in the order of its values.

    Raises:
        SeriesError: Some position holds several images and no field tells volumes apart; or the positions
            of two acquisitions lie between one another.
    """
    if split_by is not None:
        return split_by, _split_as_asked(slices, where, split_by)
    places = positions_shared(slices)
    fullest = max(len(at) for at in places)
    if fullest == 1:
        refuse_interleaved([one for (one,) in places], where)
        return "", [list(slices)]
    shared = max(places, key=len)
    for keys in _candidates(slices, fullest):
        if len({_told(s, keys) for s in shared}) < fullest:
            continue
        values = [_told(s, keys) for s in slices]
        volumes = _split_by(slices, places, values)
        if volumes is not None and len(volumes) == fullest:
            return " and ".join(keys), volumes
    if all(s.keys.get("NumberOfTemporalPositions") == (fullest,) for s in slices):
        volumes = _split_by_number(slices, places)
        if volumes is not None:
            return "InstanceNumber within each position", volumes
    raise SeriesError(f"{where}: {_doubles(places)}")


def _told(one: SliceHeader, keys: Sequence[str]) -> Key:
    return tuple(v for name in keys for v in one.keys.get(name, ()))


def _candidates(slices: Sequence[SliceHeader], most: int) -> list[tuple[str, ...]]:
    """Fields that may tell volumes apart: those with two to `most` values, alone, in pairs, in threes."""
    others = dict.fromkeys(name for s in slices for name in s.keys if name not in VOLUME_KEYS)
    others.pop("NumberOfTemporalPositions", None)
    named = (*VOLUME_KEYS, *others)
    differing = [name for name in named if 1 < len({s.keys.get(name) for s in slices}) <= most]
    return [names for together in (1, 2, 3) for names in combinations(differing, together)]


def _split_as_asked(slices: Sequence[SliceHeader], where: str, name: str) -> list[list[SliceHeader]]:
    if name == "InstanceNumber":
        return _split_as_numbered(slices, where)
    known = dict.fromkeys(name for s in slices for name in s.keys)
    parts = name.split(" and ")
    for part in parts:
        without = [s for s in slices if part not in s.keys]
        if without:
            raise SeriesError(
                f"{where}: split_by={part!r}, which {len(without)} of {len(slices)} images do not have "
                f"({names(without)}){did_you_mean(part, known)} Known here: {', '.join(known) or 'none'}"
            )
    groups: dict[tuple[Key, ...], list[SliceHeader]] = defaultdict(list)
    for one in slices:
        groups[tuple(one.keys[part] for part in parts)].append(one)
    volumes = [groups[v] for v in sorted(groups, key=lambda value: [_sortable(part) for part in value])]
    for volume in volumes:
        places = positions_shared(volume)
        if max(len(at) for at in places) > 1:
            raise SeriesError(f"{where}: split_by={name!r} leaves this open: {_doubles(places)}")
    return volumes


def _split_as_numbered(slices: Sequence[SliceHeader], where: str) -> list[list[SliceHeader]]:
    """The first image of each position by InstanceNumber, then the second, …."""
    places = positions_shared(slices)
    volumes = _split_by_number(slices, places)
    if volumes is None:
        counts = [len(at) for at in places]
        fewest = places[int(np.argmin(counts))]
        raise SeriesError(
            f"{where}: split_by='InstanceNumber' needs as many images at every position, with a number each; "
            f"there are {min(counts)} ({names(fewest)}) to {max(counts)}, or numbers absent or there twice; "
            f"export the series again, or give the files of one volume"
        )
    return volumes


def _split_by_number(
    slices: Sequence[SliceHeader], places: Sequence[Sequence[SliceHeader]]
) -> list[list[SliceHeader]] | None:
    """Volumes by the rank of InstanceNumber within each position; None where a rank would be a guess."""
    if len({len(at) for at in places}) > 1:
        return None
    for at in places:
        numbers = {s.instance_number for s in at}
        if None in numbers or len(numbers) < len(at):
            return None
    ranks = {s: rank for at in places for rank, s in enumerate(sorted(at, key=_instance))}
    return _split_by(slices, places, [(float(ranks[s]),) for s in slices])


def _instance(one: SliceHeader) -> int:
    return -1 if one.instance_number is None else one.instance_number


def refuse_interleaved(ordered: Sequence[SliceHeader], where: str) -> None:
    """Refuse slices of two acquisitions that lie between one another, as one stack they would be a mixture.

    Acquisitions that follow one another (step and shoot) are one stack, and so are those that a scanner
    interleaves on purpose: their SpacingBetweenSlices is the distance of all slices.

    Args:
        ordered: By increasing place along the normal, no two at one position.
        where: What an error calls the series.

    Raises:
        SeriesError: Names the acquisitions, slices of them, and the option.
    """
    numbers = [one.keys.get("AcquisitionNumber", ()) for one in ordered]
    changes = [k for k in range(1, len(numbers)) if numbers[k] != numbers[k - 1]]
    if len(changes) < len(set(numbers)) or () in numbers:
        return
    distance = float(np.median(np.diff(along_normal(ordered))))
    stated = ordered[0].spacing_between_mm
    if stated and abs(abs(stated) - distance) < 0.1 * distance:
        return
    found = "/".join(f"{value[0]:g}" for value in sorted(set(numbers), key=_sortable)[:4])
    mixed = names([ordered[k] for k in changes])
    raise SeriesError(
        f"{where}: slices of several acquisitions (AcquisitionNumber {found}) lie between one another, "
        f"such as {mixed}; pass split_by='AcquisitionNumber' to read each by itself, or give the files of one"
    )


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
        cure = "delete the copies, or pass on_duplicate='drop' to drop those whose pixels are equal"
        return f"the same image is there twice, such as {names(first)}; {cure}"
    return (
        f"{len(double)} of {len(places)} positions hold several images, such as {names(first)} at {at} "
        f"along the normal, and no header field tells whole volumes apart; give the files of one volume, "
        f"name the field with split_by= ('InstanceNumber' where volumes follow one another in it), "
        f"or drop equal images with on_duplicate='drop'"
    )
