"""A cold start without the garbage collector."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """For the imports of a function: nothing of what they make is garbage, and looking for some again and again was a
    fifth of a cold start (docs/adr/0037). What is loaded then is not looked through later, either: the first look would
    be one at all of it."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
