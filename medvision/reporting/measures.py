"""How each metric is called and printed in tables and figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """The printed form of one metric.

    Args:
        name: The key in `results.json`.
        label: What the reader sees.
        percent: Whether a proportion is printed as per cent.
        decimals: Digits after the point.
        meaning: One clause for the notes of a table.
    """

    name: str
    label: str
    percent: bool = False
    decimals: int = 3
    meaning: str = ""


_ALL = (
    Measure("auroc", "AUC", meaning="area under the receiver operating characteristic curve"),
    Measure("partial_auroc", "Partial AUC", meaning="area under a part of the ROC curve"),
    Measure(
        "average_precision",
        "Average precision",
        meaning="area under the precision-recall curve by steps; its chance level is the prevalence",
    ),
    Measure("sensitivity", "Sensitivity", percent=True, decimals=1, meaning="TP / (TP + FN)"),
    Measure("specificity", "Specificity", percent=True, decimals=1, meaning="TN / (TN + FP)"),
    Measure("ppv", "PPV", percent=True, decimals=1, meaning="positive predictive value, TP / (TP + FP)"),
    Measure("npv", "NPV", percent=True, decimals=1, meaning="negative predictive value, TN / (TN + FN)"),
    Measure("accuracy", "Accuracy", percent=True, decimals=1, meaning="(TP + TN) / all"),
    Measure(
        "balanced_accuracy",
        "Balanced accuracy",
        percent=True,
        decimals=1,
        meaning="mean of sensitivity and specificity",
    ),
    Measure("youden", "Youden index", meaning="sensitivity + specificity − 1"),
    Measure("f1", "F1 score", meaning="harmonic mean of sensitivity and PPV"),
    Measure("mcc", "MCC", meaning="Matthews correlation coefficient, −1 to 1"),
    Measure("lr_positive", "LR+", decimals=2, meaning="positive likelihood ratio"),
    Measure("lr_negative", "LR−", decimals=2, meaning="negative likelihood ratio"),
    Measure("diagnostic_odds_ratio", "Diagnostic odds ratio", decimals=2),
    Measure("brier", "Brier score", meaning="mean squared difference of probability and outcome"),
    Measure("scaled_brier", "Scaled Brier score"),
    Measure("calibration_intercept", "Calibration intercept", decimals=2, meaning="0 is ideal"),
    Measure("calibration_slope", "Calibration slope", decimals=2, meaning="1 is ideal"),
    Measure("intercept", "Calibration intercept", decimals=2, meaning="0 is ideal"),
    Measure("slope", "Calibration slope", decimals=2, meaning="1 is ideal"),
    Measure("ece", "ECE", meaning="expected calibration error"),
    Measure("ece_debiased", "ECE, debiased", meaning="less what chance adds for right probabilities"),
    Measure("ici", "ICI", meaning="mean distance of the smooth calibration curve from the diagonal"),
    Measure("e50", "E50", meaning="median of that distance"),
    Measure("e90", "E90", meaning="90th percentile of that distance"),
    Measure("macro_auroc", "AUC, macro mean"),
    Measure("weighted_auroc", "AUC, weighted mean", meaning="weighted by the number of cases of each class"),
    Measure("hand_till_auroc", "Hand and Till's M", meaning="mean over pairs of classes"),
    Measure("macro_f1", "F1 score, macro mean"),
    Measure("quadratic_kappa", "Kappa, quadratic weights"),
    Measure("ordinal_c_index", "Ordinal C-index", meaning="concordance among pairs of different classes"),
    Measure("top_2_accuracy", "Top-2 accuracy", percent=True, decimals=1),
    Measure("top_3_accuracy", "Top-3 accuracy", percent=True, decimals=1),
    Measure("harrell_c", "Harrell's C", meaning="concordance among comparable pairs"),
    Measure("uno_c", "Uno's C", meaning="concordance, weighted by the chance of not being censored"),
    Measure("mae", "MAE", meaning="mean absolute error"),
    Measure("rmse", "RMSE", meaning="root of the mean squared error"),
    Measure("bias", "Bias", meaning="mean of prediction minus reference"),
    Measure("r_squared", "R²", meaning="1 − SSE / SST"),
    Measure("ccc", "Lin's concordance", meaning="concordance correlation coefficient"),
    Measure("loa_lower", "Lower limit of agreement"),
    Measure("loa_upper", "Upper limit of agreement"),
    Measure("difference_slope", "Slope of the difference", meaning="by the mean of both"),
    Measure("dice", "Dice", meaning="overlap, 1 is perfect"),
    Measure("iou", "IoU", meaning="intersection over union"),
    Measure("hd95_mm", "HD95", decimals=2, meaning="95th percentile of the surface distance, in mm"),
    Measure("nsd", "NSD", meaning="share of the surface within the stated tolerance"),
    Measure("assd_mm", "ASSD", decimals=2, meaning="average symmetric surface distance, in mm"),
    Measure("volume_error_ml", "Volume error", decimals=2, meaning="predicted minus reference volume, in ml"),
    Measure(
        "volume_error_percent",
        "Relative volume error",
        decimals=1,
        meaning="predicted minus reference volume, in % of the reference",
    ),
    Measure("volume_reference_ml", "Reference volume", decimals=2),
    Measure("volume_prediction_ml", "Predicted volume", decimals=2),
)
_BY_NAME = {measure.name: measure for measure in _ALL}
_UNITS = {"_mm": "mm", "_ml": "ml", "_percent": "%"}


def measure(name: str) -> Measure:
    """Return how `name` is printed; a metric that is not known keeps its own name.

    Example:
        >>> measure("auroc").label, measure("my_metric").label
        ('AUC', 'My metric')
    """
    return _BY_NAME.get(name, Measure(name, name.replace("_", " ").capitalize()))


def unit_of(name: str) -> str:
    """Return the physical unit that the name of a metric ends with, or nothing.

    Example:
        >>> unit_of("hd95_mm"), unit_of("dice")
        ('mm', '')
    """
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")


def order_of(name: str) -> tuple[int, str]:
    """Return a key that sorts metrics as papers list them, unknown ones last."""
    names = list(_BY_NAME)
    return (names.index(name) if name in _BY_NAME else len(names), name)
