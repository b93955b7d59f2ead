"""The package's own face."""

from __future__ import annotations

import subprocess
import sys

import pytest

import medvision.cohort


def test_every_name_is_there():
    for name in medvision.cohort.__all__:
        assert getattr(medvision.cohort, name) is not None
    assert set(dir(medvision.cohort)) == set(medvision.cohort.__all__)


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'read_manifset'"):
        medvision.cohort.read_manifset  # noqa: B018 - the access itself is tested


def test_reading_a_cohort_imports_no_learning_library():
    names = ", ".join(medvision.cohort.__all__)
    heavy = ["torch", "monai", "lightning", "sklearn", "scipy.stats", "matplotlib"]
    code = (
        f"import sys; from medvision.cohort import {names}; print([m for m in {heavy} if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
