"""LaTeX reads what was written."""

import shutil
import subprocess

import pytest

from medvision.reporting.tables.latex import escape_latex


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\\b", r"a\textbackslash{}b"),
        ("{x}", r"\{x\}"),
        ("$5 #1 ~ ^", r"\$5 \#1 \textasciitilde{} \textasciicircum{}"),
        ("1–2 −3", "1--2 $-$3"),
        ("±1.96 × 2 ≥ 1", r"$\pm$1.96 $\times$ 2 $\geq$ 1"),
        ("*note", "{*}note"),
        ("", ""),
    ],
)
def test_characters(text, escaped):
    assert escape_latex(text) == escaped


def test_latex_compiles_every_table(classification_run, tmp_path):
    compiler = shutil.which("pdflatex")
    if compiler is None:
        pytest.skip("pdflatex is not installed")
    tables = "".join(path.read_text() for path in sorted((classification_run / "tables").glob("*.tex")))
    document = rf"\documentclass{{article}}\usepackage{{booktabs}}\begin{{document}}{tables}\end{{document}}"
    (tmp_path / "all.tex").write_text(document)
    command = [compiler, "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, [line for line in done.stdout.splitlines() if line.startswith("!")]
