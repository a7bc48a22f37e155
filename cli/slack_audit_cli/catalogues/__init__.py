"""Slack's own lists of actions and schemas."""
