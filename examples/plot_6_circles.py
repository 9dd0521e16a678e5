"""
Circles: a deep network watched while it learns
===============================================

Two rings of points, one inside the other, and a network of five hidden layers that learns to tell them apart.
The probability of the inner ring is drawn over the whole plane as it changes from epoch to epoch.

    python examples/plot_6_circles.py [folder]

With a folder, the recording is written there: as an animated GIF, as single pictures, and as a web page with
play, pause and a slider. Needs matplotlib: ``python -m pip install ".[plot]"``.
"""

import pathlib
import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_circles
from sklearn.exceptions import ConvergenceWarning

from sknn_scratch import ScratchMLPClassifier
from sknn_scratch.core import Uniform
from sknn_scratch.plotting import ActivationDisplay, LossCurveDisplay, TrainingAnimation

# %%
# Two functions that bend
# -----------------------
# Without a bend between them, layers collapse into one: ``(x W1) W2 = x (W1 W2)``. The hidden units here use
# tanh, and the output the sigmoid, which makes a probability. Both are flat far from zero: a unit out there
# passes almost no gradient back. The slope of tanh at 0 is 1, that of the sigmoid 1/4, which is why tanh is
# the better one between layers.
figure, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
ActivationDisplay.from_activation("logistic", ax=axes[0])
ActivationDisplay.from_activation("tanh", ax=axes[1])

# %%
# The rings
# ---------
# 1000 points to learn from, and 1000 more of the same kind that training never sees.
rings = {"n_samples": 1000, "noise": 0.09, "factor": 0.46}
X, y = make_circles(**rings, random_state=1)
X_new, y_new = make_circles(**rings, random_state=2)

# %%
# The network
# -----------
# Layers of 2 - 8 - 16 - 32 - 16 - 8 - 1 units. Forward, each layer computes ``a = tanh(x W + b)`` from the
# ``a`` of the layer before; the last one computes ``p = sigmoid(x W + b)``. All weights start uniform in
# [-1, 1), the biases at zero.
#
# The cost is the mean squared error ``mean (p - y)^2``, and its slope at the output is ``2 (p - y)`` for each
# point. From there the chain rule runs backward: times the slope of the sigmoid, ``p (1 - p)``; through the
# weights, ``W^T``; times the slope of tanh, ``1 - a^2``; and so on to the first layer.
#
# An epoch is one step of plain gradient descent on all points at once, with a learning rate of 0.03. The
# library minimises *half* the squared error, whose slope is ``p - y``: so 0.06 here is the same step.
epochs = [1, 2, 3, 5, 7, 10, 14, 20, 30, 40, 60, 80, *range(100, 500, 40), *range(500, 2001, 150)]
recording = TrainingAnimation(every=epochs)
network = ScratchMLPClassifier(
    hidden_layer_sizes=(8, 16, 32, 16, 8),
    activation="tanh",
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
)
network.set_callbacks(recording)
# the number of epochs is given; that the loss would fall further is no news
warnings.simplefilter("ignore", ConvergenceWarning)
network.fit(X, y)

accuracy, accuracy_new = network.score(X, y), network.score(X_new, y_new)
print(f"squared error: {2 * network.loss_curve_[0]:.4f} at first, {2 * network.loss_curve_[-1]:.4f} at last")
print(f"accuracy on the points learnt from: {accuracy:.3f}, on new points: {accuracy_new:.3f}")

# %%
# What it has learnt, and when
# ----------------------------
# White is where the network cannot decide. The first weights cut the plane into wedges that have nothing to
# do with the rings; then the blue draws together around the inner ring, and the border closes and sharpens.
epochs_shown = [1, 60, 260, 2000]
figure, axes = plt.subplots(2, 2, figsize=(8, 8), layout="constrained", sharex=True, sharey=True)
for epoch, ax in zip(epochs_shown, axes.flat, strict=True):
    recording.plot(ax, frame=recording.epochs_.index(epoch))
    ax.label_outer()
    ax.set_aspect("equal")

LossCurveDisplay.from_estimator(network).ax_.set(xscale="log", title="each epoch is one step")

if len(sys.argv) > 1:
    folder = pathlib.Path(sys.argv[1])
    recording.to_png(folder / "epochs")
    recording.to_gif(folder / "circles.gif", fps=5)
    recording.to_html(folder / "circles.html", fps=5)
    print(f"written: {', '.join(sorted(path.name for path in folder.iterdir()))}")

plt.show()
