"""Readings from a table, on the command line and as JSON that fits the schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pandas as pd
import pytest

from medvision.cli import main
from medvision.errors import EvaluationError
from medvision.evaluation import compare_ai_with_readers, reader_study
from medvision.workflows.evaluate_readers import evaluate_ai_against_readers, evaluate_readers
from medvision.workflows.reader_options import ReadingColumns
from medvision.workflows.reader_tables import reader_tables

ROOT = Path(__file__).parents[3]
RATINGS = ROOT / "tests" / "golden" / "van_dyke_ratings.csv"
SCHEMA = json.loads((ROOT / "docs" / "evaluation.schema.json").read_text(encoding="utf-8"))
NAMED = ReadingColumns(modality="treatment", label="truth", score="rating")
WORDS = ("--reader", "reader", "--label", "truth", "--score", "rating")


@pytest.fixture
def one_modality(tmp_path: Path) -> Path:
    table = pd.read_csv(RATINGS)
    table = table[table["treatment"] == 1].drop(columns="treatment")
    file = tmp_path / "one.csv"
    table.assign(reader=table["reader"].replace({1: 77}).map("R{}".format)).to_csv(file, index=False)
    return file


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["evaluate", *words])
    return int(left.value.code or 0)


@pytest.mark.parametrize("scope", ["RRRC", "FRRC", "RRFC"])
def test_it_is_the_study_of_the_library(scope: str) -> None:
    found = evaluate_readers(RATINGS, NAMED, scope=scope)
    study = reader_study(
        pd.read_csv(RATINGS).rename(columns={"truth": "label", "rating": "score"}), scope=scope
    )
    content = json.loads(found.to_json())
    jsonschema.validate(content, SCHEMA)
    pair = study.differences["1", "2"]
    assert content["comparisons"][0]["difference"]["value"] == pair.difference.value
    assert content["comparisons"][0]["p"] == content["comparisons"][0]["p_adjusted"] == pair.p
    assert content["reader_study"]["statistic"] == study.statistic
    assert content["reader_study"]["df"][1] == (None if scope == "FRRC" else pytest.approx(study.df[1]))
    means = {r["modality"]: r["value"] for r in content["estimates"] if r["reader"] is None}
    assert means == {name: mean.value for name, mean in study.means.items()}
    assert len(content["estimates"]) == 12
    assert len({record["group"] for record in content["estimates"]}) == 12


def test_the_tables_of_a_paper() -> None:
    readers, differences = reader_tables(evaluate_readers(RATINGS, NAMED))
    assert readers.columns == ("Reader", "1", "2")
    assert readers.rows[-1] == ("Mean of readers", "0.897 (95% CI 0.825–0.969)", "0.941 (95% CI 0.894–0.988)")
    assert len(readers.rows) == 6
    assert differences.rows[0][:3] == ("1 − 2", "−0.044 (95% CI −0.088 to 0.000)", "p = 0.052")
    assert "5 readers, 114 cases (45 with the condition)" in differences.notes


def test_three_modalities_have_an_adjusted_p() -> None:
    table = pd.read_csv(RATINGS)
    third = table[table["treatment"] == 1].assign(treatment=3, rating=lambda t: t["rating"] % 4)
    found = evaluate_readers(pd.concat([table, third]), NAMED)
    jsonschema.validate(json.loads(found.to_json()), SCHEMA)
    assert len(found.comparisons) == 3
    assert all(pair["p_adjusted"] >= pair["p"] for pair in found.comparisons)
    assert reader_tables(found)[1].columns == ("Compared", "Difference", "p", "p (Holm)", "Method")
    assert any("3 modalities are equal: F =" in note for note in found.notes)


def test_sensitivity_in_percentage_points_and_patients() -> None:
    table = pd.read_csv(RATINGS).assign(who=lambda t: t["case"] // 2)
    named = ReadingColumns(modality="treatment", label="truth", score="rating", patient="who")
    found = evaluate_readers(table, named, figure="sensitivity", threshold=3)
    jsonschema.validate(json.loads(found.to_json()), SCHEMA)
    assert json.loads(found.to_json())["threshold"] == 3
    assert "percentage points" in reader_tables(found)[1].rows[0][1]
    assert "of 58 patients; intervals account for clustering" in found.notes[0]


def test_an_algorithm_against_readers(one_modality: Path) -> None:
    found = evaluate_ai_against_readers(
        one_modality, "R77", ReadingColumns(modality=None, label="truth", score="rating")
    )
    table = pd.read_csv(one_modality).rename(columns={"truth": "label", "rating": "score"})
    expected = compare_ai_with_readers(table, "R77")
    content = json.loads(found.to_json())
    jsonschema.validate(content, SCHEMA)
    assert content["comparisons"][0]["difference"]["value"] == expected.difference.value
    assert content["comparisons"][0]["p"] == expected.p
    assert content["comparisons"][0]["b"] == "mean of 4 readers"
    assert found.notes[0].startswith("4 readers, 114 cases")
    assert [record["reader"] for record in found.estimates] == ["R77", "mean of 4 readers"]
    assert reader_tables(found)[0].rows[0][:2] == ("R77", "0.920 (95% CI 0.861–0.979)")


def test_the_command_line(one_modality: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "tables"
    assert run(str(RATINGS), *WORDS, "--modality", "treatment", "--out", str(out)) == 0
    assert "p = 0.052" in capsys.readouterr().out
    assert (out / "readers.tex").exists()
    jsonschema.validate(json.loads((out / "evaluation.json").read_text()), SCHEMA)
    assert run(str(one_modality), *WORDS, "--ai", "R77", "--json") == 0
    assert json.loads(capsys.readouterr().out)["comparisons"][0]["a"] == "R77"
    figure = ("--modality", "treatment", "--figure", "specificity", "--threshold", "3")
    assert run(str(RATINGS), *WORDS, *figure) == 0
    assert "Specificity of each reader" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (WORDS, "one of the two"),
        ((*WORDS, "--modality", "treatment", "--ai", "1"), "one of the two"),
        (
            (*WORDS, "--modality", "treatment", "--fold", "case", "--by", "sex"),
            "--fold and --by are not",
        ),
        ((*WORDS, "--modality", "treatment", "--sampling", "enriched"), "--sampling is not for readings"),
        ((*WORDS, "--modality", "treatment", "--figure", "sensitivity", "--threshold", "x"), "need a number"),
        ((*WORDS, "--modality", "treatmet"), "did you mean 'treatment'"),
        (
            (*WORDS, "--modality", "treatment", "--ordinal", "--unit", "lesion"),
            "--unit and --ordinal are not for readings",
        ),
        (("--modality", "treatment"), "--reader"),
        (("--figure", "sensitivity", "--threshold", "3"), "--reader"),
        ((*WORDS, "--modality", "treatment", "--figure", "sensitivity"), "threshold"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(RATINGS), *words) == 2
    assert told in capsys.readouterr().err


def test_readers_without_a_table_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--reader", "reader", "--modality", "treatment") == 2
    assert "table of readings" in capsys.readouterr().err


def test_missing_values_and_missing_readings_are_named_together() -> None:
    table = pd.read_csv(RATINGS).iloc[1:].astype({"rating": object, "truth": object})
    table.iloc[4, table.columns.get_loc("rating")] = "high"
    table.iloc[5, table.columns.get_loc("truth")] = None
    with pytest.raises(EvaluationError) as error:
        evaluate_readers(table, NAMED)
    for told in ("reader 1, treatment 1, case 1: missing", "1 of 1139 scores", "1 of 1139 labels"):
        assert told in str(error.value)


def test_an_unknown_algorithm_is_named(one_modality: Path) -> None:
    with pytest.raises(EvaluationError, match="R77"):
        evaluate_ai_against_readers(
            one_modality, "AI", ReadingColumns(modality=None, label="truth", score="rating")
        )
