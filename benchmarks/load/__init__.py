"""The collector under load: a day of an organisation in virtual time, with everything that goes wrong in it.

python -m benchmarks.load --hours 24 --rate 100 --seed 1

What runs is what is deployed: the functions' handlers with the template's environment, each in a process of its own,
botocore against the embedded AWS, urllib3 against the stand-in for Slack. Only time is not the host's. All processes
read one clock (`clock`), which moves when a run waits, and by what each call and each event would take it on AWS
(`border`). There is also where things go wrong. docs/load.md tells what came out.
"""
