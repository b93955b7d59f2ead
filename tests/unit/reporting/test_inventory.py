from __future__ import annotations

import pandas as pd
import pytest

from medvision.reporting.inventory import render_inventory
from medvision.workflows.inventory import COLUMNS, PATIENT_COLUMNS, inventory_table

PROBLEMS = pd.DataFrame({"path": ["/export/DOE/1.dcm"], "problem": ["cut short"]})


def row(**changes: object) -> dict[str, object]:
    texts: dict[str, object] = {n: n for n, k in {**COLUMNS, **PATIENT_COLUMNS}.items() if k == "str"}
    numbers = {"slices": 20, "pixel_spacing_mm": 0.703125, "slice_spacing_mm": 1.25, "complete": True}
    return {**texts, "duplicate_of": "", "study_date": "20200131", "notes": "", **numbers, **changes}


def test_a_row_says_what_a_reader_asks_for() -> None:
    table = inventory_table(
        [row(notes="one is doubled"), row(series="S-2", complete=False)], show_patient=False
    )
    page = render_inventory(table, PROBLEMS, title="Inventory", files=12345)
    for part in (
        "12,345",
        "2020-01-31",
        "0.703 × 1.25",
        "yes (one is doubled)",
        "why_not",
        "manufacturer model",
    ):
        assert part in page
    assert "DOE" not in page
    assert "patient_name" not in page
    assert "folder" not in page.split("<footer>")[0]
    assert "<td>1</td>" not in page
    assert ">cut short<" in page


def test_patients_and_paths_where_they_are_asked_for() -> None:
    page = render_inventory(inventory_table([row()], show_patient=True), PROBLEMS, title="I", files=1)
    assert "patient_id issuer patient_name" in page
    assert "/export/DOE/1.dcm" in page


def test_pictures_stand_where_there_are_some() -> None:
    table = inventory_table(
        [row(), row(series="S-2", pixel_spacing_mm=None, slice_spacing_mm=None)], show_patient=False
    )
    page = render_inventory(
        table, PROBLEMS.iloc[:0], title="I", files=1, thumbnails={"S-2": "data:image/png;base64,AA"}
    )
    assert page.count("<img") == 1
    assert "Files that could not be read" not in page
    assert "–" not in page.split("<tbody>")[1].replace("0.703 × 1.25", "")


def test_an_empty_inventory_is_a_page_and_a_table() -> None:
    table = inventory_table([], show_patient=False)
    assert list(table.columns) == list(COLUMNS)
    assert "Series" in render_inventory(table, PROBLEMS.iloc[:0], title="I", files=0)


@pytest.mark.parametrize("text", ["\ud800", "<b>"])
def test_odd_text_fits_into_the_table_and_is_text_on_the_page(text: str) -> None:
    table = inventory_table([row(description=text)], show_patient=False)
    page = render_inventory(table, PROBLEMS, title="I", files=1)
    page.encode()
    assert "<b>" not in page
