"""Who is in which part of a study that was opened but not run. No torch here."""

from __future__ import annotations

from medvision.config import ClassificationTask
from medvision.reporting.tables.balance import Sides, balance_summary
from medvision.reporting.tables.table import Table
from medvision.workflows.opened import OpenedStudy


def balance_of(opened: OpenedStudy) -> Table:
    """Return one row a part of the first repeat, and one for the locked test set.

    Args:
        opened: The study.
    """
    table = opened.cohort.table.set_index("case_id", drop=False)
    first = [part for part in opened.splits.parts if part.repeat == 0]
    sides = [Sides(part.title, table.loc[list(part.train)], table.loc[list(part.test)]) for part in first]
    if opened.splits.locked:
        sides.append(Sides("locked test set", opened.development.table, opened.locked.table))
    study = opened.study
    wanted = [*study.cohort.covariates, *getattr(study.split, "stratify_by", ())]
    columns = [name for name in dict.fromkeys(wanted) if name in table.columns]
    positive = "positive" if isinstance(study.task, ClassificationTask) else None
    return balance_summary(sides, columns, unit=study.task.unit, positive=positive)
