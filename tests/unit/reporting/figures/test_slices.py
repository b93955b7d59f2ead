"""Radiological convention, physical proportions, and the right slice."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from medvision.errors import GeometryError, MedvisionError
from medvision.imaging import Geometry, Volume
from medvision.reporting.figures.slices import Look, cut_slice, draw_slice, read_slice
from medvision.reporting.figures.style import new_figure


def volume(array, spacing=(1.0, 1.0, 1.0)):
    return Volume(array, Geometry(array.shape, np.diag([*spacing, 1.0])))


def test_axial_right_is_left_and_front_is_up():
    array = np.zeros((4, 5, 3))
    array[3, :, 1] = 1  # the patient's right, in RAS
    array[:, 4, 1] += 2  # the front
    cut = cut_slice(volume(array), {})
    assert cut.edges == ("R", "L", "A", "P")
    assert (cut.image[:, 0] >= 1).all()
    assert (cut.image[0, :] >= 2).all()
    assert cut.image[-1, -1] == 0


def test_coronal_and_sagittal_are_cut_across_the_coarsest_axis():
    array = np.zeros((6, 6, 6))
    array[5, :, :] += 1  # right
    array[:, 5, :] += 2  # front
    array[:, :, 5] += 4  # head
    coronal = cut_slice(volume(array, (1, 3, 1)), {})
    assert (coronal.plane, coronal.edges) == ("coronal", ("R", "L", "S", "I"))
    assert coronal.image[0, 0] - coronal.image[-1, -1] == 5
    sagittal = cut_slice(volume(array, (3, 1, 1)), {})
    assert (sagittal.plane, sagittal.edges) == ("sagittal", ("A", "P", "S", "I"))
    assert sagittal.image[0, 0] - sagittal.image[-1, -1] == 6


def test_the_slice_with_the_largest_mask_is_taken():
    reference = np.zeros((8, 8, 8), dtype=int)
    reference[2:4, 2:4, 1] = 1
    reference[2:6, 2:6, 5] = 1
    prediction = np.zeros_like(reference)
    prediction[:, :, 7] = 1
    masks = {"reference": reference, "prediction": prediction}
    cut = cut_slice(volume(np.zeros((8, 8, 8))), masks, ("reference", "prediction"))
    assert cut.position == "slice 6 of 8 from inferior"
    masks["reference"] = np.zeros_like(reference)
    cut = cut_slice(volume(np.zeros((8, 8, 8))), masks, ("reference", "prediction"))
    assert cut.position == "slice 8 of 8 from inferior"


def test_proportions_are_physical():
    figure = new_figure(2, 2)
    axes = figure.add_subplot()
    cut = cut_slice(volume(np.zeros((20, 10, 4)), (0.5, 2.0, 2.0)), {})
    # The coarsest axes are 1 and 2: argmax takes the first, so the picture is coronal.
    assert cut.size_mm == (10.0, 8.0)
    draw_slice(axes, cut, Look())
    assert axes.images[0].get_extent() == [0, 10.0, 8.0, 0]
    assert axes.get_aspect() == 1.0


def test_a_large_scan_is_cropped_to_the_masks_with_a_margin():
    mask = np.zeros((200, 200, 5), dtype=int)
    mask[150:170, 20:60, 2] = 1
    image = np.zeros(mask.shape)
    image[mask > 0] = 1
    cut = cut_slice(volume(image), {"reference": mask}, ("reference",))
    assert cut.image.shape == cut.masks["reference"].shape == (80, 80)
    assert cut.image.sum() == mask.sum()  # nothing of the structure is cut off
    np.testing.assert_array_equal(cut.image, cut.masks["reference"])


def test_a_mask_at_the_edge_stays_in_the_picture():
    mask = np.zeros((100, 100, 3), dtype=int)
    mask[:6, 94:, 1] = 1
    cut = cut_slice(volume(np.zeros(mask.shape)), {"reference": mask}, ("reference",))
    assert cut.masks["reference"].sum() == 36


def test_contours_lie_on_the_border_of_the_voxels():
    mask = np.zeros((40, 40, 3), dtype=int)
    mask[10:20, 10:20, 1] = 1
    axes = new_figure(2, 2).add_subplot()
    draw_slice(axes, cut_slice(volume(np.zeros(mask.shape)), {"reference": mask}, ("reference",)), Look())
    points = np.concatenate([path.vertices for path in axes.collections[0].get_paths()])
    assert np.ptp(points[:, 0]) == pytest.approx(10.0)
    assert np.ptp(points[:, 1]) == pytest.approx(10.0)


def test_the_scale_bar_has_the_length_that_it_names():
    axes = new_figure(2, 2).add_subplot()
    draw_slice(axes, cut_slice(volume(np.zeros((64, 64, 3)), (0.7, 0.7, 0.7)), {}), Look())
    bar = axes.lines[-1].get_xdata()
    named = next(text.get_text() for text in axes.texts if text.get_text().endswith(" mm"))
    assert named == f"{bar[1] - bar[0]:g} mm" == "10 mm"


def test_files_in_other_orientations_are_brought_to_the_convention(tmp_path):
    array = np.zeros((6, 6, 3), dtype=np.int16)
    array[0, 0, 1] = 100  # in LPS storage: the patient's right, the front
    nib.save(nib.Nifti1Image(array, np.diag([-1.0, -1.0, 1.0, 1.0])), tmp_path / "lps.nii.gz")
    cut = read_slice(tmp_path / "lps.nii.gz", {})
    assert cut.image[0, 0] == 100


def test_a_mask_on_another_grid_is_refused(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4), dtype=np.int16), np.eye(4)), tmp_path / "a.nii.gz")
    nib.save(
        nib.Nifti1Image(np.zeros((4, 4, 4), dtype=np.uint8), np.diag([2.0, 1, 1, 1])), tmp_path / "b.nii.gz"
    )
    with pytest.raises(GeometryError, match="reference does not lie on the grid"):
        read_slice(tmp_path / "a.nii.gz", {"reference": tmp_path / "b.nii.gz"})


def test_a_file_that_is_no_image(tmp_path):
    (tmp_path / "broken.nii.gz").write_bytes(b"nothing")
    with pytest.raises(MedvisionError):
        read_slice(tmp_path / "broken.nii.gz", {})


def test_a_constant_image_can_be_drawn():
    axes = new_figure(2, 2).add_subplot()
    draw_slice(axes, cut_slice(volume(np.full((5, 5, 3), 7.0)), {}), Look())
    low, high = axes.images[0].get_clim()
    assert low < high


@pytest.mark.data
def test_outlines_lie_on_the_nodules_of_real_scans(data_dir):
    cohort = pd.read_csv(data_dir / "lidc_nodules" / "cohort.csv")
    solid = cohort[cohort.texture == 5].head(8)
    assert len(solid) == 8
    for row in solid.itertuples():
        folder = data_dir / "lidc_nodules"
        cut = read_slice(folder / row.image, {"reference": folder / row.mask}, ("reference",))
        mask = cut.masks["reference"] > 0
        # A mask drawn in another orientation than its scan would lie on air.
        assert cut.image[mask].mean() > cut.image[~mask].mean()
