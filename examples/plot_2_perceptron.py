"""
The perceptron trained by gradient descent
==========================================

One neuron learns from four rows that the output is the first input, and answers a row it has never seen.
The example derives the rule that changes the weights, runs it in five lines of NumPy, and runs the estimator
beside it: both end at the same weights.

    python examples/plot_2_perceptron.py
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn_scratch import ScratchMLPClassifier
from sknn_scratch.core import Uniform
from sknn_scratch.plotting import LossCurveDisplay

# %%
# The task
# --------
#
# Three inputs, one output. The target is the first input; nobody tells the neuron. The row [1, 0, 0] is kept
# for the end.

X = np.array([[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]])
y = np.array([0, 1, 1, 0])
unseen = np.array([[1, 0, 0]])
n_iterations = 10_000

# %%
# The rule
# --------
#
# The neuron has three weights and no bias: output = f(x . w) with the sigmoid f(z) = 1 / (1 + exp(-z)).
# Training makes its squared error small, the sum over the rows of (target - output)^2 / 2. How does that
# change with one weight? The chain rule multiplies three slopes:
#
# - of the squared error with the output: -(target - output), minus the error;
# - of the output with the weighted sum: f' = output (1 - output), small where the output is close to 0 or 1;
# - of the weighted sum with the weight: its input. Where that is 0, the weight had no part in the output.
#
# Gradient descent goes against the slope, here with learning rate 1. With all rows at once that is
#
#     w <- w + X^T (error * output * (1 - output))
#
# The first weights are drawn uniformly from [-1, 1).

target = y[:, np.newaxis]
weights = 2 * np.random.RandomState(1).random_sample((3, 1)) - 1
path = [weights]
for _ in range(n_iterations):
    output = 1 / (1 + np.exp(-X @ weights))
    error = target - output
    slope = output * (1 - output)
    weights = weights + X.T @ (error * slope)
    path.append(weights)

# %%
# The same by the estimator
# -------------------------
#
# No hidden layer, no bias, the squared error, and gradient descent on all four rows at once without momentum
# or penalty. The rule above takes the sum over the rows and the library their mean, so the learning rate is
# 4, the number of rows. All iterations are run, whether or not the loss still falls; the warning that
# training stopped at ``max_iter`` then says nothing new.

warnings.simplefilter("ignore", ConvergenceWarning)

perceptron = ScratchMLPClassifier(
    hidden_layer_sizes=(),
    loss="squared_error",
    fit_intercept=False,
    weight_init=Uniform(-1, 1),
    solver="sgd",
    momentum=0,
    alpha=0,
    batch_size=len(X),
    shuffle=False,
    learning_rate_init=len(X),
    max_iter=n_iterations,
    n_iter_no_change=np.inf,
    random_state=1,
).fit(X, y)

difference = np.abs(perceptron.coefs_[0] - weights).max()
unseen_probability = perceptron.predict_proba(unseen)[0, 1]
print(f"weights by hand           {weights.ravel()}")
print(f"weights of the estimator  {perceptron.coefs_[0].ravel()}")
print(f"largest difference        {difference:.0e}")
for row, label, probability in zip(X, y, perceptron.predict_proba(X)[:, 1], strict=True):
    print(f"{row} -> {label}              {probability:.5f}")
print(f"{unseen[0]} unseen            {unseen_probability:.5f}")

# %%
# What it has learnt
# ------------------
#
# The first weight has grown to 9.7; that of the second input, which says nothing, is -0.2. The third input
# is 1 in every row, so its weight, -4.6, works as a bias: it pulls the output towards 0 unless the first
# input is 1. The unseen row lacks this pull, so the neuron is surer of it than of any row it was trained on.
#
# The iterations are drawn on a logarithmic scale. After four of them all four outputs are on the right side
# of 1/2. What is left takes long: a step is the error times the slope of the sigmoid, and both shrink as the
# outputs come close to 0 and 1.

weights_by_iteration = np.hstack(path)
rows = np.vstack([X, unseen])
probabilities_by_iteration = 1 / (1 + np.exp(-rows @ weights_by_iteration))

figure, axes = plt.subplot_mosaic(
    [["loss", "weights"], ["rows", "rows"]], figsize=(8, 6), layout="constrained"
)
LossCurveDisplay.from_estimator(perceptron, ax=axes["loss"])
axes["loss"].set(title="Half the mean squared error", xlabel="iteration", xscale="log", yscale="log")
axes["loss"].grid(alpha=0.3)

for number, (values, color) in enumerate(
    zip(weights_by_iteration, ("#0072B2", "#E69F00", "#CC79A7"), strict=True), start=1
):
    axes["weights"].plot(values, color=color, lw=2, label=f"weight of input {number}")
axes["weights"].set(title="The three weights", ylabel="weight")

labels = [f"{row} -> {label}" for row, label in zip(X, y, strict=True)] + [f"{unseen[0]} unseen"]
colors = ("#D55E00", "#0072B2", "#56B4E9", "#E69F00", "#009E73")
for values, label, color, style in zip(
    probabilities_by_iteration, labels, colors, ("-", "-", "--", "--", "-."), strict=True
):
    axes["rows"].plot(values, style, color=color, lw=2, label=label)
axes["rows"].set(title="The output for each row", ylabel="probability of 1")

for name in ("weights", "rows"):
    axes[name].set_xscale("symlog", linthresh=1)  # logarithmic from 1 on, and it has a 0
    axes[name].set(xlabel="iterations done", xlim=(0, n_iterations))
    axes[name].grid(alpha=0.3)
axes["weights"].legend()
axes["rows"].legend(loc="center right")

plt.show()
