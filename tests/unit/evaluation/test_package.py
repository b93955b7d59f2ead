"""What the package shows, and what it does not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

import medvision.evaluation as evaluation


def test_every_public_name_is_there() -> None:
    assert sorted(evaluation.__all__) == dir(evaluation)
    for name in evaluation.__all__:
        assert callable(getattr(evaluation, name)), name


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="aurocc"):
        evaluation.aurocc  # noqa: B018 -- the access is the test


def test_no_module_hides_a_function_of_its_name() -> None:
    """Importing a submodule binds its name in the package; a function of that name would be lost."""
    import pkgutil

    modules = {module.name for module in pkgutil.iter_modules(evaluation.__path__)}
    assert not modules & set(evaluation.__all__)


def test_an_area_needs_no_heavy_library() -> None:
    code = (
        "import sys; from medvision.evaluation import auroc, diagnostic_accuracy, segmentation_scores;"
        "auroc([0, 1], [0, 1]); diagnostic_accuracy([0, 1], [0, 1]);"
        "heavy = ('torch', 'monai', 'sklearn', 'lightning', 'scipy.stats', 'matplotlib');"
        "print([name for name in heavy if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"
