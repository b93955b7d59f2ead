"""`medvision plan` in a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from medvision.cli import main

RATINGS = Path(__file__).parents[1] / "golden" / "van_dyke_ratings.csv"


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["plan", *words])
    return int(left.value.code or 0)


@pytest.mark.parametrize(
    "words",
    [
        "auroc --expected 0.85 --half-width 0.05 --prevalence 0.3",
        "sensitivity --expected 0.9 --half-width 0.05 --prevalence 0.2 --lost 0.1",
        "specificity --expected 0.9 --half-width 0.03 --prevalence 0.2 --per-patient 2 --icc 0.3",
        "compare --measure auroc --first 0.85 --second 0.80 --correlation 0.6",
        "compare --measure sensitivity --first 0.9 --second 0.8 --discordant 0.2",
        "readers --difference 0.05 --variance 0.0008 --cov1 0.00035 --cov2 0.00034 --cov3 0.00024 "
        "--interaction 0.0002 --pilot-cases 114 --lost 0.1",
        f"readers --difference 0.05 --pilot {RATINGS} --modality treatment --label truth "
        "--score rating --readers 8 --cases 99",
    ],
)
def test_a_plan_is_printed_as_text_and_as_json(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words.split()) == 0
    told = capsys.readouterr().out
    assert run(*words.split(), "--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert told.startswith(f"{content['patients']} patients")
    assert content["text"] in told


def test_a_wrong_number_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("auroc", "--expected", "1.2", "--half-width", "0.05") == 2
    assert capsys.readouterr().err == "medvision: expected=1.2 must lie between 0 and 1\n"


def test_a_reader_study_is_planned_from_one_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("readers", "--difference", "0.05", "--pilot", str(RATINGS), "--variance", "0.1") == 2
    assert "not both" in capsys.readouterr().err
    assert run("readers", "--difference", "0.05") == 2
    named = (str(RATINGS), "--modality", "treatment", "--score", "rating")
    assert "--cov3 is missing" in capsys.readouterr().err
    assert run("readers", "--difference", "0.05", "--pilot", *named, "--label", "trut") == 2
    assert "did you mean 'truth'" in capsys.readouterr().err
    assert run("readers", "--difference", "0.05", "--pilot", *named, "--label=truth", "--cases=few") == 2
    assert "commas" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("auroc --expected 0.85 --half-width 0.05 --power 0.9", "--power is said of a test"),
        ("auroc --expected 0.85 --null 0.7 --scores continuous", "--scores is said of an interval"),
        ("auroc --expected 0.85 --half-width 0.05 --per-patient 2", "per_patient=2 needs icc"),
        ("auroc --expected 0.85 --half-width 0.05 --icc 0.3", "icc=0.3 is said of several cases"),
        ("sensitivity --expected 0.9 --half-width 0.5", "wider than the interval of one unit"),
        ("compare --measure sensitivity --first 0.9 --second 0.8 --correlation 0.3", "is said of areas"),
        ("compare --measure auroc --first 0.9 --second 0.8 --discordant 0.3", "--discordant is said of"),
        ("compare --measure sensitivity --first 0.9 --second 0.8 --prevalence 20", "write 0.2 for 20%"),
        ("compare --measure specificity --first 0.9 --second 0.8 --prevalence 1", "write 0.2 for 20%"),
        (f"readers --difference 0.05 --pilot {RATINGS} --threshold 3", "--threshold is said of --figure"),
        ("readers --difference 0.05 --label truth --figure sensitivity", "--label and --figure are said of"),
        ("readers --difference 0.05 --variance 0.8 --cov1 0.3 --cov2 0.3 --cov3 0.2 --pilot-cases 0",
         "pilot_cases=0 must be 2 or more"),
    ],
)  # fmt: skip
def test_what_would_do_nothing_or_cannot_be_is_refused(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words.split()) == 2
    assert said in capsys.readouterr().err


def test_several_cases_a_patient_may_be_taken_for_independent(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(*["auroc", "--expected", "0.85", "--half-width", "0.05", "--per-patient", "2", "--icc", "0"]) == 0
    )
    assert "design effect of 1.00" in capsys.readouterr().out
