"""Every metric has a printed form, also one that nobody foresaw."""

from medvision.reporting.measures import measure, order_of, unit_of


def test_proportions_are_printed_as_per_cent_and_areas_are_not():
    assert [measure(name).percent for name in ("sensitivity", "ppv", "auroc", "dice", "mcc")] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_an_unknown_metric_keeps_its_name_and_stands_last():
    assert measure("lesion_recall").label == "Lesion recall"
    assert sorted(["lesion_recall", "npv", "auroc"], key=order_of) == ["auroc", "npv", "lesion_recall"]


def test_units_come_from_the_name():
    assert [unit_of(name) for name in ("hd95_mm", "volume_error_ml", "volume_error_percent", "auroc")] == [
        "mm", "ml", "%", "",
    ]  # fmt: skip
