from __future__ import annotations

import subprocess
import sys

import pytest

import medvision.testing


@pytest.mark.parametrize("name", medvision.testing.__all__)
def test_every_public_name_is_there_and_explained(name):
    value = getattr(medvision.testing, name)
    assert name in dir(medvision.testing)
    if not name.endswith("Fault"):  # those are Literals
        assert value.__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'phantom_of_the_opera'"):
        _ = medvision.testing.phantom_of_the_opera


def test_phantoms_need_neither_a_deep_learning_library_nor_the_rest_of_the_package():
    program = (
        "import sys, medvision.testing as t\n"
        "loaded = set(sys.modules)\n"
        "assert not {m for m in loaded if m.startswith(('numpy', 'pydicom'))}, 'not lazy'\n"
        "t.write_ct_cohort, t.write_mr_cohort, t.check_model, t.thorax_phantom\n"
        "import medvision.testing.__main__\n"
        "names = {m.split('.')[0] for m in sys.modules}\n"
        "print(sorted(names & {'torch', 'monai', 'lightning', 'matplotlib', 'hypothesis'}))\n"
        "print(sorted(m for m in sys.modules if m.startswith('medvision.')\n"
        "      and not m.startswith(('medvision.testing', 'medvision.errors'))))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n[]\n"
