"""Nothing on the page about masks is unexecuted."""

import doctest
import re
import shlex

import nibabel
import pytest

from medvision.cli import main


def test_the_examples_and_commands_run(repository, tmp_path, monkeypatch):
    text = (repository / "docs" / "masks.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (python,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    test = doctest.DocTestParser().get_doctest(python, {}, "docs/masks.md", "docs/masks.md", 0)
    failed, tried = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test)
    assert (failed, tried > 8) == (0, True)
    (console,) = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    for line in console.splitlines():
        program, *words = shlex.split(line)
        assert program == "medvision"
        with pytest.raises(SystemExit) as left:
            main(words)
        assert left.value.code == 0
    assert nibabel.load("gtv.nii.gz").get_fdata().sum() == 100
