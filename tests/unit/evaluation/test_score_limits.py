"""Turning a score test round."""

from __future__ import annotations

import pytest

from medvision.evaluation.score_limits import score_limits


def test_a_constant_variance_gives_a_symmetric_interval() -> None:
    assert score_limits(0.2, lambda d: 0.2 - d, lambda d: 0.01, 1.96) == pytest.approx((0.004, 0.396))


def test_limits_stop_at_the_ends() -> None:
    assert score_limits(0.2, lambda d: 0.2 - d, lambda d: 100.0, 1.96) == (-1.0, 1.0)


@pytest.mark.parametrize("value", [-1.0, 1.0])
def test_a_value_at_an_end_is_its_own_limit_there(value: float) -> None:
    low, high = score_limits(value, lambda d: value - d, lambda d: 0.01, 1.96)
    assert (high if value > 0 else low) == value
    assert -1 <= low <= value <= high <= 1
