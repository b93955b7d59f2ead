"""Every kind of split from scans to report: who is tested, and what the numbers are called."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import medvision as mv
from medvision.cli import main
from medvision.cohort import Splits, check_disjoint
from medvision.errors import CohortError, RunError
from medvision.evaluation import auroc
from medvision.transforms.prepare import prepare
from medvision.transforms.standard import HistogramStandard
from medvision.workflows.cases import hash_inputs
from medvision.workflows.fitted import prepare_folds
from medvision.workflows.opened import open_study
from medvision.workflows.progress import Silence

DEFAULT_INNER = "training.inner={kind: holdout, fraction: 0.2}"
QUICK = ["training.epochs=1", "training.inner={kind: holdout, fraction: 0.4}", "comparators=[]"]


@pytest.fixture
def study(nodules):
    """The nodule study with columns for a date, an official part and three hospitals, by patient."""
    path = nodules.parent / "cohort.csv"
    table = pd.read_csv(path, dtype=str)
    number = table["patient_id"].rank(method="dense").astype(int)
    table["date"] = [f"{2010 + n}-03-01" for n in number]
    table["part"] = np.where(number <= 6, "train", np.where(number <= 9, "val", "test"))
    table["hospital"] = np.array(["North", "South", "East"])[(number % 3).to_numpy()]
    table.to_csv(path, index=False)
    return nodules


@pytest.fixture
def run(study, tmp_path):
    def start(split, *overrides, out="run", **options):
        settings = [f"split={split}", *QUICK, *overrides]
        return mv.run(study, settings, out=tmp_path / out, device="cpu", quiet=True, **options)

    return start


def estimates(results, **wanted):
    return [
        row for row in results["estimates"] if all(row.get(key) == value for key, value in wanted.items())
    ]


def predictions(done):
    return pd.read_parquet(done.path / "predictions.parquet")


def test_each_site_is_tested_by_what_was_learned_elsewhere_and_shown_by_its_name(run, study):
    done = run("{kind: site, column: hospital}")
    table, cohort = predictions(done), pd.read_csv(study.parent / "cohort.csv", dtype=str)
    hospital = dict(zip(cohort["case_id"], cohort["hospital"], strict=True))
    splits = Splits.from_json((done.path / "splits.json").read_text())
    assert [part.name for part in splits.parts] == ["hospital East", "hospital North", "hospital South"]
    areas = []
    for part in splits.parts:
        name = part.name.removeprefix("hospital ")
        assert {hospital[case] for case in part.test} == {name}
        assert name not in {hospital[case] for case in part.train}
        rows = table[table["fold"] == part.fold]
        areas.append(roc_auc_score(rows["label"], rows["score"]))
        (found,) = estimates(done.results, metric="auroc", aggregation="per site", part=part.name)
        assert found["value"] == pytest.approx(areas[-1])
        (sensitivity,) = estimates(done.results, metric="sensitivity", part=part.name)
        sick = rows[rows["label"] == 1]
        assert sensitivity["value"] == pytest.approx(sick["prediction"].mean())
    (averaged,) = estimates(done.results, metric="auroc", aggregation="site-averaged")
    assert averaged["value"] == pytest.approx(np.mean(areas))
    assert "mean over parts" in averaged["method"]
    (pooled,) = estimates(done.results, metric="auroc", aggregation="pooled over sites")
    assert pooled["value"] == pytest.approx(roc_auc_score(table["label"], table["score"]))
    assert not estimates(done.results, aggregation="fold-averaged")
    page = done.report.read_text(encoding="utf-8")
    assert "leave-one-out cross-validation over 3 hospitals" in page
    assert "Site-averaged" in page
    assert "hospital North" in (done.path / "tables" / "fold_results.csv").read_text()


def test_one_test_part_in_time_is_not_called_cross_validated(run):
    done = run("{kind: time, column: date, test_from: 2019-01-01}")
    table = predictions(done)
    splits = Splits.from_json((done.path / "splits.json").read_text())
    assert len(splits.parts) == 1
    (found,) = estimates(done.results, metric="auroc")
    assert found["aggregation"] == "held-out test part"
    expected = auroc(table["label"], table["score"], patients=table["patient_id"])
    assert (found["value"], found["low"], found["high"]) == (expected.value, expected.low, expected.high)
    assert found["n_units"] == len(table) < len(pd.read_parquet(done.path / "cohort.parquet"))
    assert any("not cross-validated" in note for note in done.results["notes"])
    page = done.report.read_text(encoding="utf-8")
    assert "temporal validation" in page
    assert "fold-averaged" not in page.lower()
    performance = (done.path / "tables" / "performance.md").read_text()
    assert "Held-out test part" in performance
    assert f"{len(table)} nodules of {table['patient_id'].nunique()} patients" in performance


def test_windows_in_time_are_tested_one_after_another(run):
    done = run(
        "{kind: time, column: date, windows: 2}", "comparators=[{name: size, covariates: [diameter_mm]}]"
    )
    splits = Splits.from_json((done.path / "splits.json").read_text())
    first, second = splits.parts
    assert set(second.train) == {*first.train, *first.test}
    assert estimates(done.results, model="image", metric="auroc", aggregation="window-averaged")
    assert done.results["comparisons"][0]["aggregation"] == "window-averaged"
    assert "expanding windows" in done.report.read_text(encoding="utf-8")


def test_an_official_split_validates_where_it_says(run, study):
    split = (
        "{kind: column, column: part, train_values: [train], validation_values: [val], test_values: [test]}"
    )
    done = run(split, DEFAULT_INNER)
    cohort = pd.read_csv(study.parent / "cohort.csv", dtype=str).set_index("case_id")
    (part,) = Splits.from_json((done.path / "splits.json").read_text()).parts
    assert set(cohort.loc[list(part.test), "part"]) == {"test"}
    assert set(cohort.loc[list(part.inner[0].validation), "part"]) == {"val"}
    threshold = json.loads((done.path / "folds" / "0-0" / "threshold.json").read_text())["models"]["image"]
    assert threshold["n_units"] == (cohort["part"] == "val").sum()
    assert set(predictions(done)["case_id"]) == set(cohort.index[cohort["part"] == "test"])
    assert estimates(done.results, metric="sensitivity", aggregation="held-out test part")


def test_nested_folds_train_a_member_each_on_the_stored_divisions(run):
    done = run("{folds: 2, inner_folds: 2}", DEFAULT_INNER, folds=[0])
    part = Splits.from_json((done.path / "splits.json").read_text()).parts[0]
    assert len(part.inner) == 2
    assert sorted(case for inner in part.inner for case in inner.validation) == sorted(part.train)
    assert len(list((done.path / "folds" / "0-0").glob("member-*.pt"))) == 2
    threshold = json.loads((done.path / "folds" / "0-0" / "threshold.json").read_text())["models"]["image"]
    assert threshold["n_units"] == len(part.train)


def test_a_site_of_a_segmentation_has_its_mean_with_an_interval(organ, tmp_path):
    data = json.loads((organ.parent / "dataset.json").read_text())
    rows = [
        {"patient_id": f"P{n}", "image": each["image"], "mask": each["label"], "site": "AB"[n % 2]}
        for n, each in enumerate(data["training"])
    ]
    pd.DataFrame(rows).to_csv(organ.parent / "cohort.csv", index=False)
    settings = ["training.epochs=1", "split={kind: site, column: site}"]
    text = organ.read_text().replace(
        "{kind: msd, path: dataset.json}", "{kind: manifest, path: cohort.csv, mask: mask}"
    )
    organ.write_text(text)
    done = mv.run(organ, settings, out=tmp_path / "run", device="cpu", quiet=True)
    (found,) = estimates(done.results, structure="anterior", metric="dice", part="site A")
    assert found["aggregation"] == "per site"
    assert found["low"] <= found["value"] <= found["high"]
    scores = pd.read_parquet(done.path / "segmentation.parquet")
    own = scores[(scores["fold"] == 0) & (scores["structure"] == "anterior")]
    assert found["value"] == pytest.approx(own["dice"].mean())


def test_check_shows_who_is_where_and_writes_it(study, tmp_path):
    settings = ["split={folds: 3, test: {kind: fraction, fraction: 0.25}}"]
    found = mv.check(study, settings, splits=tmp_path / "splits.json")
    text = str(found)
    assert "split     kfold, 3 folds" in text
    assert "of 3 patients, not opened" in text
    for words in ("Who is in which part", "fold 2", "locked", "SMD"):
        assert words in text
    splits = Splits.from_json((tmp_path / "splits.json").read_text())
    assert splits == found.opened.splits
    check_disjoint(splits, found.opened.cohort)


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ("{folds: 13}", "and 13 folds need at least 13"),
        ("{kind: site, column: sight}", "no column 'sight'"),
        ("{kind: time, column: date, test_from: 2030-01-01}", "the test part has no patient"),
        ("{kind: column, column: part}", "'val' (6 cases)"),
        ("{folds: 6, test: {kind: fraction, fraction: 0.6}}", "patients were locked away before"),
        ("{folds: 2, inner_folds: 6}", "cannot be divided into 6 inner folds"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_arithmetic(study, split, words):
    with pytest.raises(CohortError) as caught:
        mv.check(study, [f"split={split}", DEFAULT_INNER])
    assert words in str(caught.value)


def test_an_unlock_needs_a_locked_set_and_all_folds(run):
    with pytest.raises(RunError, match="locks no test set away"):
        run("{folds: 2}", unlock_test=True)
    with pytest.raises(RunError, match="until all 2 folds are finished, and 1 would not be"):
        run("{folds: 2, test: {kind: fraction, fraction: 0.3}}", unlock_test=True, folds=[0])


def test_the_command_line_writes_the_split_and_refuses_to_unlock_nothing(study, tmp_path, capsys):
    def command(*words):
        with pytest.raises(SystemExit) as left:
            main([words[0], str(study), *words[1:]])
        return left.value.code

    target = tmp_path / "splits.json"
    assert command("check", "split={folds: 2, inner_folds: 2}", DEFAULT_INNER, "--splits", str(target)) == 0
    assert "Who is in which part" in capsys.readouterr().out
    assert len(Splits.from_json(target.read_text()).parts[0].inner) == 2
    assert command("run", "--unlock-test", "--out", str(tmp_path / "run")) == 2
    assert "locks no test set away" in capsys.readouterr().err


FITTED = ["preprocessing.spacing_mm=median", "preprocessing.intensity={kind: nyul, percentiles: [1, 50, 99]}"]


@pytest.mark.parametrize(
    "split",
    [
        "kind: kfold, folds: 2, inner_folds: 2",
        "kind: hash, folds: 2",
        "kind: site, column: hospital",
        "kind: time, column: date, windows: 2",
        "kind: column, column: part, validation_values: [val]",
    ],
)
def test_whatever_the_split_each_part_prepares_with_what_its_training_part_shows(study, split):
    locked = "test: {kind: column, column: patient_id, values: [PHANTOM-0001]}"
    opened = open_study(study, [f"split={{{split}, {locked}}}", DEFAULT_INNER, "comparators=[]", *FITTED])
    images = {case.case_id: case.image for case in opened.cohort}
    masks = {case.case_id: case.mask for case in opened.cohort}
    for image in {case.image for case in opened.locked}:
        shutil.rmtree(image)
    hashes = hash_inputs(opened.development, Silence())
    folds = prepare_folds(opened, hashes, Silence(), opened.splits.parts)
    own = {case.case_id: mv.load_volume(case.image).geometry.spacing_mm for case in opened.development}
    for part in opened.splits.parts:
        found = folds[part.repeat, part.fold]
        assert not {*found.cases} & {*opened.splits.locked}
        assert {*part.train, *part.test} <= {*found.cases}
        wanted = np.median([own[case_id] for case_id in part.train], axis=0)
        assert found.fitted.spacing_mm == pytest.approx(wanted, abs=1e-3)
        steps = found.fitted.settings(opened.study)
        alone = [prepare(images[case], masks[case], steps, {}).landmarks for case in part.train]
        assert found.fitted.standard.landmarks == pytest.approx(HistogramStandard.learn(alone).landmarks)
        assert found.fingerprint["cases"] == len(part.train)


def test_locked_cases_of_every_site_are_scored_as_new_scans_are(run, study):
    done = run(
        "{kind: site, column: hospital, test: {kind: fraction, fraction: 0.3}}", *FITTED, unlock_test=True
    )
    table = pd.read_parquet(done.path / "locked_test" / "predictions.parquet")
    cohort = pd.read_csv(study.parent / "cohort.csv", dtype=str)
    cohort[cohort["case_id"].isin(table["case_id"])].to_csv(study.parent / "new.csv", index=False)
    again = mv.predict(done.path, study.parent / "new.csv", out=done.path.parent / "new", device="cpu")
    both = table.merge(again, on="case_id", suffixes=("", "_again"))
    assert len(both) == len(table) > 0
    np.testing.assert_allclose(both["score"], both["score_again"], atol=1e-5)
    assert "standard histogram that was learned on the training part" in done.report.read_text()
