"""The values of every top-level element of every real DICOM file equal pydicom's."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.valuerep import DSfloat, ISfloat, PersonName

from medvision.imaging.elements import NotDicomError, read_elements

pytestmark = pytest.mark.data


def plain(value: Any) -> Any:
    if isinstance(value, MultiValue | list) and not (len(value) and isinstance(value[0], Dataset)):
        return [plain(one) for one in value]
    if isinstance(value, DSfloat | ISfloat):
        return float(value)
    if isinstance(value, BaseTag | int):
        return int(value)
    if isinstance(value, str | PersonName):
        return str(value) or None
    return None if value == b"" else value


def pydicom_says(path: Path) -> Dataset | None:
    with warnings.catch_warnings(action="ignore"):
        try:
            dataset = dcmread(path, stop_before_pixels=True)
        except InvalidDicomError:
            return None
        dataset.update(dataset.file_meta)
        return dataset


def dicom_files(data_dir: Path) -> list[Path]:
    return [p for name in ("dicom", "dicom_seg") for p in sorted((data_dir / name).rglob("*")) if p.is_file()]


@pytest.mark.slow
def test_every_value_equals_pydicoms(data_dir: Path) -> None:
    compared = 0
    for path in dicom_files(data_dir):
        expected = pydicom_says(path)
        if expected is None:
            with pytest.raises(NotDicomError):
                read_elements(path, [])
            continue
        found = read_elements(path, tuple(expected.keys()))
        assert found.syntax == expected.file_meta.get("TransferSyntaxUID", "")
        assert (found.implicit, found.little_endian) == expected.original_encoding
        for tag in tuple(expected.keys()):
            with warnings.catch_warnings(action="ignore"):
                assert found.get(tag) == plain(expected[tag].value), f"{tag} of {path}"
            compared += 1
    assert compared > 100_000
