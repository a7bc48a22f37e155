"""How long everything takes: the protocol's times made small, so that a history is short."""

DAY = 200  # seconds
PERIOD = 6  # between the starts of two runs
LIVE_LAG = 4
LATE_LAG = 40
PROMISE = 150  # what Slack shows within so many seconds of its date_create is archived
MARGIN = 8  # final's lag is longer than the promise, for clocks that differ
SKEW = 3  # the most by which two of Slack's clocks differ from the true one
LEAST_UNREAD = 3  # half a period: fewer seconds are left for the next run
LOOKBACK = 30  # the first second is so far behind the first run
FIRST_SPAN = 32  # seconds that a pass asks for before it knows better
RUN_TIME = 40  # until a run is killed
LEASE_GRACE = 3  # the lease outlives the run by this
RESERVE = 6  # kept back before the deadline

UNSAVED = 3  # entries that the log may be ahead of the item
PAGE = 5  # events in one answer
RECORDS = 3  # in one call to the stream
TRIES = 3  # of one call
ENTRIES_WHILE_DUE = 2  # published per window while there is more to read

STANDING = ("live", "late", "final")
