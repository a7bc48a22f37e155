"""`python -m local.demo`, which is what `make demo` runs. Ends with 0 only if everything was proven."""

import sys

from local.demo.signals import Signals, StoppedError


def main() -> int:
    """0: proven. 1: not proven, or something failed. 128 + the signal's number: stopped by it, as 130 by Ctrl-C."""
    with Signals() as signals:
        try:
            # Only now, when Ctrl-C is listened to: these imports take longer than anything else before the first line.
            from local.demo.play import main as play  # noqa: PLC0415

            return play(signals)
        except StoppedError as stopped:
            sys.stderr.write(f"\n{stopped}\n")
            return stopped.exit_code


if __name__ == "__main__":
    sys.exit(main())
