"""A cold start without the garbage collector."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """For the imports of a function: nothing of what they make is garbage, and looking for some again and again was a
    fifth of a cold start (docs/adr/0037)."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
