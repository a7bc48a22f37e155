"""How fast `slack-audit sql` answers over an archive: makes one, asks it, and prints what each answer cost.

python -m benchmarks.sql                          1,000,000 events in 2,000 batches, in a folder
python -m benchmarks.sql --events 200000 --s3     from an S3 at wire speed, over HTTP
"""

from benchmarks.commands import Commands, run

BY_ACTION = "SELECT action, count(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC"
ASKED: Commands = {
    "count": ("sql, how many", ["sql", "--from", "2026-01-01", "SELECT count(*) AS n FROM events"]),
    "actions": ("sql, by action", ["sql", "--from", "2026-01-01", BY_ACTION]),
    "logins": ("sql, the query logins", ["sql", "--from", "2026-01-01", "--query", "logins"]),
}

if __name__ == "__main__":
    run(__doc__, ASKED)
