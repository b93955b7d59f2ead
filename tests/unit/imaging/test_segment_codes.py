from __future__ import annotations

import pytest

from medvision.imaging.segment_codes import codes_of


@pytest.mark.parametrize(
    ("name", "category", "kind"),
    [
        # Values: DICOM PS3.16, CID 7150 and the groups of CID 7151.
        ("Liver", "91723000", "10200004"),
        ("BLADDER", "91723000", "89837001"),
        ("tumor", "49755003", "108369006"),
        ("Tumour", "49755003", "108369006"),
        ("lymph_node", "91723000", "59441001"),
        ("nodule", "49755003", "27925004"),
        ("anterior", "85756007", "85756007"),
        ("", "85756007", "85756007"),
    ],
)
def test_names_have_the_codes_of_the_standard(name, category, kind) -> None:
    found = codes_of(name)
    assert [code.value for code in found] == [category, kind]
    assert {code.scheme for code in found} == {"SCT"}
