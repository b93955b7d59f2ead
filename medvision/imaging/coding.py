"""How the pixels of a DICOM file are stored, as its header says."""

from __future__ import annotations

from dataclasses import dataclass

from medvision.imaging.values import Elements, number, text

CODING_TAGS = (
    "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
)  # fmt: skip


@dataclass(frozen=True)
class PixelCoding:
    """Size and meaning of the stored cells.

    Attributes:
        rows: Rows of a frame.
        columns: Columns of a frame.
        frames: Number of frames.
        allocated: Bits of a cell.
        stored: Bits of a cell that hold the value.
        high_bit: Place of the value's highest bit in its cell.
        signed: Whether values are two's complement.
        colour: Whether a pixel is a colour: several samples, or an index into a palette.
        photometric: PhotometricInterpretation.
        samples: Samples of a pixel.
        real: Whether the pixels are floating point numbers (PS3.3 C.7.6.24 and C.7.6.25).
    """

    rows: int
    columns: int
    frames: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    colour: bool
    photometric: str
    samples: int = 1
    real: bool = False

    @property
    def bytes(self) -> int:
        """Bytes of all frames when they are not compressed."""
        # PS3.3 C.7.6.3.1.2: two pixels share their colour, so there are two samples for each.
        samples = 2 if self.photometric == "YBR_FULL_422" else self.samples
        return self.rows * self.columns * samples * self.frames * self.allocated // 8

    @property
    def stored_range(self) -> tuple[int, int]:
        """Smallest and largest value that the stored bits and the sign, or a palette, allow."""
        if "PALETTE" in self.photometric:
            return 0, 2**16 - 1
        if self.signed:
            return -(2 ** (self.stored - 1)), 2 ** (self.stored - 1) - 1
        return 0, 2**self.stored - 1


def pixel_coding(elements: Elements) -> PixelCoding:
    """Read how pixels are stored.

    Raises:
        ValueError: Numbers that cannot be.
    """
    allocated = int(elements.get("BitsAllocated") or 0)
    stored = int(elements.get("BitsStored") or allocated)
    high = elements.get("HighBit")
    samples = int(elements.get("SamplesPerPixel") or 1)
    photometric = text(elements, "PhotometricInterpretation")
    if not 0 < stored <= allocated <= 64:
        raise ValueError(f"BitsStored {stored} of BitsAllocated {allocated}")
    return PixelCoding(
        rows=int(elements.get("Rows") or 0),
        columns=int(elements.get("Columns") or 0),
        frames=int(elements.get("NumberOfFrames") or 1),
        allocated=allocated,
        stored=stored,
        high_bit=stored - 1 if high is None else int(high),
        signed=bool(int(elements.get("PixelRepresentation") or 0)),
        colour=samples != 1 or "PALETTE" in photometric,
        photometric=photometric,
        samples=samples,
    )


def is_rescaled(modality: str, slope: float | None, intercept: float | None) -> bool:
    """Whether a header states what its values mean; Hounsfield units and activity need slope and intercept.

    Example:
        >>> is_rescaled("CT", 1.0, None), is_rescaled("MR", 2.0, None)
        (False, True)
    """
    both = modality in ("CT", "PT")
    stated = [value is not None for value in (slope, intercept)]
    return all(stated) if both else any(stated)


def rescale(elements: Elements) -> tuple[float | None, float | None]:
    """RescaleSlope and RescaleIntercept; None where absent.

    Raises:
        ValueError: A slope of 0, or one that is no number.
    """
    slope = number(elements, "RescaleSlope")
    if slope == 0:
        raise ValueError("RescaleSlope is 0")
    return slope, number(elements, "RescaleIntercept")
