"""What recording a training costs: a fit with TrainingAnimation beside the same fit without.

    python -m tests.benchmarks.recording_cost [--repeats 5]

2000 epochs on the circles, every 20th recorded; what drawing takes is not part of it. Both fits in one
process, alternating; medians.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.datasets import make_circles
from sklearn.exceptions import ConvergenceWarning

from sknn_scratch import ScratchMLPClassifier
from sknn_scratch.core import Uniform
from sknn_scratch.plotting import TrainingAnimation


def seconds(X, y, *callbacks):
    network = ScratchMLPClassifier(
        (8, 16, 32, 16, 8),
        "tanh",
        loss="squared_error",
        weight_init=Uniform(-1, 1),
        alpha=0,
        solver="sgd",
        momentum=0,
        learning_rate_init=0.06,
        batch_size=1000,
        max_iter=2000,
        n_iter_no_change=np.inf,
        random_state=0,
    ).set_callbacks(*callbacks)
    start = time.perf_counter()
    network.fit(X, y)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is given

    X, y = make_circles(1000, noise=0.09, factor=0.46, random_state=1)
    pairs = [(seconds(X, y), seconds(X, y, TrainingAnimation(every=20))) for _ in range(repeats)]
    without, recorded = np.median(pairs, axis=0)
    ratios = [100 * (b / a - 1) for a, b in pairs]
    print(
        f"without recording {without:.3f} s, with {recorded:.3f} s: {100 * (recorded / without - 1):+.1f} %"
    )
    print(f"single pairs: {min(ratios):+.1f} % to {max(ratios):+.1f} %")


if __name__ == "__main__":
    main()
