"""The archive asked in SQL: the tables, views and queries that Athena has, run in DuckDB on this machine."""
