"""Text as LaTeX reads it, with every character that has a meaning of its own made harmless."""

from __future__ import annotations

_CHARACTERS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "–": "--",
    "—": "---",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "≈": r"$\approx$",
    "∞": r"$\infty$",
    "·": r"$\cdot$",
    "…": r"\ldots{}",
    "°": r"$^{\circ}$",
    "²": r"$^{2}$",
    "³": r"$^{3}$",
    "µ": r"$\mu$",
    "→": r"$\rightarrow$",
    "†": r"\textdagger{}",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
    "\u00a0": "~",
    "\n": " ",
    "\r": " ",
}


def escape_latex(text: str) -> str:
    r"""Return text that prints as it stands with pdfLaTeX, XeLaTeX and LuaLaTeX.

    A bracket or star at the start of a cell is put in braces: after `\\` LaTeX would read it as an
    option of the line break.

    Example:
        >>> print(escape_latex("50% of A_1 & B"))
        50\% of A\_1 \& B
        >>> print(escape_latex("[1–2] p<0.001"))
        {[}1--2] p$<$0.001
    """
    escaped = "".join(_CHARACTERS.get(character, character) for character in text)
    return f"{{{escaped[0]}}}{escaped[1:]}" if escaped[:1] in ("[", "*") else escaped
