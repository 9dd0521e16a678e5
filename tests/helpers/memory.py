"""How much memory a call needs."""

import tracemalloc


def peak_memory(function):
    """The most memory that a call needs at any time, once it has been called before."""
    function()
    peaks = []
    tracemalloc.start()
    try:
        for _ in range(5):  # the least of them: other threads of the test runner allocate now and then
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            function()
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    return min(peaks)
