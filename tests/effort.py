"""What a test's own steps cost, whatever else the machine is doing."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from time import thread_time


class Effort:
    """CPU seconds of this thread."""

    seconds = 0.0


@contextmanager
def effort() -> Iterator[Effort]:
    """Tell the CPU time of a block when it has ended. The garbage collector waits: what it takes is a matter of all
    that the process has made before."""
    told = Effort()
    gc.disable()
    begin = thread_time()
    try:
        yield told
    finally:
        told.seconds = thread_time() - begin
        gc.enable()
