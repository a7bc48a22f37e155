"""How the command ends where nobody waits for its output any more: quietly, by Ctrl-C as by a closed pipe."""

import os
import sys
from collections.abc import Callable

from slack_audit_cli.codes import CLOSED, INTERRUPTED


def ended(run: Callable[[], object]) -> int:
    """Runs a command that ends by SystemExit, and gives its code, with all that it printed written out."""
    try:
        code = _code(run)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_output()
        return CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _code(run: Callable[[], object]) -> int:
    try:
        run()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # typer takes it for an error of the command
            raise end.__context__ from None
        return end.code if isinstance(end.code, int) else 0
    return 0


def _forget_output() -> None:
    """What is still to be written goes nowhere: else Python complains about it when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
