"""A thorax-like CT with nodules whose label shows in edge and texture alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from medvision.errors import MedvisionError
from medvision.testing.anatomy import draw_anatomy, draw_body, draw_vessels
from medvision.testing.fields import correlated_noise
from medvision.testing.nodules import Look, Shape, draw_look, draw_nodule, draw_shape
from medvision.testing.phantom import (
    FloatArray,
    Grid,
    Label,
    Lesion,
    Orientation,
    PatientPosition,
    Phantom,
    Point,
    affine_of,
)

View = Literal["right lung", "left lung", "chest"]
_SIDES: dict[View, tuple[int, ...]] = {"right lung": (1,), "left lung": (-1,), "chest": (1, -1)}
_TRIES = 1000
_STARTS = 20
_WALL_GAP_MM = 5.0
_NODULE_GAP_MM = 8.0


def thorax_phantom(
    seed: int,
    *,
    shape: tuple[int, int, int] = (128, 128, 40),
    spacing_mm: Point = (1.2, 1.2, 2.0),
    lesions: int | None = None,
    labels: Sequence[Label] | None = None,
    diameters_mm: tuple[float, float] = (8.0, 20.0),
    separation: float = 0.55,
    view: View = "right lung",
    orientation: Orientation = "axial",
    patient_position: PatientPosition = "HFS",
    oblique_deg: float = 0.0,
    noise_hu: float = 25.0,
    blur_voxels: float = 0.5,
) -> Phantom:
    """A chest CT with one to four nodules, in Hounsfield units.

    The label of a nodule decides its edge and texture (benign: smooth and even, at times calcified;
    malignant: spiculated, blurred, uneven, at times part-solid) and nothing else: with the same seed and
    other labels the mask is the same, voxel for voxel.

    Args:
        seed: Decides everything that the other arguments leave open.
        shape: Voxels along i, j and k.
        spacing_mm: Distance of voxel centres along i, j and k.
        lesions: Number of nodules; drawn from 1 to 4 by default.
        labels: Label of each nodule; drawn with equal chance by default.
        diameters_mm: Smallest and largest diameter; drawn evenly on a logarithmic scale.
        separation: How far apart the two labels look; 0 makes them alike.
        view: Where the field of view is centred.
        orientation: Plane of the slices.
        patient_position: How the patient lies, as DICOM codes it.
        oblique_deg: Turns the whole frame.
        noise_hu: Standard deviation of the noise in Hounsfield units.
        blur_voxels: Standard deviation of the scanner's blur in the slice.

    Returns:
        The phantom; its mask holds each nodule's number, the first nodule 1.

    Raises:
        MedvisionError: Nodules that do not fit into the lung that is in view.

    Example:
        >>> phantom = thorax_phantom(7, shape=(64, 64, 24), spacing_mm=(2.4, 2.4, 4.0), labels=["benign"])
        >>> phantom.lesions[0].label, phantom.array.dtype.name
        ('benign', 'int16')
    """
    patient, background, place, appearance, scanner = np.random.default_rng(seed).spawn(5)
    body = draw_body(patient)
    centre = (float(np.mean(_SIDES[view])) * body.width_mm * 0.6, -4.0, 0.0)
    affine = affine_of(
        shape,
        spacing_mm,
        centre_mm=centre,
        orientation=orientation,
        patient_position=patient_position,
        oblique_deg=oblique_deg,
    )
    grid = Grid(shape, affine)
    hu, lung = draw_anatomy(grid, body, background)
    for side in _SIDES[view]:
        draw_vessels(hu, lung, grid, body, side, background)
    shapes = _place_shapes(grid, lung, place, lesions if labels is None else len(labels), diameters_mm)
    given = _labels(appearance, len(shapes), labels)
    looks = [draw_look(appearance, label, separation) for label in given]
    mask = np.zeros(shape, np.uint8)
    for number, (form, look) in enumerate(zip(shapes, looks, strict=True), start=1):
        draw_nodule(hu, mask, grid, form, look, number, int(appearance.integers(2**32)))
    table = tuple(
        _lesion(number, grid, mask, form, label, look)
        for number, (form, label, look) in enumerate(zip(shapes, given, looks, strict=True), start=1)
    )
    return Phantom(
        modality="CT",
        array=_scan(hu, scanner, noise_hu, blur_voxels),
        affine=affine,
        mask=mask,
        structures={f"nodule {lesion.number}": lesion.number for lesion in table},
        lesions=table,
        patient_position=patient_position,
        seed=seed,
    )


def _scan(
    hu: FloatArray, random: np.random.Generator, noise_hu: float, blur_voxels: float
) -> npt.NDArray[np.int16]:
    """What the scanner makes of it: blur, noise, whole numbers."""
    hu = ndimage.gaussian_filter(hu, (blur_voxels, blur_voxels, 0.35), mode="nearest", truncate=3.0)
    hu += correlated_noise(random, hu.shape, 0.6) * np.float32(noise_hu)
    return np.clip(np.rint(hu), -1024, 3071).astype(np.int16)


def _labels(random: np.random.Generator, count: int, given: Sequence[Label] | None) -> list[Label]:
    drawn = random.random(count) < 0.5  # drawn in any case, so that what follows does not depend on `given`
    return list(given) if given is not None else ["malignant" if one else "benign" for one in drawn]


def _place_shapes(
    grid: Grid,
    lung: FloatArray,
    random: np.random.Generator,
    count: int | None,
    diameters_mm: tuple[float, float],
) -> list[Shape]:
    drawn = int(random.integers(1, 5))
    low, high = np.log(diameters_mm)
    diameters = np.exp(random.uniform(low, high, drawn if count is None else count))
    for _ in range(_STARTS):
        centres = _free_places(grid, lung, random, diameters / 2)
        if centres is not None:
            return [draw_shape(random, c, float(d)) for c, d in zip(centres, diameters, strict=True)]
    raise MedvisionError(
        f"nodules of {', '.join(f'{d:.0f}' for d in diameters)} mm do not fit into the lung in view of "
        f"{' × '.join(map(str, grid.shape))} voxels: ask for a larger shape, smaller diameters_mm or fewer "
        "lesions"
    )


def _free_places(
    grid: Grid, lung: FloatArray, random: np.random.Generator, radii: npt.NDArray[np.float64]
) -> list[Point] | None:
    """Room for each nodule, the largest first, or None where one finds no room."""
    taken: dict[int, tuple[Point, float]] = {}
    for n in np.argsort(-radii):
        centre = _free_place(grid, lung, random, float(radii[n]), list(taken.values()))
        if centre is None:
            return None
        taken[int(n)] = centre, float(radii[n])
    return [taken[n][0] for n in range(len(radii))]


def _free_place(
    grid: Grid,
    lung: FloatArray,
    random: np.random.Generator,
    radius: float,
    taken: Sequence[tuple[Point, float]],
) -> Point | None:
    """A point in the lung with room around it: to the wall, to the border of the image, to other nodules."""
    spacing = np.linalg.norm(grid.affine[:3, :3], axis=0)
    margin = np.ceil((1.25 * radius + _WALL_GAP_MM) / spacing)
    low, high = margin, np.array(grid.shape) - 1 - margin
    if (low > high).any():
        return None
    for index in random.uniform(low, high, (_TRIES, 3)):
        i, j, k = np.rint(index).astype(int)
        if lung[i, j, k] > -(1.25 * radius + _WALL_GAP_MM):
            continue
        centre = grid.affine[:3, :3] @ index + grid.affine[:3, 3]
        gaps = [np.linalg.norm(centre - other) - radius - other_radius for other, other_radius in taken]
        if min(gaps, default=np.inf) >= _NODULE_GAP_MM:
            return float(centre[0]), float(centre[1]), float(centre[2])
    return None


def _lesion(
    number: int, grid: Grid, mask: npt.NDArray[np.uint8], form: Shape, label: Label, look: Look
) -> Lesion:
    volume = float(np.count_nonzero(mask == number)) * grid.voxel_mm**3
    i, j, k = (float(v) for v in grid.index_of(form.centre_mm))
    return Lesion(
        number=number,
        label=label,
        centre_mm=form.centre_mm,
        centre_ijk=(i, j, k),
        diameter_mm=float((6 * volume / np.pi) ** (1 / 3)),
        suspicion=look.suspicion,
        edge_mm=look.edge_mm,
        spicules=look.spicules,
        texture_hu=look.texture_hu,
        solid_fraction=look.solid_fraction,
        calcification_hu=look.calcification_hu,
    )
