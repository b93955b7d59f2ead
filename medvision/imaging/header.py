"""What the header of one DICOM file says about its slices; no pixel is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from medvision.errors import SeriesError
from medvision.imaging.coding import PixelCoding, is_rescaled, rescale
from medvision.imaging.dataset import CUT_SHORT, PIXEL_TAGS, kind_of, pixels_of, read_header
from medvision.imaging.decoding import in_short, syntax_of, undecodable, unreadable
from medvision.imaging.diffusion import DIFFUSION_TAGS, diffusion_keys
from medvision.imaging.elements import Elements as FileElements
from medvision.imaging.frames import GROUP_TAGS, frames, is_enhanced
from medvision.imaging.geometry import FloatArray
from medvision.imaging.mosaic import GRID_TAGS, is_grid, tiles
from medvision.imaging.native import NativePixels, native_pixels
from medvision.imaging.philips import PHILIPS_TAGS, scale_slope
from medvision.imaging.projection import PROJECTION_TAGS, is_projection, placed
from medvision.imaging.values import Elements, Key, Keys, key, number, strings, text, vector
from medvision.wording import pseudonym

VOLUME_KEYS = (
    "TemporalPositionIdentifier",
    "EchoNumbers",
    "EchoTime",
    "InversionTime",
    "FlipAngle",
    "DiffusionBValue",
    "DiffusionGradientOrientation",
    "TriggerTime",
    "NominalPercentageOfCardiacPhase",
    "AcquisitionNumber",
    "StackID",
    "ImageType",
    "ConvolutionKernel",
    "AcquisitionTime",
    "ContentTime",
)
"""What may tell apart volumes that share their positions, in order of preference."""

REPEATED_KEYS = VOLUME_KEYS[: VOLUME_KEYS.index("AcquisitionNumber")]
"""Those whose volumes repeat one stack: time points, echoes, b-values. Acquisitions may differ in length."""

HEADER_TAGS: tuple[str | int, ...] = (
    *VOLUME_KEYS,
    *PIXEL_TAGS,
    *GROUP_TAGS,
    *DIFFUSION_TAGS,
    *PHILIPS_TAGS,
    *PROJECTION_TAGS,
    *GRID_TAGS,
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesDescription", "Modality", "Manufacturer",
    "PatientID", "FrameOfReferenceUID", "InstanceNumber", "NumberOfTemporalPositions",
    "GantryDetectorTilt", "ModalityLUTSequence",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
    "SpacingBetweenSlices", "RescaleSlope", "RescaleIntercept", "RescaleType", "Units",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class SliceHeader:
    """One slice: a single-frame image, a frame of an enhanced object, or a tile of a mosaic.

    Attributes:
        path: The file.
        patient_id: PatientID.
        series_uid: SeriesInstanceUID.
        description: SeriesDescription.
        modality: Modality.
        instance_uid: SOPInstanceUID.
        instance_number: InstanceNumber, None where absent; the number of the frame, from 1.
        shape: Columns (i) and rows (j).
        position: ImagePositionPatient, LPS mm, shape (3,); None where absent.
        orientation: ImageOrientationPatient, shape (6,); None where absent.
        pixel_spacing: PixelSpacing in mm, between rows and between columns; None where absent.
        depth_mm: SpacingBetweenSlices, else SliceThickness; used for a lone slice only.
        spacing_between_mm: SpacingBetweenSlices; None where absent.
        slope: RescaleSlope, 1 where absent.
        intercept: RescaleIntercept, 0 where absent.
        coding: How the pixels are stored.
        same: What must agree in all slices of a series, by the name that an error uses.
        keys: What may tell apart volumes at the same positions (see ``VOLUME_KEYS``).
        refusal: Why this image cannot be a slice, and what to do; "" where it can. The attributes
            from ``shape`` on are then not to be relied on.
        rescaled: Whether the header states a slope or an intercept; both in CT and PET.
        philips_slope: Philips' scale slope (see `imaging.philips`); None where there is none.
        projection: What an affine means of a radiograph, which has no place in the patient; "" for a slice.
        native: Where the pixels stand, if they can be read without a decoder.
        tile: First row and column of the slice in the file's image; None where it is the whole image.
        frame: Which frame of the file, from 0.
    """

    path: Path
    patient_id: str
    series_uid: str
    description: str
    modality: str
    instance_uid: str
    instance_number: int | None
    shape: tuple[int, int]
    position: FloatArray | None
    orientation: FloatArray | None
    pixel_spacing: FloatArray | None
    depth_mm: float | None
    spacing_between_mm: float | None
    slope: float
    intercept: float
    coding: PixelCoding
    same: Mapping[str, str]
    keys: Mapping[str, Key]
    refusal: str = ""
    rescaled: bool = False
    philips_slope: float | None = None
    projection: str = ""
    native: NativePixels | None = None
    tile: tuple[int, int] | None = None
    frame: int = 0

    @property
    def name(self) -> str:
        """What an error calls the slice: its file, and the frame where there are several."""
        if self.coding.frames == 1:
            return self.path.name
        return f"{self.path.name} frame {self.frame + 1}"


def read_slices(path: Path) -> tuple[SliceHeader, ...]:
    """Read the header of one DICOM file and check that its pixels are all there.

    Returns:
        One header; those of all slices of a Siemens mosaic; one with a ``refusal`` where the image
        cannot be a slice (cut short, colour, multi-frame); none for a DICOM object that is no image
        (a report, a presentation state, a structure set, a DICOMDIR).

    Raises:
        SeriesError: Not DICOM, or a header that is damaged or cut short.
    """
    elements = read_header(path, HEADER_TAGS)
    return () if elements is None else slices_of(path, elements)


def slices_of(path: Path, elements: FileElements) -> tuple[SliceHeader, ...]:
    """The slices of a file with pixels, from its elements; see `read_slices`.

    Args:
        path: The file.
        elements: `HEADER_TAGS` among them.

    Raises:
        SeriesError: A header that cannot be understood, or a decompression bomb.
    """
    try:
        coding, complete = pixels_of(path, elements)
        refusal = _other_kind(elements, coding) or ("" if complete else CUT_SHORT)
        refusal = refusal or undecodable(syntax_of(elements), coding)
        return _slices(elements, _header(elements, path, coding, refusal))
    except unreadable() as error:
        raise SeriesError(
            f"{path}: its DICOM header cannot be understood ({in_short(error)}); export the file again"
        ) from error


def _slices(elements: Elements, whole: SliceHeader) -> tuple[SliceHeader, ...]:
    if whole.refusal:
        return (whole,)
    try:
        if is_enhanced(elements):
            return frames(elements, whole)
        if "MOSAIC" in strings(elements.get("ImageType")):
            return tiles(whole)
    except ValueError as error:
        return (replace(whole, refusal=f"{error}; export the series again with all its elements"),)
    return (whole,)


def _other_kind(elements: Elements, coding: PixelCoding) -> str:
    """Why an image holds no slices of grey values, and what to do; "" where it does."""
    uid = text(elements, "SOPClassUID")
    if uid.startswith("1.2.840.10008.5.1.4.1.1.66."):
        return "a DICOM segmentation, not a scan; give it as the mask"
    kind = kind_of(uid)
    if (coding.frames > 1 or "Enhanced" in kind) and not is_enhanced(elements):
        return (
            f"a multi-frame object ({kind}, {coding.frames} frames) that does not say where its frames lie; "
            "export the original series"
        )
    if is_grid(elements):
        return "slices tiled in one image by a UIH scanner, not read; export them as one image each"
    if "ModalityLUTSequence" in elements:
        return "its values are stored through a Modality LUT, not read; export it with RescaleSlope"
    return ""


def _header(elements: FileElements, path: Path, coding: PixelCoding, refusal: str) -> SliceHeader:
    between, thickness = number(elements, "SpacingBetweenSlices"), number(elements, "SliceThickness")
    instance = number(elements, "InstanceNumber")
    slope, intercept = rescale(elements)
    whole = SliceHeader(
        path=path,
        patient_id=text(elements, "PatientID"),
        series_uid=text(elements, "SeriesInstanceUID"),
        description=text(elements, "SeriesDescription"),
        modality=text(elements, "Modality"),
        instance_uid=text(elements, "SOPInstanceUID"),
        instance_number=None if instance is None else int(instance),
        shape=(coding.columns, coding.rows),
        position=vector(elements, "ImagePositionPatient", 3),
        orientation=vector(elements, "ImageOrientationPatient", 6),
        pixel_spacing=vector(elements, "PixelSpacing", 2),
        depth_mm=next((mm for mm in (between, thickness) if mm and mm > 0), None),
        spacing_between_mm=between,
        slope=1.0 if slope is None else slope,
        intercept=intercept or 0.0,
        coding=coding,
        same=MappingProxyType(_must_agree(elements, coding)),
        keys=MappingProxyType(diffusion_keys(elements) | _volume_keys(elements)),
        refusal=refusal,
        rescaled=is_rescaled(text(elements, "Modality"), slope, intercept),
        philips_slope=scale_slope(elements),
        native=native_pixels(elements, coding),
    )
    return placed(whole, elements) if is_projection(elements) and whole.position is None else whole


def _must_agree(elements: Elements, coding: PixelCoding) -> dict[str, str]:
    patient = text(elements, "PatientID")
    return {
        "patient": pseudonym(patient) if patient else "",
        "modality": text(elements, "Modality"),
        "frame of reference": text(elements, "FrameOfReferenceUID"),
        "matrix": f"{coding.columns}×{coding.rows}",
        "photometric interpretation": coding.photometric,
        "rescale type": text(elements, "RescaleType"),
        "units": text(elements, "Units"),
    }


def _volume_keys(elements: Elements) -> Keys:
    found = {name: elements.get(name) for name in (*VOLUME_KEYS, "NumberOfTemporalPositions")}
    return {name: key(value) for name, value in found.items() if value is not None and value != ""}
