"""What `slack-audit search` makes of the events that it finds: lines, a table, a sheet, a Parquet file."""
