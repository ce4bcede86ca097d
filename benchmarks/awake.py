"""Processors that do not go to sleep while something is measured.

Whoever sends to a process whose processor sleeps has to wake it, and on a virtual machine that is up to the host. It is
paid by the server, as system time, and the more often the more time it leaves its client to fall asleep: a server that
is a little slower looks much slower. Linux has a way to ask for the contrary, for measurements and sound:
https://docs.kernel.org/power/pm_qos_interface.html.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

#: As long as it is open, an idle processor is back within as many microseconds as were written to it.
LATENCY = Path("/dev/cpu_dma_latency")
_AT_ONCE = bytes(4)


@contextmanager
def awake() -> Iterator[None]:
    """Keep idle processors awake meanwhile, where that is allowed, as it is to root; it is printed whether, since
    figures with and without are not to be compared."""
    with ExitStack() as stack:
        try:
            request = stack.enter_context(LATENCY.open("r+b", buffering=0))  # makes no file where there is no device
        except OSError as error:
            print(f"idle processors may sleep, and a slower server pays for waking its client, too ({error})")
        else:
            request.write(_AT_ONCE)
            print("idle processors are kept awake")
        yield
