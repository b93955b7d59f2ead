"""Which series of an inventory a study takes: the rule file of `medvision scan --rules`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from medvision.config.base import Count, NonNegative, Section
from medvision.config.explain import explain
from medvision.config.fields import document_of
from medvision.config.inherit import read_chain, stop

Word = Annotated[str, Field(min_length=1)]
Words = tuple[Word, ...]


def _day(text: str) -> str:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date().isoformat()
    except ValueError:
        raise ValueError(f"{text!r} is no day; write it as YYYY-MM-DD") from None


Day = Annotated[str, AfterValidator(_day)]
Preference = Literal[
    "most_slices", "fewest_slices", "thinnest_slices", "thickest_slices", "smallest_pixels", "earliest",
    "latest",
]  # fmt: skip


class Range(Section):
    """A number between two bounds, both included."""

    at_least: NonNegative | None = None
    """The smallest value."""
    at_most: NonNegative | None = None
    """The largest value."""

    @model_validator(mode="after")
    def _not_empty(self) -> Range:
        if self.at_least is None and self.at_most is None:
            raise ValueError("say at_least, at_most or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least:g} is more than at_most {self.at_most:g}")
        return self


class SliceCount(Range):
    """A number of slices."""

    at_least: Count | None = None
    """The smallest number."""
    at_most: Count | None = None
    """The largest number."""


class Period(Section):
    """Days as YYYY-MM-DD, both included."""

    first: Day | None = None
    """The first day."""
    last: Day | None = None
    """The last day."""

    @model_validator(mode="after")
    def _not_empty(self) -> Period:
        if self.first is None and self.last is None:
            raise ValueError("say first, last or both")
        if self.first is not None and self.last is not None and self.first > self.last:
            raise ValueError(f"first {self.first} is after last {self.last}")
        return self


class Text(Section):
    """Words in a text, whatever their capitals."""

    contains: Words = ()
    """At least one of these is in it."""
    without: Words = ()
    """None of these is in it."""

    @model_validator(mode="after")
    def _not_empty(self) -> Text:
        if not self.contains and not self.without:
            raise ValueError("say what it contains, what it is without, or both")
        return self


class Conditions(Section):
    """What a series must be; looked at in this order, and the flow diagram counts each."""

    kind: Annotated[tuple[Literal["image", "derived"], ...], Field(min_length=1)] = ("image",)
    """Original images only, or derived ones (reformats, maps) too."""
    modality: Words = ()
    """DICOM's letters, such as CT."""
    study_date: Period | None = None
    """When the study was made."""
    body_part: Text | None = None
    """In BodyPartExamined."""
    description: Text | None = None
    """In SeriesDescription; scanners and people write it, so say it last."""
    manufacturer: Text | None = None
    """In Manufacturer."""
    orientation: tuple[Literal["axial", "coronal", "sagittal"], ...] = ()
    """The plane of the slices."""
    oblique: Literal["allowed", "refused"] = "allowed"
    """Whether planes that lean by 5° or more count as the plane nearest to them."""
    slice_spacing_mm: Range | None = None
    """Distance between slices."""
    thickness_mm: Range | None = None
    """SliceThickness."""
    pixel_spacing_mm: Range | None = None
    """Distance between pixels, the larger of the two."""
    slices: SliceCount | None = None
    """Number of slices."""
    kernel: Literal["soft", "sharp"] | None = None
    """Class of the reconstruction kernel, by the vendor's names; unknown names are neither."""
    kernel_name: Text | None = None
    """In ConvolutionKernel."""
    sequence: Text | None = None
    """In ScanningSequence, SequenceVariant and SequenceName."""
    contrast: Literal["yes", "no"] | None = None
    """Whether the header states a contrast agent; it may have been given and not been written down."""

    @field_validator("modality")
    @classmethod
    def _capitals(cls, value: Words) -> Words:
        return tuple(word.upper() for word in value)


class Selection(Section):
    """A rule file: exactly one complete series for each study or patient, or none and the reason."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    """Names the folder of the outcome: letters, digits, dots, dashes and underscores."""
    one_per: Literal["study", "patient"] = "patient"
    """For each of these one series is taken."""
    where: Conditions = Conditions()
    """What a series must be. It must also be complete, no copy, and of a known patient."""
    prefer: tuple[Preference, ...] = ("most_slices",)
    """Which of several is taken: by the first, where equal by the next. What is still equal is a tie,
    which is listed and not taken."""


def load_selection(path: str | Path) -> Selection:
    """Read and check a rule file.

    Args:
        path: The YAML file; `extends:` works as in a study.

    Raises:
        ConfigError: Everything that is wrong, each as `file:line:column: path: what`.

    Example:
        >>> file = getfixture("tmp_path") / "rules.yaml"
        >>> _ = file.write_text('''name: thorax
        ... one_per: study
        ... where: {modality: [CT], orientation: [axial], slice_spacing_mm: {at_most: 2}, kernel: soft}
        ... ''')
        >>> load_selection(file).where.slice_spacing_mm.at_most
        2.0
    """
    source = Path(path)
    tree, problems = read_chain(source)
    try:
        selection = Selection.model_validate(tree.plain())
    except ValidationError as error:
        with document_of(Selection):
            problems += explain(error.errors(include_url=False), tree)
        raise stop(problems, str(source)) from None
    if problems:
        raise stop(problems, str(source))
    return selection
