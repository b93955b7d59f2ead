"""Learning curves: one line a fold and member."""

import shutil

import numpy as np

from medvision.reporting.contents import read_run
from medvision.reporting.figures.learning import learning_figure


def test_one_line_a_fold_and_member(classification):
    losses, validation = learning_figure(classification).figure.axes
    assert len(losses.lines) == 3 * 2 * 2  # folds, members, training and validation
    assert len(validation.lines) == 3 * 2
    log = classification.logs
    first = log[(log.fold == 0) & (log.member == 0)]
    np.testing.assert_allclose(losses.lines[0].get_ydata(), first.train_loss)


def test_epochs_without_validation_are_left_out(classification):
    _, validation = learning_figure(classification).figure.axes
    assert list(validation.lines[0].get_xdata()) == list(range(2, 31, 2))


def test_the_validation_figure_is_named_after_the_task(classification, segmentation):
    assert learning_figure(classification).figure.axes[1].get_ylabel() == "Validation AUC"
    assert learning_figure(segmentation).figure.axes[1].get_ylabel() == "Validation mean Dice"


def test_missing_logs(changed, classification_run):
    folder = changed(classification_run)
    (folder / "folds" / "0-1" / "log.csv").unlink()
    assert "of 2 folds" in learning_figure(read_run(folder)).caption
    shutil.rmtree(folder / "folds")
    assert learning_figure(read_run(folder)) is None
