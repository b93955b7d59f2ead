"""The methods section says what the study file says, and only that."""

from medvision.reporting.contents import read_run
from medvision.reporting.methods import methods_text


def paragraphs(contents):
    return dict(methods_text(contents))


def test_the_classification_study_in_words(classification):
    found = paragraphs(classification)
    assert "78 nodules of 40 patients, taken as an unselected cohort" in found["Data"]
    assert "The column malignancy_rating was never an input" in found["Data"]
    assert "resampled to 1 × 1 × 1 mm" in found["Preprocessing"]
    assert "−1000 to 400 HU" in found["Preprocessing"]
    assert "The position of the mask is therefore an input" in found["Preprocessing"]
    assert "3D ResNet-18 with 16, 32, 64 and 128 channels" in found["Model"]
    assert "AdamW with learning rate 0.001 and weight decay 0.01" in found["Training"]
    assert "2 members were trained on inner folds" in found["Training"]
    assert "largest Youden index" in found["Operating point"]
    assert "“diameter”: diameter_mm" in found["Comparators"]
    assert "LeDell, clustered (AUC)" in found["Statistics"]


def test_mirroring_the_first_axis_is_augmentation_and_no_rotation_is_none(classification):
    training = paragraphs(classification)["Training"]
    assert "mirroring of the axes 0" in training
    assert "rotation by up to 0, 0, 15°" in training
    assert "noise" not in training


def test_the_segmentation_study_in_words(segmentation):
    found = paragraphs(segmentation)
    assert "Structures: anterior and posterior" in found["Data"]
    assert "deep supervision of 1 coarser levels" in found["Model"]
    assert "patches of 32 × 32 × 32 voxels" in found["Training"]
    assert "No augmentation was used" in found["Training"]
    assert "50% overlap, averaged over mirrorings of the axes 0, 1 and 2" in found["Prediction"]
    assert "Operating point" not in found
    assert "Comparators" not in found


def test_every_kind_has_words(changed, edited_study, classification_run):
    folder = changed(classification_run)
    kinds = {
        "densenet": {"growth_rate": 12, "blocks": [2, 2], "init_features": 16, "dropout": 0.1},
        "unet": {"channels": [8, 16], "residual_units": 2, "norm": "batch"},
        "custom": {"target": "pkg.nets:Net"},
    }
    words = {"densenet": "growth rate 12", "unet": "2 residual units", "custom": "pkg.nets:Net"}
    for kind, settings in kinds.items():
        edited_study(folder, lambda study, k=kind, s=settings: study.update(model={"kind": k, **s}))
        assert words[kind] in paragraphs(read_run(folder))["Model"]


def test_an_enriched_sample_is_called_one(changed, edited_study, classification_run):
    folder = changed(classification_run)
    edited_study(folder, lambda study: study["cohort"].update(sampling="enriched", prevalence=0.02))
    data = paragraphs(read_run(folder))["Data"]
    assert "enriched (case-control) sample with an assumed prevalence of 2%" in data
