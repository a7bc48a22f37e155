"""The command line, `slack-audit`: for people who operate a collector or trust its archive to nobody's word."""
