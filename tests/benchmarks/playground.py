"""How long the server of the playground takes for a frame, and to answer while five tabs play.

python -m tests.benchmarks.playground
"""

import statistics
import time

from bokeh.document import Document
from bokeh.protocol import Protocol

from sknn_scratch.playground.page.view import View
from sknn_scratch.playground.session import Session

N_FRAMES, N_TABS = 50, 5


def playing():
    view = View(Session())
    view.attach(Document())
    view._toggle_play()
    return view


def frame(view):
    """Milliseconds of processor time, messages to the browser included."""
    start = time.process_time()
    view.frame()
    return 1e3 * (time.process_time() - start)


def main():
    tabs = [playing() for _ in range(N_TABS)]
    for view in tabs:
        # each change is made into a message, as the server does
        view.play.document.on_change(lambda event: Protocol().create("PATCH-DOC", [event]).content_json)
    rounds = []
    for _ in range(N_FRAMES):
        for view in tabs:
            view.browser._seen.value = view.browser._sent.value
        rounds.append([frame(view) for view in tabs])
    single = sorted(ms for of_round in rounds for ms in of_round)
    high = single[int(0.95 * len(single))]
    print(f"a frame: median {statistics.median(single):.1f} ms, 95 % below {high:.1f} ms")
    total = sorted(map(sum, rounds))
    print(f"a round of {N_TABS} tabs: median {statistics.median(total):.0f} ms, largest {total[-1]:.0f} ms")


if __name__ == "__main__":
    main()
