"""
The same model in less time
===========================

Training loss against seconds, beside scikit-learn's MLP.

    python examples/plot_same_model_in_less_time.py [picture.png]

Both networks see the digits in the same order from the same initial weights, so their losses agree at every
epoch (the dots are every tenth epoch); what differs is how soon an epoch is done. Needs matplotlib.
"""

import sys
import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import minmax_scale

from sknn_scratch import ScratchMLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)

X, y = load_digits(return_X_y=True)
X = minmax_scale(X).astype(np.float32)
settings = {"hidden_layer_sizes": (100,), "max_iter": 100, "random_state": 0}
networks = {"scikit-learn MLPClassifier": MLPClassifier, "ScratchMLPClassifier": ScratchMLPClassifier}

seconds: dict[str, list[float]] = {label: [] for label in networks}
fitted = {}
for _ in range(5):  # alternating, so that a busy moment of the machine hits both
    for label, network in networks.items():
        start = time.perf_counter()
        fitted[label] = network(**settings).fit(X, y)
        seconds[label].append(time.perf_counter() - start)

figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
for (label, network), color, marker in zip(fitted.items(), ("#D55E00", "#0072B2"), "so", strict=True):
    fit_time = np.median(seconds[label])
    at = np.linspace(0, fit_time, network.n_iter_ + 1)[1:]
    axes.semilogy(at, network.loss_curve_, color=color, marker=marker, markevery=10, lw=2, label=label)
    end = (at[-1], network.loss_)
    axes.annotate(f"{fit_time:.2f} s", end, (8, 0), textcoords="offset points", va="center", color=color)
axes.set(
    xlabel="seconds of training",
    ylabel="training loss",
    title="100 epochs on handwritten digits: the same losses, sooner",
)
axes.grid(alpha=0.3)
axes.legend()
axes.margins(x=0.13)

gap = max(abs(np.subtract(*(network.loss_curve_ for network in fitted.values()))))
print(f"largest difference between the two loss curves: {gap:.1e}")
for label, times in seconds.items():
    print(f"{label}: {np.median(times):.2f} s (median of {len(times)} fits)")
if len(sys.argv) > 1:
    figure.savefig(sys.argv[1], dpi=110)
else:
    plt.show()
