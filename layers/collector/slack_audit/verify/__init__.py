"""Proves an org's archive from its objects alone.

Apart from the collector on purpose: what wrote the archive must not be what judges it. Its specification is
docs/consumers.md, and it shares nothing with the collector but the error tree.
"""
