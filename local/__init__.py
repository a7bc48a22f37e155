"""The collector on this machine alone: an embedded AWS and a stand-in for Slack."""
