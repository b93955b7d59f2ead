"""Streams of chance."""

from hypothesis import given
from hypothesis import strategies as st

from medvision.training.seeds import generator, stream

PURPOSES = st.lists(st.one_of(st.integers(0, 99), st.text("abc", min_size=1, max_size=3)), max_size=4)


@given(st.integers(0, 2**32 - 1), PURPOSES)
def test_a_stream_is_a_function_of_seed_and_purpose(seed, purpose):
    assert stream(seed, *purpose) == stream(seed, *purpose)
    assert 0 <= stream(seed, *purpose) < 2**63
    assert generator(seed, *purpose).initial_seed() == stream(seed, *purpose)


def test_streams_of_neighbouring_purposes_differ():
    seeds = {
        stream(seed, name, epoch) for seed in range(5) for name in ("order", "patch") for epoch in range(50)
    }
    assert len(seeds) == 500
