"""The evidence package: how one is made, and how it is checked without the archive."""
