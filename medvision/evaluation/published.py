"""Tables that others have printed, for examples and for checking a program against known numbers.

Each function returns the data, arrays as read-only, and names the source and what was found there;
``docs/published_tables.md`` recomputes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from medvision.evaluation.inputs import Floats, Integers, one_of

if TYPE_CHECKING:
    import pandas as pd

_OVARIAN = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0  1.6 5.6 5 1
3.8 5.7 5 1   3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1  4.3 7.0 4 1  3.6 6.7 4 0
2.3 4.4 6 1   4.2 7.6 4 0  4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1  3.0 4.7 8 0  4.5 7.4 5 1  3.7 7.4 5 1
3.1 6.6 6 1   4.1 8.2 6 1  4.3 7.0 5 1  4.3 6.5 4 1  3.2 5.1 5 1  2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0
3.7 6.1 5 1   3.3 6.3 7 1  4.2 7.7 6 1  3.5 6.2 5 1  2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1
3.3 5.7 6 1   3.7 6.9 5 1  3.6 6.6 5 1
"""
_LITTERS = {
    "control": "13/13 12/12 9/9 9/9 8/8 8/8 12/13 11/12 9/10 9/10 8/9 11/13 4/5 5/7 7/10 7/10",
    "treated": "12/12 11/11 10/10 9/9 10/11 9/10 9/10 8/9 8/9 4/5 7/9 4/7 5/10 3/6 3/10 0/7",
}


def _whole(values: object) -> Integers:
    found = np.array(values, dtype=np.int64)
    found.setflags(write=False)
    return found


def _real(values: object) -> Floats:
    found = np.array(values, dtype=np.float64)
    found.setflags(write=False)
    return found


def hanley_mcneil() -> tuple[Integers, Integers]:
    """109 CT scans of the head, rated from 1 (definitely normal) to 5 (definitely abnormal).

    Reference: Hanley and McNeil, Radiology 1982;143:29, doi:10.1148/radiology.143.1.7063747, table I. The
    area is 0.893; Stata's ``roctab`` prints DeLong's standard error 0.0307 for it.

    Returns:
        Labels (58 normal, 51 abnormal) and ratings.

    Example:
        >>> labels, ratings = hanley_mcneil()
        >>> np.bincount(ratings[labels == 1])[1:].tolist()
        [3, 2, 2, 11, 33]
    """
    counts = [33, 6, 6, 11, 2, 3, 2, 2, 11, 33]
    return _whole(np.repeat([0, 1], [58, 51])), _whole(np.repeat([1, 2, 3, 4, 5] * 2, counts))


def delong() -> tuple[Integers, dict[str, Floats]]:
    """Three tests before surgery for obstructed bowels in ovarian cancer, 43 patients with complete records.

    Low albumin and protein, and a high Krebs–Goplerud score, go with label 1: two need a minus sign.

    Reference: DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837, doi:10.2307/2531595; the records as
    printed in the manual of SAS PROC LOGISTIC (Comparing Receiver Operating Characteristic Curves), which
    gives the areas 0.7366 (albumin), 0.7258 (score) and 0.6478 (protein).

    Returns:
        Labels (1: the indicator of the paper is 0) and the tests ``albumin``, ``protein`` and ``score``.

    Example:
        >>> labels, tests = delong()
        >>> int(labels.sum()), len(labels), tests["albumin"][:3].tolist()
        (12, 43, [3.0, 3.2, 3.9])
    """
    albumin, protein, score, indicator = np.array(_OVARIAN.split(), dtype=float).reshape(-1, 4).T
    tests = {"albumin": _real(albumin), "protein": _real(protein), "score": _real(score)}
    return _whole(indicator == 0), tests


def cavo() -> tuple[Integers, Integers]:
    """Complete response before and after consolidation, 161 patients: 59, 6, 16 and 80 in the four cells.

    Reference: data of Cavo and others, analysed in the R package ``contingencytables`` (Fagerland, Lydersen
    and Laake), which finds a difference from -0.1240 to -0.0054 (Tango) and McNemar's mid-p 0.034690.

    Returns:
        Whether each responded (1) or not (0), before and after.

    Example:
        >>> before, after = cavo()
        >>> int(before.sum()), int(after.sum()), len(before)
        (65, 75, 161)
    """
    cells = [59, 6, 16, 80]
    return _whole(np.repeat([1, 1, 0, 0], cells)), _whole(np.repeat([1, 0, 1, 0], cells))


def scott() -> tuple[Integers, Integers]:
    """A diagnostic test in 1586 patients: 670 true and 202 false positive, 74 false and 640 true negative.

    Reference: the manual of the R package ``epiR`` (``epi.tests``), after Scott and others, Intern Med J
    2008;38:120, doi:10.1111/j.1445-5994.2007.01436.x. Sensitivity 0.900538, specificity 0.760095, positive
    likelihood ratio 3.753726 (3.320688 to 4.243235).

    Returns:
        Labels and results of the test.

    Example:
        >>> labels, results = scott()
        >>> int(labels.sum()), int(results.sum()), len(labels)
        (744, 872, 1586)
    """
    cells = [670, 74, 202, 640]
    return _whole(np.repeat([1, 1, 0, 0], cells)), _whole(np.repeat([1, 0, 1, 0], cells))


def weil(group: Literal["control", "treated"] = "treated") -> tuple[Integers, Integers]:
    """Pups of 16 litters that lived to weaning; the mothers were treated with a chemical, or not.

    Reference: data of Weil (Food Cosmet Toxicol 8, 1970, 177-182) in Rao and Scott, Biometrics 1992;48:577,
    doi:10.2307/2532311, table 1, with the design effects 1.232495 (control) and 3.952861 (treated).

    Args:
        group: ``control`` or ``treated``.

    Returns:
        Whether each pup lived, and the number of its litter.

    Raises:
        EvaluationError: There is no such group.

    Example:
        >>> alive, litters = weil("control")
        >>> int(alive.sum()), len(alive), len(set(litters.tolist()))
        (142, 158, 16)
    """
    one_of(group, list(_LITTERS), "group")
    lived, born = np.array([pair.split("/") for pair in _LITTERS[group].split()], dtype=int).T
    alive = np.concatenate([np.repeat([1, 0], [x, n - x]) for x, n in zip(lived, born, strict=True)])
    return _whole(alive), _whole(np.repeat(np.arange(len(born)), born))


def pefr() -> tuple[Floats, Floats]:
    """Peak expiratory flow of 17 subjects by two meters, in l/min, the first reading of each.

    Reference: Bland and Altman, Lancet 1986;i:307, doi:10.1016/S0140-6736(86)90837-8. Mean difference -2.1,
    standard deviation 38.8 l/min.

    Returns:
        Wright's peak flow meter, and the mini meter.

    Example:
        >>> wright, mini = pefr()
        >>> round((wright - mini).mean(), 1), round((wright - mini).std(ddof=1), 1)
        (np.float64(-2.1), np.float64(38.8))
    """
    wright = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    mini = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    return _real(wright), _real(mini)


def shrout_fleiss() -> Floats:
    """Six targets (rows) rated by four judges (columns).

    Reference: Shrout and Fleiss, Psychol Bull 1979;86:420, doi:10.1037/0033-2909.86.2.420, table 4:
    ICC(1,1) 0.17, ICC(2,1) 0.29, ICC(3,1) 0.71; ICC(1,k) 0.44, ICC(2,k) 0.62, ICC(3,k) 0.91.

    Returns:
        Ratings, shape ``(6, 4)``.

    Example:
        >>> shrout_fleiss().mean(axis=0).round(2).tolist()
        [7.67, 2.5, 4.33, 6.67]
    """
    return _real([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])


def fleiss() -> Integers:
    """How many of 14 raters put each of ten subjects into each of five categories.

    Reference: the worked example of the article on Fleiss' kappa in Wikipedia: kappa 0.210.

    Returns:
        Counts, shape ``(10, 5)``.

    Example:
        >>> fleiss().sum(axis=0).tolist()
        [20, 28, 39, 21, 32]
    """
    return _whole([
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ])  # fmt: skip


def depression() -> tuple[Floats, Floats]:
    """A depression scale of nine patients at two visits after the start of a tranquilliser.

    Reference: Hollander and Wolfe, Nonparametric Statistical Methods, as R prints it for ``wilcox.test``: the
    signed-rank statistic is 40, p 0.03906, the pseudomedian 0.46, its 95% interval 0.010 to 0.786.

    Returns:
        The first and the second visit.

    Example:
        >>> first, second = depression()
        >>> int((first > second).sum()), len(first)
        (7, 9)
    """
    return (
        _real([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]),
        _real([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]),
    )


def benjamini_hochberg() -> Floats:
    """Fifteen p-values of a trial of two treatments after a heart attack.

    Reference: Benjamini and Hochberg, J R Stat Soc B 1995;57:289, doi:10.1111/j.2517-6161.1995.tb02031.x,
    section 3.2: at 0.05 their procedure rejects 4, Bonferroni's 3.

    Returns:
        The p-values, from the least to the largest.

    Example:
        >>> int((benjamini_hochberg() < 0.05 / 15).sum())
        3
    """
    least = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    return _real([*least, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1.0])


def chakraborty() -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Marks of one reader on four cases without lesions and four with six lesions, weighted.

    Reference: Chakraborty, The RJafroc FROC Book, chapter "Meanings of FROC figures of merit": AFROC
    0.7708333, wAFROC 0.678125.

    Returns:
        Marks, lesions, and the names of the eight cases, as `froc_fom` takes them.

    Example:
        >>> marks, lesions, cases = chakraborty()
        >>> len(marks), int(marks["lesion_id"].isna().sum()), len(lesions), len(cases)
        (8, 3, 6, 8)
    """
    import pandas as pd

    marks = pd.DataFrame({
        "case_id": ["N2", "N3", "N4", "D1", "D2", "D3", "D4", "D4"],
        "score": [1, 2, 3, 4, 1.5, 5, 7, 6],
        "lesion_id": [None, None, None, 1, 1, 1, 1, 2],
    })  # fmt: skip
    lesions = pd.DataFrame({
        "case_id": ["D1", "D2", "D3", "D3", "D4", "D4"],
        "lesion_id": [1, 1, 1, 2, 1, 2],
        "weight": [1, 1, 0.1, 0.9, 0.9, 0.1],
    })  # fmt: skip
    return marks, lesions, ["N1", "N2", "N3", "N4", "D1", "D2", "D3", "D4"]
