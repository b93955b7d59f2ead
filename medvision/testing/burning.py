"""Write letters into pixels, as scanners and secondary captures do."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medvision.errors import MedvisionError

Pixels = npt.NDArray[np.integer[Any]]

_FONT = {  # three by five dots: each octal digit is a row
    "A": "25755", "B": "65656", "C": "34443", "D": "65556", "E": "74647", "F": "74644", "G": "34553",
    "H": "55755", "I": "72227", "J": "11152", "K": "55655", "L": "44447", "M": "57755", "N": "65555",
    "O": "25552", "P": "65644", "Q": "25563", "R": "65655", "S": "34216", "T": "72222", "U": "55557",
    "V": "55552", "W": "55775", "X": "55255", "Y": "55222", "Z": "71247",
}  # fmt: skip


def burn_text(pixels: Pixels, text: str, value: int) -> Pixels:
    """Write text into the upper left corner, about half the width of the image."""
    unknown = sorted(set(text) - set(_FONT))
    if unknown or not text:
        raise MedvisionError(f"text {text!r} must be letters A to Z")
    dots = np.zeros((5, 4 * len(text)), bool)
    for place, letter in enumerate(text):
        for row, digit in enumerate(_FONT[letter]):
            dots[row, 4 * place : 4 * place + 3] = [c == "1" for c in f"{int(digit, 8):03b}"]
    size = max(1, pixels.shape[1] // (2 * dots.shape[1]))
    block = np.kron(dots, np.ones((size, size), bool))[: pixels.shape[0] - 2, : pixels.shape[1] - 2]
    pixels[2 : 2 + block.shape[0], 2 : 2 + block.shape[1]][block] = value
    return pixels
