"""An executable model of the collection protocol, and what it shows. It knows nothing of the collector's code.

scale.py, words.py       how long everything takes (a day has 200 seconds here), and what is written down
world.py                 Slack, S3, DynamoDB and Kinesis, with every oddity that the protocol reckons with
protocol.py              one run, as a generator that yields every outside call: choose, read, commit, publish
ledger, reader, publisher.py   its three parts: the stores, Slack, the stream
simulation.py            takes runs from call to call: kills them, loses their replies, freezes them; lets all settle
explore.py               histories at random, from a seed
scenarios.py             fixed histories, in which every call is killed
invariants.py            what must hold of whatever is left
mutants*.py              the protocol with one rule broken: each of them must be caught, or is told to be harmless
figures.json             how much of all this the tests do

`python -m tests.model --seeds 50000` explores more histories than the tests do.
"""
