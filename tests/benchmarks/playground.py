"""How long the server of the playground takes for a frame, and to answer while five tabs play.

python -m tests.benchmarks.playground
"""

import statistics
import time

from bokeh.document import Document

from sknn_scratch.playground.page.view import View
from sknn_scratch.playground.session import Session

N_FRAMES, N_TABS = 200, 5


def playing():
    view = View(Session())
    view.attach(Document())
    view._toggle_play()
    return view


def frame(view):
    """Milliseconds of processor time, what is sent included."""
    start = time.process_time()
    view.frame()
    view.document_of_the_page.to_json()
    return 1e3 * (time.process_time() - start)


def main():
    tabs = [playing() for _ in range(N_TABS)]
    for view in tabs:
        view.document_of_the_page = view.play.document
    rounds = []
    for _ in range(N_FRAMES):
        for view in tabs:
            view._seen.value = view._sent.value
        rounds.append([frame(view) for view in tabs])
    single = sorted(ms for of_round in rounds for ms in of_round)
    print(
        f"a frame: median {statistics.median(single):.1f} ms, "
        f"95 % below {single[int(0.95 * len(single))]:.1f} ms"
    )
    total = sorted(map(sum, rounds))
    print(f"a round of {N_TABS} tabs: median {statistics.median(total):.0f} ms, largest {total[-1]:.0f} ms")


if __name__ == "__main__":
    main()
