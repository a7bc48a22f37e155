"""`python -m slack_audit_cli` is `slack-audit`."""

import sys

from slack_audit_cli.codes import INTERRUPTED


def main() -> None:
    """`slack-audit`. Ctrl-C is quiet also while all of it is still being loaded."""
    try:
        from slack_audit_cli.app import main as run  # noqa: PLC0415 - here, so that it can be interrupted
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
