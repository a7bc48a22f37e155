"""The command that explores more than the tests do."""

from functools import partial

from tests.model import __main__ as command
from tests.model.explore import explore
from tests.model.mutants import RANDOM


def test_it_says_how_far_it_is_and_succeeds(capsys):
    assert command.main(["--seeds", "3", "--processes", "1"]) == 0
    assert "3 of 3 seeds, 0 broken" in capsys.readouterr().out


def test_it_prints_a_seed_that_breaks_an_invariant_with_its_trace_and_fails(capsys, monkeypatch):
    monkeypatch.setattr(command, "explore", partial(explore, protocol=RANDOM["no dropping"].protocol))
    assert command.main(["--first", "1", "--seeds", "1", "--processes", "1"]) == 1
    out = capsys.readouterr().out
    assert "seed 1: repeat:" in out
    assert " run 1    slack    ok " in out
    assert "1 of 1 seeds, 1 broken" in out
