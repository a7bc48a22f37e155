"""Asking Slack directly, for scripts: nothing of it is archived."""
