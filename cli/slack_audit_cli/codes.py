"""What a command ends with.

0 done and well, 1 done and something is wrong, 2 not done: it was asked wrongly, or could not be read.
The doctor alone has a 3: nothing is known to be wrong, but something could not be told.
As of any command of a shell, 130 is Ctrl-C, and 141 that whoever read the output stopped, as head does.
"""

WELL, WRONG, NOT_DONE, UNKNOWN = 0, 1, 2, 3
INTERRUPTED, CLOSED = 130, 141
