from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medvision.errors import MedvisionError
from medvision.testing import thorax_phantom
from medvision.testing.phantom import Grid

COARSE = {"shape": (38, 38, 24), "spacing_mm": (3.6, 3.6, 3.4)}


def test_the_same_seed_gives_the_same_phantom_and_another_does_not():
    one, two, other = (thorax_phantom(s, **COARSE) for s in (5, 5, 6))
    np.testing.assert_array_equal(one.array, two.array)
    np.testing.assert_array_equal(one.mask, two.mask)
    assert one.lesions == two.lesions
    assert (one.array != other.array).any()


@pytest.mark.parametrize("seed", range(4))
def test_the_label_changes_the_look_and_not_the_mask(seed):
    benign = thorax_phantom(seed, labels=["benign"] * 3, shape=(96, 96, 32))
    malignant = thorax_phantom(seed, labels=["malignant"] * 3, shape=(96, 96, 32))
    np.testing.assert_array_equal(benign.mask, malignant.mask)
    for a, b in zip(benign.lesions, malignant.lesions, strict=True):
        assert (a.centre_mm, a.diameter_mm) == (b.centre_mm, b.diameter_mm)
        assert a.suspicion < b.suspicion
    away = ndimage.distance_transform_edt(benign.mask == 0, sampling=benign.spacing_mm) > 25
    np.testing.assert_array_equal(benign.array[away], malignant.array[away])


def test_numbers_of_lesions():
    counts = {len(thorax_phantom(s, **COARSE).lesions) for s in range(12)}
    assert counts == {1, 2, 3, 4}
    healthy = thorax_phantom(1, lesions=0, **COARSE)
    assert healthy.lesions == ()
    assert not healthy.mask.any()
    assert thorax_phantom(1, lesions=3, **COARSE).structures == {"nodule 1": 1, "nodule 2": 2, "nodule 3": 3}


def test_truth_agrees_with_the_mask():
    phantom = thorax_phantom(11, lesions=4)
    assert phantom.array.dtype == np.int16
    assert phantom.array.min() >= -1024
    assert phantom.array.max() <= 3071
    for lesion in phantom.lesions:
        voxels = np.argwhere(phantom.mask == lesion.number)
        np.testing.assert_allclose(voxels.mean(axis=0), lesion.centre_ijk, atol=1.5)
        volume = len(voxels) * np.prod(phantom.spacing_mm)
        assert lesion.diameter_mm == pytest.approx((6 * volume / np.pi) ** (1 / 3))
        assert 7.5 < lesion.diameter_mm < 20.5
        np.testing.assert_allclose(
            (phantom.affine @ [*lesion.centre_ijk, 1])[:3], lesion.centre_mm, atol=1e-6
        )


def test_nodules_lie_in_the_lung_apart_from_each_other_and_the_border():
    for seed in range(4):
        phantom = thorax_phantom(seed, lesions=4)
        dense = ndimage.binary_dilation(phantom.mask > 0, iterations=3)
        _, pieces = ndimage.label(dense)
        assert pieces == 4
        edge = phantom.mask.copy()
        edge[1:-1, 1:-1, 1:-1] = 0
        assert not edge.any()
        ring = ndimage.distance_transform_edt(phantom.mask == 0, sampling=phantom.spacing_mm)
        assert np.median(phantom.array[(ring > 2) & (ring < 4)]) < -600


def test_what_does_not_fit_is_refused_in_a_sentence():
    with pytest.raises(MedvisionError, match=r"do not fit into the lung in view of 24 × 24 × 6 voxels"):
        thorax_phantom(1, shape=(24, 24, 6), lesions=4)


@pytest.mark.parametrize(
    "frame",
    [
        {"orientation": "coronal", "shape": (40, 24, 40), "spacing_mm": (3.6, 3.4, 3.6)},
        {"orientation": "sagittal", "shape": (40, 24, 40), "spacing_mm": (3.6, 3.4, 3.6)},
        {"patient_position": "FFP", **COARSE},
        {"oblique_deg": 12.0, **COARSE},
    ],
)
def test_the_patient_is_the_same_in_every_frame(frame):
    axial = thorax_phantom(2, lesions=0, noise_hu=0, **COARSE)
    other = thorax_phantom(2, lesions=0, noise_hu=0, **frame)
    points = np.array([[70, 10, 0], [45, 15, 8], [100, -20, -12], [10, 0, 4], [18, 10, -20.0]])
    for point in points:
        i, j, k = np.rint(Grid(axial.array.shape, axial.affine).index_of(point)).astype(int)
        a, b, c = np.rint(Grid(other.array.shape, other.affine).index_of(point)).astype(int)
        assert (axial.array[i, j, k] < -600) == (other.array[a, b, c] < -600)


def test_views_show_one_side_or_both():
    def centre(view):
        phantom = thorax_phantom(1, view=view, lesions=0, **COARSE)
        return (phantom.affine @ [18.5, 18.5, 11.5, 1])[0]

    assert centre("right lung") > 50
    assert centre("left lung") < -50
    assert centre("chest") == 0


@pytest.fixture(scope="module")
def nodules():
    """Features of many nodules: look, and size and place, with the label."""
    look, size, labels, groups = [], [], [], []
    for seed in range(44):
        phantom = thorax_phantom(seed, lesions=4, shape=(104, 104, 36))
        for lesion in phantom.lesions:
            box = tuple(
                slice(max(s.start - 6, 0), s.stop + 6)
                for s in ndimage.find_objects(phantom.mask)[lesion.number - 1]
            )
            hu, mask = phantom.array[box].astype(float), phantom.mask[box] == lesion.number
            depth = ndimage.distance_transform_edt(mask, sampling=phantom.spacing_mm)
            look.append(look_of(hu, mask, depth, phantom.spacing_mm))
            extent = np.ptp(np.argwhere(mask), axis=0)
            size.append([lesion.diameter_mm, mask.sum(), depth.max(), *extent, *lesion.centre_mm])
            labels.append(lesion.label == "malignant")
            groups.append(seed)
    return np.array(look), np.array(size), np.array(labels), np.array(groups)


def look_of(hu, mask, inside, spacing_mm):
    """Unevenness inside, sharpness of the edge, dense strands around: no size and no place."""
    outside = ndimage.distance_transform_edt(~mask, sampling=spacing_mm)
    core = hu[inside > min(2.0, 0.6 * inside.max())]
    lung = np.median(hu[outside > 5])
    near, shell = hu[(outside > 0) & (outside < 2.2)], hu[(outside > 2.2) & (outside < 5)]
    slope = np.sqrt(sum(g**2 for g in np.gradient(hu, *spacing_mm)))
    rim = (inside <= 1.5) & (outside <= 1.5)
    return [
        core.std(),
        slope[rim].mean() / (np.median(core) - lung),
        near.mean() - lung,
        (shell > lung + 200).mean(),
        shell.std(),
        np.median(hu[mask]) - np.percentile(hu[mask], 10),
    ]


def cross_validated_auc(features, labels, groups):
    model = make_pipeline(StandardScaler(), LogisticRegression())
    folds = GroupKFold(5)
    scores = cross_val_predict(model, features, labels, cv=folds, method="decision_function", groups=groups)
    return roc_auc_score(labels, scores)


def test_edge_and_texture_tell_the_labels_apart(nodules):
    look, _, labels, groups = nodules
    assert len(labels) == 176
    assert cross_validated_auc(look, labels, groups) > 0.9


def test_size_and_place_say_nothing(nodules):
    _, size, labels, groups = nodules
    # Standard error of a chance AUC: sqrt((m + n + 1) / (12 m n)), Mann and Whitney 1947.
    m, n = labels.sum(), (~labels).sum()
    error = np.sqrt((m + n + 1) / (12 * m * n))
    for column in size.T:
        assert abs(roc_auc_score(labels, column) - 0.5) < 2.6 * error
    assert cross_validated_auc(size, labels, groups) < 0.5 + 2.6 * error
