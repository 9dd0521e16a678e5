"""How much memory a call needs."""

import tracemalloc


def peak_memory(function):
    """The most memory that a call needs at any time, once it has been called before.

    The least of some calls, since other threads of the test runner allocate now and then: of five at most, of
    fewer once two calls agree in the least.
    """
    function()
    peaks = []
    tracemalloc.start()
    try:
        while len(peaks) < 5 and (not peaks or peaks.count(min(peaks)) < 2):
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            function()
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    return min(peaks)
