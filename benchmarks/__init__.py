"""The figures that we claim, each measured again by one command."""
