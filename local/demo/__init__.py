"""The demonstration: the deployed application collects from the stand-in for Slack on an AWS of this machine.

It sees the collector as a user does: through its template's parameters and outputs, its bucket, table and stream.
"""
