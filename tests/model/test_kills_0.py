"""Every outside call of a history killed before and after its effect, and every lie about it, worlds 0, 2, …"""

import pytest

from tests.model.scenarios import SCENARIOS, mishaps, suffer

NAMES = list(SCENARIOS)[0::2]


@pytest.mark.parametrize("name", NAMES)
def test_killed_at_any_call_nothing_breaks(name):
    tried = 0
    for index, fate in mishaps(SCENARIOS[name]):
        suffer(SCENARIOS[name], index, fate)
        tried += 1
    assert tried > 250
