"""How fast an archive is searched: makes one, searches it in several ways, and prints what each cost.

python -m benchmarks.search                          1,000,000 events in 2,000 batches, in a folder
python -m benchmarks.search --events 200000 --s3     from an S3 at wire speed, over HTTP
"""

from benchmarks.commands import Commands, run

SEARCHES: Commands = {
    "lines": ("search, all as lines", ["search", "--output", "{folder}/found.ndjson"]),
    "csv": ("search, all as CSV", ["search", "--output", "{folder}/found.csv"]),
    "parquet": ("search, all as Parquet", ["search", "--output", "{folder}/found.parquet"]),
    "action": ("search, one action", ["search", "--action", "user_log*", "--output", "{folder}/found.ndjson"]),
    "person": ("search, a person who did nothing", ["search", "--actor", "nobody@example.com"]),
    "where": (
        "search, a network and an expression",
        ["search", "--ip", "198.51.100.0/28", "--where", "details.is_external"],
    ),
}

if __name__ == "__main__":
    run(__doc__, SEARCHES)
