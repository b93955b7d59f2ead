"""Letters burnt into pixels are found, anatomy and noise are not taken for letters."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from medvision.imaging import load_volume
from medvision.imaging.text_regions import text_regions
from medvision.testing import brain_phantom, thorax_phantom
from medvision.testing.burning import burn_text

FONTS = Path(matplotlib.get_data_path()) / "fonts/ttf"


def written(pixels, text, size, place, font="DejaVuSans.ttf", value=None):
    """Draw text with smooth edges, as a viewer or scanner does, at the image's highest value."""
    rows, columns = pixels.shape
    drawing = Image.new("L", (columns, rows), 0)
    face = ImageFont.truetype(str(FONTS / font), size)
    ImageDraw.Draw(drawing).text(place, text, fill=255, font=face)
    share = np.asarray(drawing) / 255.0
    top = pixels.max() if value is None else value
    return pixels * (1 - share) + top * share


@pytest.fixture(scope="module")
def slices():
    thorax = [thorax_phantom(seed, shape=(160, 160, 24)).array for seed in range(4)]
    brain = [brain_phantom(seed, shape=(128, 128, 48)).array for seed in range(4)]
    return [array[:, :, array.shape[2] // 2].T for array in (*thorax, *brain)]


@pytest.mark.parametrize("text", ["BENIGN", "MALIGNANT", "DOEJANE"])
def test_the_phantoms_burnt_text_is_found(slices, text):
    for pixels in slices:
        found = text_regions(burn_text(pixels.copy(), text, int(pixels.max())))
        assert found
        assert found[0].rows[0] <= 4


@pytest.mark.parametrize("size", [12, 16])
@pytest.mark.parametrize("font", ["DejaVuSans.ttf", "DejaVuSansMono.ttf"])
def test_text_with_smooth_edges_is_found_in_nine_of_ten(slices, size, font):
    found = [
        # Text is drawn at the highest value that can be stored, above tissue.
        bool(text_regions(written(pixels, text, size, (4, 4), font, value=1.3 * pixels.max())))
        for pixels in slices
        for text in ("SMITH JOHN", "1957-03-02", "ID 4711083")
    ]
    assert np.mean(found) >= 0.9


def test_dark_text_and_coloured_text_are_found(slices):
    bright = np.full((120, 160), 200.0)
    assert text_regions(written(bright, "SMITH JOHN", 14, (5, 5), value=0))
    colour = np.zeros((120, 160, 3), np.uint8)
    colour[..., 1] = written(np.zeros((120, 160)), "SMITH JOHN", 14, (5, 5), value=255)
    assert text_regions(colour)


def test_clean_phantoms_and_noise_have_none(slices):
    random = np.random.default_rng(0)
    noise = [
        random.normal(size=(256, 256)),
        random.integers(0, 255, (200, 200)),
        random.rayleigh(size=(300, 200)),
    ]
    assert [text_regions(pixels) for pixels in (*slices, *noise)] == [()] * (len(slices) + 3)


@pytest.mark.parametrize("pixels", [np.zeros((64, 64)), np.zeros((4, 4)), np.full((64, 64), np.nan)])
def test_images_without_anything_have_none(pixels):
    assert text_regions(pixels) == ()


@pytest.mark.data
def test_real_images_have_no_false_alarms_and_text_in_them_is_found(data_dir):
    series = [path for path in (data_dir / "dicom/mr_study_PGBM-003").iterdir() if path.is_dir()]
    volumes = [load_volume(path).array for path in series]
    chosen = [array[:, :, k].T.astype(float) for array in volumes for k in range(2, array.shape[2] - 2, 5)]
    assert [text_regions(pixels) for pixels in chosen] == [()] * len(chosen)
    large = [pixels for pixels in chosen if min(pixels.shape) >= 200]
    found = [bool(text_regions(written(p, "DOE^JANE 4711", 16, (6, 6)))) for p in large]
    assert len(found) > 10
    assert np.mean(found) >= 0.95
