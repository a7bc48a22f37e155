"""Collects Slack's audit logs into S3 and Kinesis: nothing lost, nothing archived twice, all of it provable."""

__version__ = "0.5.0"
