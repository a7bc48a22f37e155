"""The commands. Each reads what was asked, does one thing, and ends with a code that is documented (codes.py)."""
