"""Random histories in which the table is lost or restored from an old copy, part 0 of 2; runs overlap in half of them."""

import pytest

from tests.model.seeds import part, stand


@pytest.mark.parametrize("seeds", part(0), ids=str)
def test_random_histories_with_table_faults_break_nothing(seeds):
    stand(seeds, table=True)
