"""Where organisations stand: their passes, their stream, their last run."""
