"""The command line: exit codes, what it prints, what it loads."""

import json
import os
import resource
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import medvision
from medvision.cli import main


def run(*words):
    with pytest.raises(SystemExit) as left:
        main(words)
    return left.value.code


@pytest.fixture
def predictions(tmp_path):
    table = pd.DataFrame(
        {
            "case_id": range(40),
            "patient_id": [number // 2 for number in range(40)],
            "label": [number // 2 % 2 for number in range(40)],
            "score": [(number * 7 % 40) / 40 + number // 2 % 2 for number in range(40)],
            "fold": [number // 2 % 5 // 1 for number in range(40)],
        }
    )
    path = tmp_path / "predictions.csv"
    table.to_csv(path, index=False)
    return path


def test_help_is_fast_and_loads_no_deep_learning_library():
    code = (
        "import sys\nfrom medvision.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = ('torch', 'monai', 'lightning', 'pandas', 'scipy')\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    # Processor time, without the measuring of coverage: what else the machine does must not count.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-c", code]
    times = []
    for _ in range(3):
        begun = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime)
        assert done.stderr.strip() == "[]"
    # 0.3 s is the goal on an idle machine; twice that tells a heavy import from a busy processor.
    assert min(times) < 0.6
    for verb in ("run", "check", "predict", "evaluate", "compare", "report", "convert", "cache"):
        assert verb in done.stdout


def test_importing_the_package_loads_nothing_and_every_public_name_is_there():
    code = "import sys, medvision; print('numpy' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
    for name in medvision.__all__:
        assert getattr(medvision, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = medvision.nothing


@pytest.mark.parametrize(
    "verb", ["run", "check", "predict", "evaluate", "compare", "report", "convert", "cache"]
)
def test_every_verb_has_help_with_an_example(verb, capsys):
    assert run(verb, "--help") == 0
    assert f"medvision {verb} " in capsys.readouterr().out.split("Examples:")[1]


def test_version_names_the_versions_that_matter(capsys):
    assert run("--version") == 0
    text = capsys.readouterr().out
    for package in ("medvision", "torch", "monai", "lightning", "pydicom", "nibabel", "scikit-learn"):
        assert f"\n{package} " in f"\n{text}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["runn"], 'Did you mean "run"'),
        (["run"], "requires an argument"),
        (["run", "nowhere.yaml"], "nowhere.yaml"),
        (["run", "nowhere.yaml", "--device", "tpu"], "tpu"),
        (["check", "nowhere.yaml"], "nowhere.yaml"),
        (["report", "nowhere"], "no results.json"),
        (["predict", "nowhere", "scan.nii.gz", "--out", "out"], "no run folder"),
        (["convert", "nowhere", "out.nii.gz"], "nowhere"),
        (["evaluate"], "name a table of predictions"),
        (["evaluate", "nowhere.csv"], "nowhere.csv"),
        (["evaluate", "--reference", "a", "--prediction", "b"], "--labels"),
        (["run", "x.yaml", "--folds", "one"], "write fold numbers"),
        (["scan", "x" * 300], "File name too long; give another path"),
        (["init", f"{'x' * 300}.csv"], "File name too long; give another path"),
        (["convert", f"{'x' * 300}.nii", "out.nii.gz"], "File name too long; give another path"),
        (["evaluate", f"{'x' * 300}.csv"], "File name too long; give another path"),
        (["report", "x" * 300], "File name too long; give another path"),
    ],
)
def test_a_users_mistake_is_one_sentence_and_exit_code_two(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("medvision.interrupt.stop_on_interrupt", lambda advice: None)
    assert run(*words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_evaluate_prints_a_table_or_json_and_writes_files(predictions, capsys, tmp_path):
    words = ["evaluate", str(predictions), "--patient", "patient_id", "--threshold", "0.9"]
    assert run(*words) == 0
    assert "40 rows of 20 patients; intervals account for clustering" in capsys.readouterr().out
    assert run(*words, "--json", "--out", str(tmp_path / "out")) == 0
    content = json.loads(capsys.readouterr().out)
    area = next(row for row in content["estimates"] if row["metric"] == "auroc")
    assert (area["n_units"], area["n_patients"]) == (40, 20)
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text()) == content
    for ending in ("csv", "md", "tex", "html"):
        assert "AUC" in (tmp_path / "out" / f"evaluation.{ending}").read_text(encoding="utf-8")
    plain = pd.read_csv(tmp_path / "out" / "estimates.csv").set_index("metric")
    assert plain.loc["auroc", "value"] == area["value"]
    assert plain.loc["auroc", "low"] == pytest.approx(area["low"], rel=1e-12)


def test_evaluate_takes_several_classes_and_labels(tmp_path, capsys):
    rows = "".join(f"{'abc'[i % 3]},{i % 2},{i % 5 < 2:d},0.{i % 7},0.{i % 4},0.{i % 6}\n" for i in range(60))
    table = tmp_path / "table.csv"
    table.write_text("y,u,v,pa,pb,pc\n" + rows, encoding="utf-8")
    contents = []
    for words in (["--score", "a=pa,b=pb,c=pc"], ["--score", "pa,pb,pc", "--classes", "a,b,c"]):
        assert run("evaluate", str(table), "--label", "y", *words, "--ordinal", "--json") == 0
        contents.append(json.loads(capsys.readouterr().out))
    assert contents[0] == contents[1]
    assert sum(map(sum, contents[0]["confusion"]["counts"])) == 60
    assert run("evaluate", str(table), "--label", "y", "--score", "a=pa,b=pb,c=pc") == 0
    assert "Confusion matrix" in capsys.readouterr().out
    words = ["evaluate", str(table), "--label", "u,v", "--score", "pa,pb", "--threshold", "0.3,0.2", "--json"]
    assert run(*words) == 0
    assert json.loads(capsys.readouterr().out)["thresholds"] == {"u": 0.3, "v": 0.2}
    for words, told in (
        (["--score", "a=pa,a=pb"], "named twice"),
        (["--score", "pa,pb", "--classes", "a"], "each of the 2 columns"),
        (["--score", "pa,pb"], "which class"),
        (["--score", "a=pa,b=pb"], "'c' has no column"),
        (["--score", "pa,pb", "--threshold", "0.3,x"], "a number for each label"),
    ):
        assert run("evaluate", str(table), "--label", "y", *words) == 2
        assert told in capsys.readouterr().err


def test_evaluate_measures_probabilities_prevalences_and_missing_scores(predictions, capsys, tmp_path):
    table = pd.read_csv(predictions)
    table["score"] = (1 / (1 + np.exp(-table["score"]))).mask(table.index == 7)
    table.to_csv(tmp_path / "gaps.csv", index=False)
    words = [
        "evaluate",
        str(tmp_path / "gaps.csv"),
        "--threshold",
        "0.5",
        "--missing",
        "bounds",
        "--calibration",
    ]
    words += ["--prevalence", "0.01,0.1", "--decision-curve", "0.1:0.3:0.1", "--out", str(tmp_path / "out")]
    assert run(*words, "--json") == 0
    records = json.loads(capsys.readouterr().out)["estimates"]
    groups = {row["group"] for row in records}
    assert {"worst case", "best case", "prevalence 0.01", "threshold 0.2"} <= groups
    assert "calibration_slope" in {row["metric"] for row in records}
    rows = (tmp_path / "out" / "decision_curve.csv").read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[0] for row in rows] == ["Threshold", "0.1", "0.2", "0.3"]
    assert run("evaluate", str(tmp_path / "gaps.csv")) == 2
    assert "row 9" in capsys.readouterr().err
    assert run(*words[:4], "--prevalence", "5%", "--missing", "drop") == 2
    assert "--prevalence 5%" in capsys.readouterr().err


def test_evaluate_takes_numbers_and_times(tmp_path, capsys):
    table = tmp_path / "table.csv"
    rows = "".join(f"{i % 9 + 1},{i % 7 + 2},{i % 3 > 0:d},{(i * 7) % 11},P{i // 2}\n" for i in range(60))
    table.write_text("ml,months,died,risk,patient_id\n" + rows, encoding="utf-8")
    words = ["evaluate", str(table), "--score", "risk", "--patient", "patient_id", "--json"]
    assert run(*words, "--label", "ml", "--regression") == 0
    content = json.loads(capsys.readouterr().out)
    assert [r["metric"] for r in content["estimates"]][:4] == ["mae", "rmse", "bias", "r_squared"]
    assert {r["n_patients"] for r in content["estimates"]} == {30}
    assert run(*words, "--time", "months", "--event", "died", "--tau", "6") == 0
    content = json.loads(capsys.readouterr().out)
    assert [r["metric"] for r in content["estimates"]] == ["harrell_c", "uno_c"]
    for more, told in (
        (["--regression", "--threshold", "3"], "--threshold is for classes"),
        (["--regression", "--label", "ml", "--tau", "3"], "--tau does not go with --regression"),
        (["--time", "months"], "both columns"),
        (["--label", "died", "--tau", "3"], "--tau needs --time and --event"),
        (["--time", "months", "--event", "died", "--tau", "99"], "outside the follow-up"),
    ):
        assert run(*words, *more) == 2
        assert told in capsys.readouterr().err


def test_compare_matches_cases_and_gives_every_pair(predictions, capsys, tmp_path):
    other = tmp_path / "other.csv"
    pd.read_csv(predictions).assign(score=lambda table: -table["score"]).to_csv(other, index=False)
    assert run("compare", str(predictions), str(other), "--patient", "patient_id", "--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert content["comparisons"][0]["a"] == "predictions"
    assert content["comparisons"][0]["difference"]["value"] > 0.5


def test_a_wrong_column_gets_a_suggestion(predictions, capsys):
    assert run("evaluate", str(predictions), "--score", "scor") == 2
    assert "score" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["init", "check-deidentified"])
def test_the_verbs_for_new_data_have_help_with_an_example(verb, capsys):
    assert run(verb, "--help") == 0
    assert f"medvision {verb} " in capsys.readouterr().out.split("Examples:")[1]


def test_init_proposes_a_study_that_check_accepts(tmp_path, capsys):
    from medvision.testing import write_mr_cohort

    data = write_mr_cohort(tmp_path / "mr", patients=5, shape=(32, 48, 32))
    assert run("init", str(data), "--out", str(tmp_path / "study")) == 0
    assert "EVERY FILE IS TAKEN AS A PATIENT" in capsys.readouterr().out
    assert run("check", str(tmp_path / "study/study.yaml")) == 0
    assert "nothing wrong found" in capsys.readouterr().out
    assert run("init", str(data), "--out", str(tmp_path / "study")) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--patient", "patient_id"], "--patient is said of a table, not of masks; name their patients with"),
        (
            ["--label", "y", "--threshold", "0.5", "--by", "sex"],
            "--label and --threshold and --by are said of a",
        ),
        (["--tau", "0"], "--tau is said of a table"),
        (["--merge-within-mm", "0"], "--merge-within-mm is said of lesions; add --lesions"),
        (["--level", "95"], "write 0.95 for 95%"),
        (["--lesions", "--connectivity", "7"], "connectivity=7"),
        (["--nsd-tolerance-mm", "-1"], "must be 0 or more"),
    ],
)
def test_what_cannot_hold_for_masks_is_refused_before_a_mask_is_looked_for(words, said, capsys, monkeypatch):
    monkeypatch.setattr("medvision.interrupt.stop_on_interrupt", lambda advice: None)
    folders = ["--reference", "nowhere", "--prediction", "nowhere", "--labels", "1: head , 2:tail"]
    assert run("evaluate", *folders, *words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--nsd-tolerance-mm", "1"], "--nsd-tolerance-mm is said of masks"),
        (["--lesions", "--labels", "1:a"], "--labels and --lesions are said of masks"),
        (["--regression", "--positive", "2"], "--positive does nothing with --regression"),
        (["--time", "score", "--event", "label", "--label", "fold"], "--label does nothing with --time"),
        (["--threshold", "0,5"], "one label has one threshold, written with a decimal point"),
        (["--prevalence", "0.1"], "which need a threshold"),
        (["--reader", "fold", "--nsd-tolerance-mm", "1"], "--nsd-tolerance-mm is not for readings"),
    ],
)
def test_what_cannot_hold_for_a_table_is_refused(words, said, capsys, predictions):
    assert run("evaluate", str(predictions), *words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("words", [["evaluate"], ["compare"]])
def test_a_file_is_no_folder_for_results_and_nothing_is_computed(words, capsys, predictions, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("")
    for out in (taken, taken / "inner"):
        assert run(*words, str(predictions), "--out", str(out)) == 2
        assert f"{taken} is a file; name a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--on", "x", "--score", "p"], "--on and --score are said of tables, not of masks"),
        (["--positive", "2"], "--positive is said of tables"),
    ],
)
def test_options_of_tables_are_refused_where_masks_are_compared(words, said, capsys, monkeypatch):
    monkeypatch.setattr("medvision.interrupt.stop_on_interrupt", lambda advice: None)
    assert run("compare", "a", "b", "--reference", "c", "--labels", "1:a", *words) == 2
    assert said in capsys.readouterr().err
