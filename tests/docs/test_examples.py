"""Examples in docstrings: each public function shows published data, or is listed here with the reason."""

from __future__ import annotations

import inspect
import re

import medvision.evaluation

MADE_UP = {
    "adjusted_interactions": "a family of `subgroups`",
    "allow_for_losses": "a division",
    "brier_decomposition": "no printed table of probabilities and outcomes is short enough",
    "calibration": "as for `brier_decomposition`; the ten rows are computed by hand",
    "calibration_curve": "as for `brier_decomposition`",
    "compare_ai_with_readers": "the ratings of the published study are not public",
    "compare_cross_validated_auroc": "published examples have hundreds of rows",
    "compare_froc": "no printed marks of two readers are short enough",
    "compare_froc_fom": "as for `compare_froc`",
    "compare_mean_auroc": "no printed table has two scores at several sites",
    "corrected_resampled_t": "ten made-up differences, and the formula of the paper by hand",
    "cross_validated_auroc": "published examples have hundreds of rows",
    "decision_curve": "the published example has 750 rows",
    "design_effect": "a formula",
    "lesionwise_scores": "published masks are volumes",
    "match_marks": "marks are joined to lesions, and nothing is estimated",
    "mean_over_structures": "means over a table of cases",
    "multiclass_accuracy": "no printed table comes with these measures and intervals",
    "nested_cross_validation": "needs a model refitted many times",
    "power_paired_auroc": "no printed number was found for this variance",
    "reader_study": "Van Dyke's 1140 ratings are too many",
    "reader_study_from_jackknife": "as for `reader_study`",
    "recalibrate": "as for `brier_decomposition`",
    "recalibrate_out_of_fold": "as for `brier_decomposition`",
    "sample_size_auroc_interval": "no printed number was found for this variance",
    "sample_size_paired_auroc": "as for `power_paired_auroc`",
    "sample_size_paired_proportions": "the formula of the paper, computed by hand in its test",
    "structure_presence": "counts of a table of cases",
    "subgroups": "no printed table has labels and scores by subgroup",
    "summarise_lesions": "published masks are volumes",
    "summarise_segmentation": "published masks are volumes",
}
SOURCE = re.compile(
    r"\b(19|20)\d\d\)|SAS|scikit-learn|R package|RJafroc|Wikipedia|DeepMind|Buderer|verified_calib|\bR "
)


def _introductions() -> dict[str, str]:
    """What stands before the first line of code of each public function's example."""
    functions = {name: getattr(medvision.evaluation, name) for name in medvision.evaluation.__all__}
    return {
        name: (inspect.getdoc(one) or "").partition("Example:")[2].partition(">>>")[0].strip()
        for name, one in functions.items()
        if inspect.isfunction(one)
    }


def test_every_example_names_its_published_source_or_is_listed() -> None:
    """A new function takes a table of `medvision.evaluation.published`, or says above why it cannot."""
    introductions = _introductions()
    assert len(introductions) > 60
    sourced = {name for name, text in introductions.items() if SOURCE.search(text) and "Made-up" not in text}
    assert sorted(set(introductions) - sourced - set(MADE_UP)) == []
    assert sorted(set(MADE_UP) & sourced) == []
    assert sorted(set(MADE_UP) - set(introductions)) == []
