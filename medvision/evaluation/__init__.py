"""How good, and how sure: every number of a study with its interval.

Functions take plain arrays and return frozen results. The unit of independence is the patient. A score is
never turned round, an undefined number is NaN with its reason, never 0. Nothing here needs a
deep-learning library: labels and scores may come from any program.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medvision.evaluation.accuracy import DiagnosticAccuracy, TwoByTwo, diagnostic_accuracy
    from medvision.evaluation.ai_against_readers import compare_ai_with_readers, compare_readers_with_constant
    from medvision.evaluation.auroc_comparison import compare_auroc
    from medvision.evaluation.brier_parts import BrierDecomposition, brier_decomposition
    from medvision.evaluation.class_confusion import MulticlassAccuracy, multiclass_accuracy
    from medvision.evaluation.clustered import ClusteredProportion, clustered_proportion
    from medvision.evaluation.coordinates import RocCoordinates, roc_coordinates
    from medvision.evaluation.cross_validation import (
        CrossValidatedAuroc,
        compare_cross_validated_auroc,
        cross_validated_auroc,
    )
    from medvision.evaluation.detection_matching import match_marks
    from medvision.evaluation.empty_masks import Presence, structure_presence
    from medvision.evaluation.estimates import Comparison, Estimate
    from medvision.evaluation.fixed_rate import compare_at, sensitivity_at, specificity_at
    from medvision.evaluation.froc_curve import Froc, compare_froc, froc
    from medvision.evaluation.froc_merit import MeritEstimate, compare_froc_fom, froc_fom
    from medvision.evaluation.intraclass import icc
    from medvision.evaluation.lesion_summary import summarise_lesions
    from medvision.evaluation.lesionwise import LesionwiseScores, lesionwise_scores
    from medvision.evaluation.margins import MarginTest, equivalence, non_inferiority
    from medvision.evaluation.mcnemar_test import mcnemar
    from medvision.evaluation.method_agreement import BlandAltman, bland_altman
    from medvision.evaluation.missing_predictions import (
        CompleteCases,
        MissingDataBounds,
        drop_missing,
        missing_data_bounds,
    )
    from medvision.evaluation.multi_reader import ReaderStudy, reader_study, reader_study_from_jackknife
    from medvision.evaluation.multiclass import (
        MulticlassAuroc,
        multiclass_auroc,
        multilabel_auroc,
        top_k_accuracy,
    )
    from medvision.evaluation.multiplicity import adjust
    from medvision.evaluation.nested_validation import NestedCrossValidation, nested_cross_validation
    from medvision.evaluation.net_benefit import decision_curve
    from medvision.evaluation.obuchowski_rockette import VarianceComponents
    from medvision.evaluation.ordered_classes import ordinal_c_index
    from medvision.evaluation.paired_proportions import compare_proportions
    from medvision.evaluation.paired_sizes import (
        allow_for_losses,
        design_effect,
        power_paired_auroc,
        sample_size_paired_auroc,
        sample_size_paired_proportions,
    )
    from medvision.evaluation.partial_roc import partial_auroc
    from medvision.evaluation.precision_recall import average_precision
    from medvision.evaluation.prevalence_table import predictive_values
    from medvision.evaluation.probability_bins import CalibrationError, calibration_error
    from medvision.evaluation.proportions import proportion
    from medvision.evaluation.rater_agreement import Kappa, fleiss_kappa, kappa
    from medvision.evaluation.reader_power import power_reader_study, sample_size_reader_study
    from medvision.evaluation.recalibration import Recalibration, recalibrate, recalibrate_out_of_fold
    from medvision.evaluation.regression_readout import RegressionScores, regression_scores
    from medvision.evaluation.reliability import Calibration, calibration
    from medvision.evaluation.repeated_validation import corrected_resampled_t
    from medvision.evaluation.resampling import BootstrapEstimate, bootstrap
    from medvision.evaluation.roc import auroc
    from medvision.evaluation.sample_size import (
        CaseNumbers,
        power_auroc,
        sample_size_auroc,
        sample_size_auroc_interval,
        sample_size_proportion,
    )
    from medvision.evaluation.segmentation import segmentation_scores
    from medvision.evaluation.segmentation_comparison import SegmentationComparison, compare_segmentation
    from medvision.evaluation.segmentation_summary import mean_over_structures, summarise_segmentation
    from medvision.evaluation.separate_parts import compare_mean_auroc, mean_auroc
    from medvision.evaluation.smooth_calibration import CalibrationCurve, calibration_curve
    from medvision.evaluation.subgroup_analysis import Subgroups, adjusted_interactions, subgroups
    from medvision.evaluation.survival_concordance import harrell_c, uno_c
    from medvision.evaluation.threshold_stability import ThresholdOptimism, optimism, threshold_interval
    from medvision.evaluation.thresholds import choose_threshold

_HOMES = {
    "BlandAltman": "method_agreement",
    "BootstrapEstimate": "resampling",
    "BrierDecomposition": "brier_parts",
    "Calibration": "reliability",
    "CalibrationCurve": "smooth_calibration",
    "CalibrationError": "probability_bins",
    "CaseNumbers": "sample_size",
    "ClusteredProportion": "clustered",
    "Comparison": "estimates",
    "CompleteCases": "missing_predictions",
    "CrossValidatedAuroc": "cross_validation",
    "DiagnosticAccuracy": "accuracy",
    "Estimate": "estimates",
    "Froc": "froc_curve",
    "Kappa": "rater_agreement",
    "LesionwiseScores": "lesionwise",
    "MarginTest": "margins",
    "MeritEstimate": "froc_merit",
    "MissingDataBounds": "missing_predictions",
    "MulticlassAccuracy": "class_confusion",
    "MulticlassAuroc": "multiclass",
    "NestedCrossValidation": "nested_validation",
    "Presence": "empty_masks",
    "ReaderStudy": "multi_reader",
    "Recalibration": "recalibration",
    "RegressionScores": "regression_readout",
    "RocCoordinates": "coordinates",
    "SegmentationComparison": "segmentation_comparison",
    "Subgroups": "subgroup_analysis",
    "ThresholdOptimism": "threshold_stability",
    "TwoByTwo": "accuracy",
    "VarianceComponents": "obuchowski_rockette",
    "adjust": "multiplicity",
    "adjusted_interactions": "subgroup_analysis",
    "allow_for_losses": "paired_sizes",
    "auroc": "roc",
    "average_precision": "precision_recall",
    "bland_altman": "method_agreement",
    "bootstrap": "resampling",
    "brier_decomposition": "brier_parts",
    "calibration": "reliability",
    "calibration_curve": "smooth_calibration",
    "calibration_error": "probability_bins",
    "choose_threshold": "thresholds",
    "clustered_proportion": "clustered",
    "compare_ai_with_readers": "ai_against_readers",
    "compare_at": "fixed_rate",
    "compare_auroc": "auroc_comparison",
    "compare_cross_validated_auroc": "cross_validation",
    "compare_froc": "froc_curve",
    "compare_froc_fom": "froc_merit",
    "compare_mean_auroc": "separate_parts",
    "compare_proportions": "paired_proportions",
    "compare_readers_with_constant": "ai_against_readers",
    "compare_segmentation": "segmentation_comparison",
    "corrected_resampled_t": "repeated_validation",
    "cross_validated_auroc": "cross_validation",
    "decision_curve": "net_benefit",
    "design_effect": "paired_sizes",
    "diagnostic_accuracy": "accuracy",
    "drop_missing": "missing_predictions",
    "equivalence": "margins",
    "fleiss_kappa": "rater_agreement",
    "froc": "froc_curve",
    "froc_fom": "froc_merit",
    "harrell_c": "survival_concordance",
    "icc": "intraclass",
    "kappa": "rater_agreement",
    "lesionwise_scores": "lesionwise",
    "match_marks": "detection_matching",
    "mcnemar": "mcnemar_test",
    "mean_auroc": "separate_parts",
    "mean_over_structures": "segmentation_summary",
    "missing_data_bounds": "missing_predictions",
    "multiclass_accuracy": "class_confusion",
    "multiclass_auroc": "multiclass",
    "multilabel_auroc": "multiclass",
    "nested_cross_validation": "nested_validation",
    "non_inferiority": "margins",
    "optimism": "threshold_stability",
    "ordinal_c_index": "ordered_classes",
    "partial_auroc": "partial_roc",
    "power_auroc": "sample_size",
    "power_paired_auroc": "paired_sizes",
    "power_reader_study": "reader_power",
    "predictive_values": "prevalence_table",
    "proportion": "proportions",
    "reader_study": "multi_reader",
    "reader_study_from_jackknife": "multi_reader",
    "recalibrate": "recalibration",
    "recalibrate_out_of_fold": "recalibration",
    "regression_scores": "regression_readout",
    "roc_coordinates": "coordinates",
    "sample_size_auroc": "sample_size",
    "sample_size_auroc_interval": "sample_size",
    "sample_size_paired_auroc": "paired_sizes",
    "sample_size_paired_proportions": "paired_sizes",
    "sample_size_proportion": "sample_size",
    "sample_size_reader_study": "reader_power",
    "segmentation_scores": "segmentation",
    "sensitivity_at": "fixed_rate",
    "specificity_at": "fixed_rate",
    "structure_presence": "empty_masks",
    "subgroups": "subgroup_analysis",
    "summarise_lesions": "lesion_summary",
    "summarise_segmentation": "segmentation_summary",
    "threshold_interval": "threshold_stability",
    "top_k_accuracy": "multiclass",
    "uno_c": "survival_concordance",
}

__all__ = [
    "BlandAltman",
    "BootstrapEstimate",
    "BrierDecomposition",
    "Calibration",
    "CalibrationCurve",
    "CalibrationError",
    "CaseNumbers",
    "ClusteredProportion",
    "Comparison",
    "CompleteCases",
    "CrossValidatedAuroc",
    "DiagnosticAccuracy",
    "Estimate",
    "Froc",
    "Kappa",
    "LesionwiseScores",
    "MarginTest",
    "MeritEstimate",
    "MissingDataBounds",
    "MulticlassAccuracy",
    "MulticlassAuroc",
    "NestedCrossValidation",
    "Presence",
    "ReaderStudy",
    "Recalibration",
    "RegressionScores",
    "RocCoordinates",
    "SegmentationComparison",
    "Subgroups",
    "ThresholdOptimism",
    "TwoByTwo",
    "VarianceComponents",
    "adjust",
    "adjusted_interactions",
    "allow_for_losses",
    "auroc",
    "average_precision",
    "bland_altman",
    "bootstrap",
    "brier_decomposition",
    "calibration",
    "calibration_curve",
    "calibration_error",
    "choose_threshold",
    "clustered_proportion",
    "compare_ai_with_readers",
    "compare_at",
    "compare_auroc",
    "compare_cross_validated_auroc",
    "compare_froc",
    "compare_froc_fom",
    "compare_mean_auroc",
    "compare_proportions",
    "compare_readers_with_constant",
    "compare_segmentation",
    "corrected_resampled_t",
    "cross_validated_auroc",
    "decision_curve",
    "design_effect",
    "diagnostic_accuracy",
    "drop_missing",
    "equivalence",
    "fleiss_kappa",
    "froc",
    "froc_fom",
    "harrell_c",
    "icc",
    "kappa",
    "lesionwise_scores",
    "match_marks",
    "mcnemar",
    "mean_auroc",
    "mean_over_structures",
    "missing_data_bounds",
    "multiclass_accuracy",
    "multiclass_auroc",
    "multilabel_auroc",
    "nested_cross_validation",
    "non_inferiority",
    "optimism",
    "ordinal_c_index",
    "partial_auroc",
    "power_auroc",
    "power_paired_auroc",
    "power_reader_study",
    "predictive_values",
    "proportion",
    "reader_study",
    "reader_study_from_jackknife",
    "recalibrate",
    "recalibrate_out_of_fold",
    "regression_scores",
    "roc_coordinates",
    "sample_size_auroc",
    "sample_size_auroc_interval",
    "sample_size_paired_auroc",
    "sample_size_paired_proportions",
    "sample_size_proportion",
    "sample_size_reader_study",
    "segmentation_scores",
    "sensitivity_at",
    "specificity_at",
    "structure_presence",
    "subgroups",
    "summarise_lesions",
    "summarise_segmentation",
    "threshold_interval",
    "top_k_accuracy",
    "uno_c",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
