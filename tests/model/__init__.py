"""An executable model of the collection protocol, and what it shows. It knows nothing of the collector's code.

words.py        what is written down, and how long everything takes: a day has 200 seconds here
world.py        Slack, S3, DynamoDB and Kinesis, with every oddity that the protocol reckons with
protocol.py     one run, as a generator that yields every outside call: read it beside docs/promises.md
explore.py      interleaves runs, kills them, loses replies and tables; random histories from a seed
invariants.py   what must hold of whatever is left
mutants.py      the protocol with one rule broken: each of them must be caught

`python -m tests.model --help` explores more histories than the tests do.
"""
