from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from medvision.errors import GeometryError
from medvision.imaging import Geometry, Provenance, Volume, reorient
from medvision.imaging.volume import plane


def grid(*spacing: float, shape: tuple[int, int, int] = (4, 5, 6)) -> Geometry:
    return Geometry(shape, np.diag([*spacing, 1.0]))


def test_repr_is_what_a_radiologist_would_say() -> None:
    array = np.full((512, 512, 214), -1024, np.int16)
    array[0, 0, 0] = 3071
    volume = Volume(array, grid(-0.7, -0.7, 1.25, shape=array.shape), "CT")
    assert repr(volume) == "CT 512×512×214 · 0.70×0.70×1.25 mm · axial · HU −1024…3071"


def test_repr_of_floats_passes_over_nan() -> None:
    array = np.array([np.nan, -0.5, 1234.5678]).reshape(3, 1, 1)
    assert repr(Volume(array, grid(1, 1, 1, shape=(3, 1, 1)), "MR")).endswith("values −0.5…1235")
    array = np.full((3, 1, 1), np.nan)
    assert repr(Volume(array, grid(1, 1, 1, shape=(3, 1, 1)))).endswith("not finite")


def test_a_volume_cannot_be_changed() -> None:
    array = np.zeros((4, 5, 6))
    volume = Volume(array, grid(1, 1, 1))
    array[0, 0, 0] = 7
    assert volume.array[0, 0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        volume.array[0, 0, 0] = 7
    with pytest.raises(AttributeError):
        volume.modality = "CT"  # type: ignore[misc]  # that is the test


def test_shape_must_fit() -> None:
    with pytest.raises(GeometryError, match=r"shape \(4, 5, 5\) on a grid of shape \(4, 5, 6\)"):
        Volume(np.zeros((4, 5, 5)), grid(1, 1, 1))


def test_pickles_with_everything() -> None:
    volume = Volume(np.ones((4, 5, 6)), grid(1, 2, 3), "MR", Provenance((Path("a"),), "P1", "1.2", "T1"))
    again = pickle.loads(pickle.dumps(volume))
    assert np.array_equal(again.array, volume.array)
    assert (again.geometry, again.modality, again.provenance) == (
        volume.geometry,
        volume.modality,
        volume.provenance,
    )


def turned(degrees: float) -> Geometry:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    affine = np.diag([0.7, 0.7, 3.0, 1.0])
    affine[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ affine[:3, :3]
    return Geometry((4, 5, 6), affine)


def test_plane_of_the_slices() -> None:
    assert plane(grid(0.7, 0.7, 3.0)) == "axial"
    assert plane(
        Geometry((4, 5, 6), np.array([[0, 0, 3, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]]))
    ) == ("sagittal")
    assert plane(turned(4)) == "axial"
    assert plane(turned(10)) == "oblique axial"
    assert plane(turned(80)) == "oblique coronal"
    # A stack of tall voxels: slices lie across k even where k is not the coarsest axis.
    assert plane(grid(6.4, 4.0, 0.5)) == "axial"


def test_sagittal_slices_stay_sagittal_when_axes_are_reordered() -> None:
    affine = np.array([[0, 0, 5, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])
    volume = Volume(np.zeros((8, 9, 4)), Geometry((8, 9, 4), affine))
    assert plane(reorient(volume, "RAS").geometry) == "sagittal"
