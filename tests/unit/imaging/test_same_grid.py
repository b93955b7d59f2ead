from __future__ import annotations

import numpy as np
import pytest

from medvision.errors import GeometryError
from medvision.imaging import Geometry, Volume, check_same_grid


class TestSameGrid:
    image = Volume(np.zeros((4, 5, 6)), Geometry((4, 5, 6), np.diag([-1.0, -1.0, 2.0, 1.0])))

    def test_equal_within_rounding_passes(self) -> None:
        affine = np.array(self.image.affine)
        affine[0, 3] += 0.005
        check_same_grid(self.image, Geometry((4, 5, 6), affine))

    def test_shift_is_named_in_mm(self) -> None:
        affine = np.array(self.image.affine)
        affine[:3, 3] += [3, 4, 0]
        with pytest.raises(GeometryError, match="up to 5 mm apart"):
            check_same_grid(self.image, Geometry((4, 5, 6), affine))

    def test_shape_is_named(self) -> None:
        with pytest.raises(GeometryError, match=r"ct\.nii and m\.nii differ: shape 4×5×6 against 4×5×5"):
            check_same_grid(
                self.image, Geometry((4, 5, 5), np.eye(4)), image_name="ct.nii", mask_name="m.nii"
            )

    def test_flipped_storage_is_recognised(self) -> None:
        with pytest.raises(GeometryError, match=r"LPS against RAS; use reorient\(mask, 'LPS'\)"):
            check_same_grid(self.image, self.image.geometry.reoriented("RAS"))
