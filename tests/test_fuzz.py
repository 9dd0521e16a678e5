"""Whatever is given to the estimators: a good model or an error that was meant, and nothing changed."""

import os

import pytest
from fuzzing.walk import DROP_INS, FOR_TABLES, Walk
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

N_EXAMPLES = int(os.environ.get("SKNN_FUZZ_EXAMPLES", 20_000))
"""Examples of the long run, in all."""

N_SHARDS = 20

each_family = pytest.mark.parametrize("kinds", [DROP_INS, FOR_TABLES], ids=["drop-in", "tables"])


def walk(kinds, number, n_examples):
    """Try examples, the same ones each time."""

    @seed(number)
    @settings(max_examples=n_examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def walk_once(data):
        Walk(data, kinds).go()

    walk_once()


@each_family
def test_no_walk_goes_wrong(kinds):
    walk(kinds, 0, 60)


@pytest.mark.full
@each_family
@pytest.mark.parametrize("shard", range(1, 1 + N_SHARDS // 2))
def test_no_walk_of_many_goes_wrong(kinds, shard):
    walk(kinds, shard, max(N_EXAMPLES // N_SHARDS, 1))
