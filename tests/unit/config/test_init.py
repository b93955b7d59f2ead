"""The package's own face."""

from __future__ import annotations

import subprocess
import sys

import pytest

import medvision.config


def test_every_name_is_there():
    for name in medvision.config.__all__:
        assert getattr(medvision.config, name) is not None
    assert set(dir(medvision.config)) == set(medvision.config.__all__)


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'Studdy'"):
        medvision.config.Studdy  # noqa: B018 - the access itself is tested


def test_importing_the_package_loads_nothing():
    code = "import sys, medvision.config; print([m for m in ('pydantic', 'ruamel.yaml') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
