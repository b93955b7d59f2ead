"""A study file as text, in which a comment says of each choice what it means and what was assumed."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from medvision.config.dump import yaml_text
from medvision.workflows.init_columns import Inputs, Label
from medvision.workflows.init_images import ImageSummary, Triple

_SIDE_2_CORES = 64
_WIDTH = 104


@dataclass(frozen=True)
class Line:
    """A setting with its comment.

    Attributes:
        key: The setting; empty for a comment alone.
        value: Plain data.
        why: The comment above it.
        assumed: Whether the value is a guess that somebody has to read.
    """

    key: str = ""
    value: object = None
    why: str = ""
    assumed: bool = False


Sections = Sequence[tuple[str, Sequence[Line]]]


def study_text(heading: str, sections: Sections) -> str:
    """Write a study file.

    Args:
        heading: The comment at its top.
        sections: Name and lines of each section; those without a name stand at the top level.

    Returns:
        YAML with comments.

    Example:
        >>> print(study_text("Made up.", [("split", [Line("folds", 5, "How many.", assumed=True)])]), end="")
        # Made up.
        <BLANKLINE>
        split:
          # assumed: How many.
          folds: 5
    """
    blocks = [_comment(heading, "")]
    for name, lines in sections:
        indent = "  " if name else ""
        body = [text for line in lines for text in _lines(line, indent)]
        blocks.append("\n".join(([f"{name}:"] if name else []) + body))
    return "\n\n".join(blocks) + "\n"


def assumptions(sections: Sections) -> list[str]:
    """The comments that say what was assumed, with the setting that they are about."""
    return [
        f"{f'{name}.' if name else ''}{line.key} = {_shown(line.value)}: {line.why}"
        for name, lines in sections
        for line in lines
        if line.assumed
    ]


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {item}' for key, item in value.items())}}}"
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def _lines(line: Line, indent: str) -> Iterable[str]:
    if line.why:
        yield _comment(f"assumed: {line.why}" if line.assumed else line.why, indent)
    if line.key:
        # A mapping of plain values alone would be written on one line, in braces.
        text = yaml_text({line.key: line.value, "last": [0]})
        yield from (indent + part for part in text.splitlines()[:-1])


def _comment(text: str, indent: str) -> str:
    lines = [
        part for paragraph in text.splitlines() for part in textwrap.wrap(paragraph, _WIDTH - len(indent))
    ]
    return "\n".join(f"{indent}# {line}" for line in lines)


@dataclass(frozen=True)
class Grid:
    """The voxels that a network sees.

    Attributes:
        spacing_mm: Voxel size that images are brought to; None keeps their own.
        size: Voxels of a crop or a patch.
        why_spacing: Reason for the voxel size.
        why_size: Reason for the size.
        whole: Whether the whole of the usual image fits.
    """

    spacing_mm: list[float] | None
    size: list[int]
    why_spacing: str
    why_size: str
    whole: bool


def patch_grid(images: ImageSummary, stride: int) -> Grid:
    """Voxel size and patch for a segmentation: sides divisible by the network's stride.

    Args:
        images: What the images are like.
        stride: How often the network halves its input, as a factor.

    Returns:
        The grid, for two cores.
    """
    spacing, why_spacing = _spacing(images)
    voxels = [extent / mm for extent, mm in zip(images.extent_mm, images.spacing_mm, strict=True)]
    rounded = [max(stride, math.ceil(side / stride - 1e-6) * stride) for side in voxels]
    size = [min(_SIDE_2_CORES // stride * stride, side) for side in rounded]
    if all(side == stride for side in size):
        size = [2 * stride] * 3  # one voxel would be left at the lowest level
    whole = all(side >= needed for side, needed in zip(size, rounded, strict=True))
    why = "divisible by the network's stride; nine in ten images fit in it" if whole else (
        "a part of the image, as large as two cores train in reasonable time; on a GPU take [128, "
        "128, 96] or so"
    )  # fmt: skip
    return Grid(spacing, size, why_spacing, why, whole)


def crop_grid(images: ImageSummary, box_mm: Triple | None) -> Grid:
    """Voxel size and crop for a classification, which takes images of one size.

    Args:
        images: What the images are like.
        box_mm: Extent of what the masks outline, where the crop goes around them.

    Returns:
        The grid, for two cores.
    """
    spacing, why_spacing = _spacing(images)
    wanted = images.extent_mm if box_mm is None else tuple(1.5 * mm for mm in box_mm)
    fine = spacing or list(images.spacing_mm)
    coarse = [round(max(mm, extent / _SIDE_2_CORES), 2) for mm, extent in zip(fine, wanted, strict=True)]
    if any(much > 1.01 * little for much, little in zip(coarse, fine, strict=True)):
        # Voxels become larger, and about as wide as they are high.
        least = max(coarse) if box_mm is None else min(coarse)
        spacing = [round(max(mm, least / 2), 2) for mm in coarse]
        why_spacing = (
            f"coarser than the images ({_times(images.spacing_mm)} mm), so that "
            f"{'a whole image' if box_mm is None else 'what the masks outline'} fits into "
            f"{_SIDE_2_CORES} voxels "
            "a side on two cores; SMALL FINDINGS VANISH: crop around a mask, or use finer voxels on a GPU"
        )
    used = spacing or list(images.spacing_mm)
    size = [max(1, math.ceil(extent / mm - 1e-6)) for extent, mm in zip(wanted, used, strict=True)]
    size = [min(_SIDE_2_CORES, side) if side == 1 else min(_SIDE_2_CORES, max(8, side)) for side in size]
    why = "nine in ten images fit in it" if box_mm is None else "1.5 times the box around nine in ten masks"
    return Grid(spacing, size, why_spacing, why, True)


def _spacing(images: ImageSummary) -> tuple[list[float] | None, str]:
    if images.one_spacing:
        return (
            None,
            f"all {images.looked_at} images looked at have {_times(images.spacing_mm)} mm, so none is "
            "resampled",
        )
    spacing = [float(f"{mm:.3g}") for mm in images.spacing_mm]
    return spacing, f"the median of {images.looked_at} images, by axis (right–left, front–back, head–foot)"


def _times(values: Iterable[float]) -> str:
    return "×".join(f"{value:.3g}" for value in values)


def intensity_line(images: ImageSummary) -> Line:
    """How intensities are scaled, by modality."""
    if images.modality == "CT":
        why = f"CT ({images.why}); this window keeps lung and bone, [-160, 240] is for soft tissue"
        return Line("intensity", {"kind": "window", "window_hu": [-1000.0, 1000.0]}, why, assumed=True)
    kind = images.modality or "not CT"
    why = f"{kind} ({images.why}): each image gets mean 0 and standard deviation 1; for CT use kind: window"
    return Line("intensity", {"kind": "zscore"}, why, assumed=True)


def preprocessing_lines(images: ImageSummary, grid: Grid, crop: Line | None) -> list[Line]:
    """The deterministic steps."""
    lines = [
        Line("orientation", "RAS", "Axes: i to the right, j to the front, k to the head."),
        Line("spacing_mm", grid.spacing_mm, f"voxel size in mm: {grid.why_spacing}", assumed=True),
        intensity_line(images),
    ]
    return lines if crop is None else [*lines, crop]


def crop_line(grid: Grid, centre: str) -> Line:
    """The box that a classification looks at."""
    crop = {"kind": "center", "size_voxels": grid.size, "around": centre}
    return Line("crop", crop, f"a box around the centre of the {centre}; {grid.why_size}", assumed=True)


def augmentation_lines() -> list[Line]:
    """The random steps, mild ones."""
    return [
        Line(why="flip_axes: [0] mirrors left and right: add it where the side means nothing."),
        Line(
            "rotate_deg", [0.0, 0.0, 15.0], "Random changes of each batch; this one turns in the axial plane."
        ),
        Line("scale", 0.1),
    ]


def split_lines(folds: int, official: str | None) -> list[Line]:
    """How the cases are divided.

    Args:
        folds: Of a cross-validation.
        official: The column with an official split (train, val, test), which is then followed.
    """
    if official is None:
        why = f"{folds}-fold cross-validation; patients are never divided, and classes are balanced"
        return [Line("folds", folds, why)]
    why = "The official split, the only one that is comparable with published figures."
    return [
        Line("kind", "column", why),
        Line("column", official),
        Line("train_values", ["train"]),
        Line("validation_values", ["val"], "Chooses the epoch and the threshold."),
        Line("test_values", ["test"]),
    ]


def cohort_lines(
    path: str, roles: dict[str, str], *, is_msd: bool, with_mask: bool, inputs: Inputs | None
) -> list[Line]:
    """Who is in the study."""
    lines = [
        Line("kind", "msd" if is_msd else "manifest", "" if is_msd else "One row a case."),
        Line("path", path, "Relative to this file."),
    ]
    if is_msd:
        return lines
    lines.append(
        Line("patient", roles["patient"], "The patient: all cases of one stay on one side of every split.")
    )
    lines += [Line("case", roles["case"])] if "case" in roles else []
    lines.append(Line("image", roles["image"]))
    lines += [Line("mask", roles["mask"])] if with_mask else []
    if inputs is None:
        return lines
    if inputs.covariates:
        strong = [f"{name} alone tells the label with AUC {auc:.2f}" for name, auc in inputs.strong.items()]
        why = "Table 1 shows these, and comparators may use them; the image model never does"
        why += f". READ ANY IMAGE MODEL AGAINST THEM: {'; '.join(strong)}" if strong else ""
        lines.append(Line("covariates", inputs.covariates, why, assumed=True))
    if inputs.forbidden:
        reasons = "; ".join(f"{name} ({why})" for name, why in inputs.forbidden.items())
        lines.append(
            Line("forbidden", list(inputs.forbidden), f"must never be an input: {reasons}", assumed=True)
        )
    if inputs.left_out:
        reasons = "; ".join(f"{name} ({why})" for name, why in inputs.left_out.items())
        lines.append(Line(why=f"Columns that are not used: {reasons}."))
    return lines


def label_lines(label: Label, why: str, sampled_negative: bool = True) -> list[Line]:
    """What a classification learns."""
    lines = [
        Line("kind", "classification"),
        Line("label", label.column, why, assumed=True),
        Line("positive", label.positive, "the value that means diseased", assumed=True),
    ]
    lines += [Line("negative", label.negative)] if sampled_negative else []
    return [*lines, Line("unit", "scan", "What a case is called in tables: scan, nodule, breast.")]


def structure_lines(structures: dict[str, int], why: str) -> list[Line]:
    """What a segmentation learns."""
    return [
        Line("kind", "segmentation"),
        Line(
            "labels",
            structures,
            f"value of each structure in the masks, 0 is background; {why}",
            assumed=True,
        ),
        Line("unit", "scan", "What a case is called in tables."),
    ]


def network_sections(grid: Grid, stride: int, *, segments: bool, cases: int) -> Sections:
    """Network, training and prediction, for two cores, with what a GPU allows in the comments."""
    return _segmenting(grid, stride) if segments else _classifying(grid, cases)


def _segmenting(grid: Grid, stride: int) -> Sections:
    channels = [16 * 2**level for level in range(int(math.log2(stride)) + 1)]
    training = [
        Line("epochs", 50, "Passes over the training cases; on a GPU 200 or more."),
        Line("batch_size", 2),
        Line("patch_voxels", grid.size, grid.why_size, assumed=True),
        Line("pad_small", True, "An image that is smaller than the patch is padded with its lowest value."),
        Line("optimizer", {"kind": "adamw", "learning_rate": 0.001, "weight_decay": 0.01}),
    ]
    window = [Line("window_voxels", grid.size, "Larger images are predicted window by window.")]
    return [
        ("model", [
            Line("kind", "dynunet", "The U-Net of nnU-Net; on a GPU: channels [32, 64, 128, 256, 320]."),
            Line("channels", channels),
        ]),
        ("training", training),
        ("prediction", window),
    ]  # fmt: skip


def _classifying(grid: Grid, cases: int) -> Sections:
    wide = max(grid.size) > 40
    training = [
        Line("epochs", 30, "Passes over the training cases; on a GPU 100 or so."),
        Line("batch_size", 4 if wide else min(16, max(2, cases // 8)), "Cases in a step; on a GPU 8 to 32."),
        Line("optimizer", {"kind": "adamw", "learning_rate": 0.001, "weight_decay": 0.01}),
        Line("inner", {"kind": "holdout", "fraction": 0.2},
             "The threshold is chosen on this share of the training patients, never on the test part."),
    ]  # fmt: skip
    return [
        ("model", [
            Line("kind", "resnet", "On a GPU: depth 18, widths [64, 128, 256, 512]."),
            Line("depth", 10),
            Line("widths", [16, 32, 64, 128]),
            Line("stem_kernel", 3),
            Line("stem_stride", 2 if wide else 1, "1 keeps small lesions sharp, 2 saves time."),
        ]),
        ("training", training),
        ("evaluation", [
            Line("threshold", "youden", "Or what a clinic would use, such as sensitivity>=0.95 or cost:5."),
        ]),
    ]  # fmt: skip
