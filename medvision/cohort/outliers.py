"""Which cases of a cohort are not like the others: robust z of every measure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

THRESHOLD = 3.5
"""A robust z beyond which a value is an outlier (Iglewicz and Hoaglin 1993)."""
_LARGEST = 1000.0


@dataclass(frozen=True, eq=False)
class Oddness:
    """How odd each case is.

    Attributes:
        z: Robust z of each case (rows) and measure (columns); NaN where the measure is undefined.
        score: The largest |z| of each case; 0 where it has no measure.
        measure: The measure with the largest |z|, "" where there is none.
        order: Places of the cases, the oddest first.
    """

    z: pd.DataFrame
    score: Floats
    measure: tuple[str, ...]
    order: tuple[int, ...]


def robust_z(values: ArrayLike) -> Floats:
    """Distance from the median in robust standard deviations: 0.6745·(x − median)/MAD.

    Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993. Where more than half of the values are
    equal (MAD is 0), the mean absolute deviation takes its place: (x − median)/(1.2533·MeanAD). Values
    beyond ±1000 are set to ±1000.

    Args:
        values: Shape (n,); NaN stays NaN and does not count.

    Returns:
        Shape (n,); 0 everywhere if all values are equal.

    Example:
        >>> robust_z([1, 2, 3, 4, 100]).round(2).tolist()
        [-1.35, -0.67, 0.0, 0.67, 65.43]
    """
    numbers = np.asarray(values, dtype=np.float64)
    known = numbers[np.isfinite(numbers)]
    result = np.full(numbers.shape, np.nan)
    if not known.size:
        return result
    deviations = np.abs(known - np.median(known))
    # 0.6745 is Φ⁻¹(0.75), 1.2533 is √(π/2): both make a normal distribution's deviation 1.
    scale = float(np.median(deviations)) / 0.6745 or 1.2533141373155 * float(deviations.mean())
    result[np.isfinite(numbers)] = (known - np.median(known)) / scale if scale > 0 else 0.0
    return result.clip(-_LARGEST, _LARGEST)


def fault_z(values: ArrayLike) -> Floats:
    """Robust z of a measure that is 0 in a sound scan: of its amount or of its being there, the larger.

    Of the amount alone one bad case would hide the others: the worst sets the scale.

    Args:
        values: Shape (n,), 0 or more; NaN stays NaN and does not count.

    Returns:
        Shape (n,).

    Example:
        >>> robust_z([0] * 18 + [1, 90]).round(1).tolist()[-2:]
        [0.2, 15.8]
        >>> fault_z([0] * 18 + [1, 90]).round(1).tolist()[-2:]
        [8.0, 15.8]
    """
    numbers = np.asarray(values, dtype=np.float64)
    present = np.where(np.isnan(numbers), np.nan, numbers > 0)
    return np.fmax(robust_z(numbers), robust_z(present))


def find_outliers(measures: pd.DataFrame, *, faults: Collection[str] = ()) -> Oddness:
    """Rank cases by how far their oddest measure lies from the cohort.

    The largest of m independent normal measures of n cases exceeds 3.5 in about 0.00047·m·n of them: with
    20 measures one case in a hundred is over the threshold by chance, and skewed measures go over it
    more often. The rank is for looking at, not for leaving out.

    Args:
        measures: One row a case, one numeric column a measure; NaN where it is undefined.
        faults: Measures that are 0 in a sound scan; see :func:`fault_z`.

    Returns:
        The robust z and the rank.

    Example:
        >>> found = find_outliers(pd.DataFrame({"size": [10, 11, 12, 90], "noise": [1.0, 1.1, 0.9, 1.0]}))
        >>> found.order[0], found.measure[3]
        (3, 'size')
    """
    z = pd.DataFrame(
        {name: (fault_z if name in faults else robust_z)(measures[name]) for name in measures.columns},
        index=measures.index,
    )
    size = z.abs().fillna(-1.0).to_numpy(dtype=np.float64)
    score = size.max(axis=1, initial=-1.0)
    names = [str(z.columns[int(row.argmax())]) if row.size and row.max() > 0 else "" for row in size]
    order = np.argsort(-score, kind="stable")
    return Oddness(z, np.maximum(score, 0.0), tuple(names), tuple(int(place) for place in order))


def histogram_distances(profiles: Sequence[Floats] | Floats) -> Floats:
    """How far the values of each case lie from those of the cohort.

    The first Wasserstein distance between the quantile profile of the case and the cohort's, which is the
    median over the cases of each quantile. It is the mean distance that a voxel's value would have to
    move, in the unit of the images (HU for CT; without a unit, and with differing gains, for MR).

    Args:
        profiles: Quantiles at equal steps, shape (cases, quantiles); NaN rows have no values.

    Returns:
        Shape (cases,); NaN for NaN rows.

    Example:
        >>> histogram_distances(np.array([[0.0, 1, 2], [0, 1, 2], [10, 11, 12]])).tolist()
        [0.0, 0.0, 10.0]
    """
    table = np.asarray(profiles, dtype=np.float64)
    known = np.isfinite(table).all(axis=1)
    if not known.any():
        return np.full(len(table), np.nan)
    centre = np.median(table[known], axis=0)
    return np.asarray(np.abs(table - centre).mean(axis=1))


def unusual(values: Sequence[str], *, rare: float = 0.05, common: float = 0.5) -> dict[str, int]:
    """Values that few cases have while most have one other, such as an orientation.

    Args:
        values: One a case.
        rare: At most this share of the cases has the value.
        common: At least this share has the most frequent one.

    Returns:
        How many cases have each rare value; nothing where no value is common.

    Example:
        >>> unusual(["LPS"] * 30 + ["RAS"])
        {'RAS': 1}
    """
    counts = pd.Series(list(values), dtype=object).value_counts()
    if counts.empty or counts.iloc[0] < common * len(values):
        return {}
    return {str(value): int(count) for value, count in counts.iloc[1:].items() if count <= rare * len(values)}
