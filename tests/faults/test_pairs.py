"""Two faults in a row: of all kinds, at any call, drawn by chance from a fixed seed."""

import pytest

from tests.faults.figures import PAIRS, PAIRS_SEED, recorded
from tests.faults.sweep import sampled_pairs, suffer

TOGETHER = 50  # pairs of one test


@pytest.mark.parametrize("start", range(0, PAIRS, TOGETHER))
def test_whatever_happens_twice_nothing_is_lost_or_twice(start):
    both = 0
    for scenario, first, second in sampled_pairs(PAIRS, PAIRS_SEED)[start : start + TOGETHER]:
        both += suffer(scenario, first, second).border.happened > 1
    assert both > TOGETHER // 2


def test_the_figures_are_those_of_the_pairs():
    assert recorded()["pairs_of_faults"] == len(sampled_pairs(PAIRS, PAIRS_SEED))
