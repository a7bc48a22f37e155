"""`python -m slack_audit_cli` is `slack-audit`."""

from slack_audit_cli.app import main

main()
