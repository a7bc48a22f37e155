"""The template's dashboard as a picture, with what a simulation recorded.

python -m benchmarks.dashboard                        draws docs/dashboard.png from benchmarks/recorded/metrics.ndjson
python -m benchmarks.dashboard --recorded FILE --picture FILE

It draws what the template says, widget by widget, as CloudWatch would; a metric without values in the recording is
named as such and has no line.
"""
