"""How fast an archive is verified: makes one, verifies it, and prints what that cost.

python -m benchmarks.verify                          1,000,000 events in 2,000 batches, in a folder
python -m benchmarks.verify --events 200000 --s3     from an S3 at wire speed, over HTTP
"""

from benchmarks.commands import Commands, run

VERIFIED: Commands = {"whole": ("verify", ["verify"])}

if __name__ == "__main__":
    run(__doc__, VERIFIED)
