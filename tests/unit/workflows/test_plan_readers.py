"""Readers and cases of a reader study: a published table, a simulation, and where variances come from."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation.obuchowski_rockette import treatment_test, variance_components
from medvision.evaluation.reader_covariances import delong_covariance
from medvision.evaluation.reader_power import power_reader_study
from medvision.workflows.clusters import Clusters
from medvision.workflows.plan_readers import plan_readers
from medvision.workflows.reader_options import ReaderVariances, ReadingColumns
from medvision.workflows.reader_pilot import Pilot, pilot_from, pilot_of

RATINGS = Path(__file__).parents[2] / "golden" / "van_dyke_ratings.csv"
NAMED = ReadingColumns(modality="treatment", label="truth", score="rating")
GIVEN = ReaderVariances(0.0008, 0.00035, 0.00034, 0.00024, 0.0002, 114)

# Readers and the fewest cases for a power of 80%, the difference being the pilot's own, 0.043800322: vignette
# Ch11Vig4SampleSize of the R package RJafroc (ratings of Van Dyke et al., Obuchowski-Rockette, RRRC).
PUBLISHED = {4: 1089, 5: 344, 6: 251, 7: 211, 8: 188, 10: 163, 12: 149, 15: 137, 20: 126}


@pytest.fixture(scope="module")
def pilot() -> Pilot:
    return pilot_of(RATINGS, NAMED)


def test_the_published_table_of_readers_and_cases(pilot: Pilot) -> None:
    found = plan_readers(pilot, difference=-0.043800322)
    assert {row.readers: row.cases for row in found.rows[1:]} == PUBLISHED
    # With three readers the vignette finds no number up to 2000.
    assert found.rows[0].cases is None or found.rows[0].cases > 2000
    assert (found.readers, found.cases) == (7, 211)  # the fewest readings


def test_the_published_power(pilot: Pilot) -> None:
    parts = pilot.components
    six = power_reader_study(parts, difference=-0.043800322, readers=6, cases=251, pilot_cases=114)
    ten = power_reader_study(parts, difference=-0.043800322, readers=10, cases=165, pilot_cases=114)
    assert six == pytest.approx(0.8005403, abs=5e-8)  # the same vignette
    assert ten == pytest.approx(0.80541995, abs=5e-9)  # RJafroc's tests of its Ss functions


def test_the_published_power_of_fixed_readers_or_cases(pilot: Pilot) -> None:
    # RJafroc's tests of its Ss functions, the same ratings and difference, ten readers.
    for scope, cases, power in (("FRRC", 131, 0.80091813), ("RRFC", 53, 0.80496663)):
        found = power_reader_study(
            pilot.components, difference=-0.043800322, readers=10, cases=cases, pilot_cases=114, scope=scope
        )
        assert found == pytest.approx(power, abs=5e-9)
        plan = plan_readers(pilot, difference=-0.043800322, readers=10, scope=scope)
        assert plan.cases == cases
        assert "fixed" in plan.text


def test_the_power_against_simulated_readings() -> None:
    """Readings as Roe and Metz (1997) drew them; components from many pilots, then the test of each study."""
    rng = np.random.default_rng(4)
    readers, cases, repeats = 5, 60, 400

    def study(separation: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
        def noise(sd: float, *shape: int) -> np.ndarray:
            return sd * rng.standard_normal(shape)

        def one_class() -> np.ndarray:
            return (
                noise(0.1, 1, readers, 1) + noise(0.15, 2, readers, 1) + noise(0.55, 1, 1, cases)
                + noise(0.55, 2, 1, cases) + noise(0.45, 1, readers, cases) + noise(0.45, 2, readers, cases)
            )  # fmt: skip

        shift = np.array(separation)[:, None, None]
        scores = np.concatenate([one_class() + shift, one_class()], axis=2).reshape(2 * readers, -1)
        truth = np.arange(2 * cases) < cases
        areas, covariance = delong_covariance(truth, scores, np.arange(2 * cases))
        return areas.reshape(2, readers), covariance

    drawn = [study((1.2, 1.75)) for _ in range(repeats)]
    parts = [variance_components(*one) for one in drawn]
    rejected = np.mean([treatment_test(one, 2, readers, "RRRC")[2] < 0.05 for one in parts])
    mean = variance_components(drawn[0][0], np.mean([c for _, c in drawn], axis=0))
    truly = type(mean)(**{
        **mean.to_dict(), "ms_treatment_reader": float(np.mean([p.ms_treatment_reader for p in parts]))
    })  # fmt: skip
    gap = float(np.mean([a[1].mean() - a[0].mean() for a, _ in drawn]))
    planned = power_reader_study(
        truly, difference=gap, readers=readers, cases=2 * cases, pilot_cases=2 * cases
    )
    assert 0.5 < planned < 0.9
    assert rejected == pytest.approx(planned, abs=3 * math.sqrt(planned * (1 - planned) / repeats))


def test_given_variances_are_those_of_the_pilot(pilot: Pilot) -> None:
    parts = pilot.components
    given = ReaderVariances(parts.variance, parts.cov1, parts.cov2, parts.cov3, pilot.interaction, 114)
    assert pilot_from(given).interaction == pytest.approx(pilot.interaction, rel=1e-9)
    one, other = (plan_readers(p, difference=0.05, readers=8) for p in (pilot, pilot_from(given)))
    assert (one.cases, one.rows[3].power) == (other.cases, pytest.approx(other.rows[3].power))


def test_clusters_and_losses_by_hand(pilot: Pilot) -> None:
    plain = plan_readers(pilot, difference=0.05, readers=6)
    found = plan_readers(pilot, difference=0.05, readers=6, clusters=Clusters(2, 0.3, 0.1))
    assert found.cases == plain.cases == plain.patients
    assert found.patients == math.ceil(math.ceil(found.cases * 1.3 / 2) / 0.9)
    assert found.readings == 2 * 6 * math.ceil(found.cases * 1.3)
    assert "design effect of 1.30" in found.text
    assert f"{found.patients} are recruited" in found.text


def test_patients_of_the_pilot_carry_their_own_clusters() -> None:
    table = pd.read_csv(RATINGS)
    double = pd.concat([table, table.assign(case=table["case"] + 1000)])
    double["who"] = double["case"] % 1000
    named = ReadingColumns(modality="treatment", label="truth", score="rating", patient="who")
    found = plan_readers(pilot_of(double, named), difference=0.05, readers=6)
    single = plan_readers(pilot_of(table, NAMED), difference=0.05, readers=6)
    # Copies of the cases tell nothing new: as many patients as before.
    assert found.patients == pytest.approx(single.patients, abs=2)
    assert "hang together" in found.text
    with pytest.raises(EvaluationError, match="leave out"):
        plan_readers(pilot_of(double, named), difference=0.05, clusters=Clusters(2, 0.3))


def test_json_and_text_say_the_same(pilot: Pilot) -> None:
    found = plan_readers(pilot_from(GIVEN), difference=0.05)
    content = json.loads(found.to_json())
    assert content["components"]["ms_reader"] is None
    assert content["text"] in str(found)
    assert str(found).startswith(f"{found.patients} patients, {found.readers} readers\n")
    assert len(found.table()) == len(found.rows)


def test_a_negative_interaction_is_named() -> None:
    parts = variance_components(np.array([[0.8, 0.9], [0.8, 0.9]]), np.diag([0.01] * 4))
    assert "counts as 0" in plan_readers(Pilot(parts, 50, "a pilot"), difference=0.1).text


@pytest.mark.parametrize(
    ("variances", "told"),
    [
        (ReaderVariances(0.0008), "--pilot-cases is missing"),
        (ReaderVariances(0.0008, 0.1, 0.0003, 0.0002, 0.0, 100), "cov1=0.1 must lie"),
        (ReaderVariances(0.0, 0.0, 0.0, 0.0, 0.0, 100), "above 0"),
        (ReaderVariances(0.0008, float("nan"), 0.0003, 0.0002, 0.0, 100), "cov1=nan"),
        (ReaderVariances(0.0008, 0.0003, 0.0003, 0.0002, -1.0, 100), "interaction"),
    ],
)
def test_wrong_variances_are_refused(variances: ReaderVariances, told: str) -> None:
    with pytest.raises(EvaluationError, match=told):
        pilot_from(variances)


def test_a_handful_of_cases_is_no_plan() -> None:
    found = plan_readers(pilot_from(GIVEN), difference=0.5)
    assert "fewer than 30 cases are no plan" in found.text
    assert all(power > 0.999 for row in found.rows for power in row.power.values())
    assert "no plan" not in plan_readers(pilot_from(GIVEN), difference=0.05).text


def test_what_cannot_be_reached_is_said() -> None:
    with pytest.raises(EvaluationError, match="5 readers do"):
        plan_readers(pilot_from(GIVEN), difference=0.04, readers=3)
    with pytest.raises(EvaluationError, match="too small"):
        plan_readers(pilot_from(GIVEN), difference=0.0001)
    with pytest.raises(EvaluationError, match="scope"):
        plan_readers(pilot_from(GIVEN), difference=0.05, scope="FRFC")
    with pytest.raises(EvaluationError, match="difference"):
        plan_readers(pilot_from(GIVEN), difference=0)
