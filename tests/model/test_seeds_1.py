"""Random histories without a fault of the table, part 1 of 4: late events, bursts, kills, lost replies, overlaps."""

import pytest

from tests.model.seeds import part, stand


@pytest.mark.parametrize("seeds", part(1), ids=str)
def test_random_histories_break_nothing(seeds):
    stand(seeds, table=False)
