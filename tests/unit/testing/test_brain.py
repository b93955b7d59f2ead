from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from medvision.testing import brain_phantom


def test_the_same_seed_gives_the_same_phantom():
    one, two = brain_phantom(4), brain_phantom(4)
    np.testing.assert_array_equal(one.array, two.array)
    np.testing.assert_array_equal(one.mask, two.mask)
    assert (brain_phantom(5).array != one.array).any()


@pytest.mark.parametrize("seed", range(8))
def test_the_organ_is_whole_in_two_parts_the_anterior_in_front(seed):
    phantom = brain_phantom(seed, oblique_deg=5)
    assert phantom.modality == "MR"
    assert phantom.structures == {"anterior": 1, "posterior": 2}
    assert set(np.unique(phantom.mask)) == {0, 1, 2}
    assert ndimage.label(phantom.mask)[1] == 1
    front, back = (
        (phantom.affine @ [*np.argwhere(phantom.mask == value).mean(axis=0), 1])[:3] for value in (1, 2)
    )
    assert front[1] - back[1] > 10  # y points to the front
    volumes = [int((phantom.mask == value).sum()) for value in (1, 2)]
    assert min(volumes) > 600
    assert max(volumes) < 4500


def test_the_organ_stands_out_and_its_parts_differ():
    differences, contrasts = [], []
    for seed in range(8):
        phantom = brain_phantom(seed, bias=0.0)
        ring = ndimage.binary_dilation(phantom.mask > 0, iterations=2) & (phantom.mask == 0)
        front, back, around = (
            float(np.median(phantom.array[where])) for where in (phantom.mask == 1, phantom.mask == 2, ring)
        )
        contrasts.append((front + back) / 2 / around)
        differences.append((front - back) / around)
    assert max(contrasts) < 0.9
    assert min(differences) > 0.03


def test_gain_is_arbitrary_and_bias_and_noise_are_as_asked():
    medians = [float(np.median(brain_phantom(seed).array)) for seed in range(12)]
    assert max(medians) > 2 * min(medians)
    plain, biased = (brain_phantom(3, bias=bias, noise=0.0) for bias in (0.0, 0.3))
    ratio = np.log((biased.array + 1.0) / (plain.array + 1.0))
    assert np.std(ratio) == pytest.approx(0.3, abs=0.06)
    noisy = brain_phantom(3, bias=0.0, noise=0.1)
    white = plain.array > 0.95 * plain.array.max()
    assert np.std(noisy.array[white] / plain.array[white]) == pytest.approx(0.1, abs=0.03)
    assert noisy.array.min() >= 0
