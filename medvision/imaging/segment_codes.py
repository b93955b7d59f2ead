"""The coded terms of DICOM segments: found by name in DICOM's own context groups."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import Any

from medvision.imaging.segments import Code

# Segmentation property categories (DICOM PS3.16 CID 7150) and the context groups of their types.
_GROUPS = {
    "AnatomicalStructure": "cid7192",
    "MorphologicallyAbnormalStructure": "cid7194",
    "BodySubstance": "cid7197",
    "PhysicalObject": "cid7193",
    "Tissue": "cid7191",
}
_SPELLINGS = {"tumour": "neoplasm", "tumor": "neoplasm", "oedema": "edema", "haemorrhage": "hemorrhage"}


def codes_of(name: str) -> tuple[Code, Code]:
    """Category and type of a structure by its name; Tissue and Tissue where DICOM has no such term.

    The name is compared with the terms of DICOM PS3.16 CID 7151, whatever the capitals, blanks and
    underscores; tumour and tumor are read as Neoplasm.

    Example:
        >>> category, kind = codes_of("left kidney"), codes_of("liver")[1]
        >>> kind.value, kind.scheme, codes_of("tumour")[0].meaning, codes_of("thing 7")[1].meaning
        ('10200004', 'SCT', 'Morphologically Abnormal Structure', 'Tissue')
    """
    known = _terms()
    asked = _plain(name)
    return known.get(_SPELLINGS.get(asked, asked)) or known["tissue"]


@cache
def _terms() -> dict[str, tuple[Code, Code]]:
    codes: Any = import_module("pydicom.sr.codedict").codes
    terms: dict[str, tuple[Code, Code]] = {}
    for category, group in _GROUPS.items():
        first = _code(getattr(codes.cid7150, category))
        for keyword, concept in getattr(codes, group).concepts.items():
            both = first, _code(concept)
            terms.setdefault(_plain(concept.meaning), both)
            terms.setdefault(_plain(keyword), both)
    return terms


def _code(concept: Any) -> Code:  # noqa: ANN401 (pydicom's codes are untyped)
    return Code(concept.value, concept.scheme_designator, concept.meaning)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
