"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("default")

REPOSITORY = Path(__file__).resolve().parents[1]
_DATA = Path(os.environ.get("MEDVISION_TEST_DATA", REPOSITORY.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with the real volumes, or a skip that says how to get it."""
    if not (_DATA / "README.md").exists():
        reason = f"no real volumes: set MEDVISION_TEST_DATA to their folder (looked in {_DATA.name}/)"
        # A check that is skipped where everything must hold would hide what it checks.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return _DATA


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY
