"""
Sigmoid networks, shallow and deep
==================================

Layers of sigmoid units, weights of 0.01 times a standard normal number, biases of zero, cross-entropy,
full-batch gradient descent: many courses write this code. Here it is by hand, equal to what the package
computes. With one hidden layer it learns, with eight it stands still. The last part shows the mistakes that
such code is often published with.

    python examples/plot_5_deep_sigmoid.py
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sknn_scratch import ScratchMLPClassifier, check_gradients, explain_step
from sknn_scratch.core import BinaryLogLoss, GlorotUniform, Logistic, Network, Normal, Tanh, explain
from sknn_scratch.plotting import LossCurveDisplay

# %%
# The task: from 30 measurements of a tumour, scaled, say whether it is benign. A quarter of the 569 rows is
# held out.

data, benign = load_breast_cancer(return_X_y=True)
X, X_held_out, labels, labels_held_out = train_test_split(data, benign, stratify=benign, random_state=0)
scaler = StandardScaler().fit(X)
X, X_held_out = scaler.transform(X), scaler.transform(X_held_out)
y = labels[:, np.newaxis].astype(float)

# %%
# Forward and backward by hand
# ----------------------------
#
# Forward, each layer computes z = x W + b and a = sigmoid(z). Backward needs x, W and a again, so forward
# keeps them in a cache. The cost of the predictions p, the last a, is the cross-entropy, a mean over n rows:
#
#     L = -mean(y log p + (1 - y) log(1 - p))
#
# Backward starts from dA = dL/dp and hands dL/da from each layer to the one before it:
#
#     dZ = dA * a * (1 - a)      since da/dz = a (1 - a)
#     dW = x^T dZ                since z_ik = sum_j x_ij W_jk + b_k
#     db = 1^T dZ
#     dA = dZ W^T                for the layer before
#
# At the output dA = ((1 - y) / (1 - p) - y / p) / n. The sigmoid is the link that belongs to cross-entropy:
# times p (1 - p), the fractions cancel, and dZ = (p - y) / n.


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cross_entropy(p, y):
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def forward(layers):
    x, caches = X, []
    for W, b in layers:
        a = sigmoid(x @ W + b)
        caches.append((x, W, a))
        x = a
    return x, caches


def backward(p, caches):
    dA = ((1 - y) / (1 - p) - y / p) / len(y)
    gradients = {}
    for number in range(len(caches), 0, -1):
        x, W, a = caches[number - 1]
        dZ = dA * a * (1 - a)
        gradients[number] = x.T @ dZ, dZ.sum(axis=0)
        dA = dZ @ W.T
    return gradients


def train(layers, n_steps, shift=0):
    """Gradient descent, in place, that gives layer l the gradient of layer l + shift; returns the costs."""
    costs = []
    for _ in range(n_steps):
        p, caches = forward(layers)
        costs.append(cross_entropy(p, y))
        gradients = backward(p, caches)
        for number, (W, b) in enumerate(layers, start=1):
            dW, db = gradients.get(number + shift, (0, 0))
            W -= 0.3 * dW
            b -= 0.3 * db
    return costs


# %%
# The core does the same. Its caches are buffers that every step uses again, and the list of inputs that
# ``Network.loss_and_gradient`` fills forward and pops from backward; its loss starts at dZ = (p - y) / n.
# ``explain`` runs its two passes once and keeps what they compute.


def first_step(hidden_layer_sizes, activation, initializer):
    sizes = [X.shape[1], *hidden_layer_sizes, 1]
    network = Network.mlp(sizes, activation, BinaryLogLoss(), initializer=initializer)
    return explain(network, network.initialize(np.random.RandomState(0), X.dtype), X, y)


def layers_of(step):
    return [(layer.weights.copy(), layer.bias.copy()) for layer in step.layers]


def difference_to_core(number, shift=0):
    """The largest difference of dW, divided by the largest entry of the core's."""
    by_core = step.layers[number - 1].weights_gradient
    return np.abs(by_hand[number + shift][0] - by_core).max() / np.abs(by_core).max()


step = first_step((30, 30), Logistic(), GlorotUniform())
by_hand = backward(*forward(layers_of(step)))
differences = [difference_to_core(number) for number in (1, 2, 3)]
print(f"hand-written gradient against the core's: {max(differences):.0e}")

# %%
# One hidden layer learns
# -----------------------
#
# The estimator takes 1000 plain steps, theta <- theta - 0.3 gradient, each with all rows. With 16 hidden
# units its cost falls from 0.690 to 0.043, and it is right for 97.2 % of the held-out rows. The hand-written
# code goes the same way from the same first weights.

warnings.simplefilter("ignore", ConvergenceWarning)  # each network is to take all 1000 steps
PLAIN_STEPS = {"solver": "sgd", "momentum": 0, "alpha": 0, "learning_rate_init": 0.3}
ALL_ROWS = {"batch_size": len(X), "shuffle": False, "max_iter": 1000, "tol": 0, "n_iter_no_change": np.inf}


def fit(hidden_layer_sizes, activation, initializer):
    model = ScratchMLPClassifier(hidden_layer_sizes, activation, weight_init=initializer, random_state=0)
    return model.set_params(**PLAIN_STEPS, **ALL_ROWS).fit(X, labels)


shallow = fit((16,), "logistic", Normal(0.01))
costs_by_hand = train(layers_of(first_step((16,), Logistic(), Normal(0.01))), n_steps=1000)
gap = np.abs(np.subtract(costs_by_hand, shallow.loss_curve_)).max()
print(f"hand-written costs against loss_curve_:   {gap:.0e}")

# %%
# Eight hidden layers stand still
# -------------------------------
#
# With two hidden layers of 16 units the cost rests on a plateau for 400 steps before it falls. With three, or
# eight, it is still there after 1000. On the plateau the network answers every row with the share of benign
# tumours, 62.7 %. That guess costs 0.6607 and is right for 62.9 % of the held-out rows. What helps is tanh
# with Glorot's weights; Glorot's weights alone do not.

cost_of_guessing = cross_entropy(y.mean(), y)
models = {
    "sigmoid, 0.01 x normal, 1 hidden layer": shallow,
    "sigmoid, 0.01 x normal, 2 hidden layers": fit((16,) * 2, "logistic", Normal(0.01)),
    "sigmoid, 0.01 x normal, 3 hidden layers": fit((16,) * 3, "logistic", Normal(0.01)),
    "sigmoid, 0.01 x normal, 8 hidden layers": fit((16,) * 8, "logistic", Normal(0.01)),
    "sigmoid, Glorot, 8 hidden layers": fit((16,) * 8, "logistic", GlorotUniform()),
    "tanh, Glorot, 8 hidden layers": fit((16,) * 8, "tanh", GlorotUniform()),
}
accuracy = {name: model.score(X_held_out, labels_held_out) for name, model in models.items()}
print(f"\n{'':<41}cost     accuracy\n{'guessing':<41}{cost_of_guessing:.4f}   {labels_held_out.mean():.3f}")
for name, model in models.items():
    print(f"{name:<41}{model.loss_:.4f}   {accuracy[name]:.3f}")

figure, axes = plt.subplots(figsize=(8, 4.8), layout="constrained")
drawn = [name for name in models if "3 hidden" not in name and "sigmoid, Glorot" not in name]
for name, color in zip(drawn, ("#0072B2", "#E69F00", "#D55E00", "#009E73"), strict=True):
    LossCurveDisplay.from_estimator(models[name], ax=axes, label=name, color=color)
axes.axhline(cost_of_guessing, color="black", ls=":", zorder=3, label="guessing the share of benign tumours")
axes.set(title="Gradient descent with all rows, learning rate 0.3", ylabel="cross-entropy", ylim=(0, 0.75))
axes.grid(alpha=0.3)
axes.legend().remove()  # inside, it would hide a curve
figure.legend(loc="outside lower center", ncols=2)

# %%
# Why? Backward, each layer multiplies by a (1 - a), at most 1/4, and by W: 16 weights of size 0.01 add up to
# about 0.01 sqrt(16) = 0.04. Together that is 1/100 for each layer, and the gradient of the first layer is
# 5e-16 of the last one's. Forward, the differences between rows shrink by the same 1/100, to about 1e-15 in
# the last hidden layer. So the layers near the output, whose gradients are large, see the same input in every
# row. They learn the share of the classes, and then their gradients are gone too: after 1000 steps no layer's
# is above 1e-14. Glorot's weights add up to about 1, which leaves the 1/4; the slope of tanh is 1 at z = 0.

starts = {
    "sigmoid, 0.01 x normal": first_step((16,) * 8, Logistic(), Normal(0.01)),
    "sigmoid, Glorot": first_step((16,) * 8, Logistic(), GlorotUniform()),
    "tanh, Glorot": first_step((16,) * 8, Tanh(), GlorotUniform()),
}


def gradient_norms(step):
    return [np.linalg.norm(layer.weights_gradient) for layer in step.layers]


norms = {name: gradient_norms(start) for name, start in starts.items()}
spreads = {
    name: [np.ptp(layer.activation, axis=0).max() for layer in start.layers[:-1]]
    for name, start in starts.items()
}
stuck_norms = gradient_norms(explain_step(models["sigmoid, 0.01 x normal, 8 hidden layers"], X, labels))
print(f"\n{'at the start':<26}gradient, first / last   rows differ in the last hidden layer by")
for name in starts:
    print(f"{name:<26}{norms[name][0] / norms[name][-1]:<25.1e}{spreads[name][-1]:.1e}")
print(f"largest gradient of 0.01 x normal after 1000 steps: {max(stuck_norms):.0e}")

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4), sharey=True, layout="constrained")
for name, color, marker in zip(starts, ("#D55E00", "#CC79A7", "#009E73"), "osD", strict=True):
    left.semilogy(range(1, 10), norms[name], color=color, marker=marker, label=name)
    right.semilogy(range(1, 9), spreads[name], color=color, marker=marker)
left.set(title="Backward: the gradient of each layer", xlabel="layer, output is 9", ylabel="norm of dL/dW")
right.set(title="Forward: how far rows differ", xlabel="hidden layer", ylabel="largest difference of a")
right.tick_params(labelleft=True)
left.legend(loc="lower right")
for axes, n_layers in ((left, 9), (right, 8)):
    axes.set_xticks(range(1, n_layers + 1))
    axes.grid(alpha=0.3)

# %%
# Mistakes to know
# ----------------
#
# Such code is often published with one of these:
#
# ================================  =========================================================================
# mistake                           how the core avoids it
# ================================  =========================================================================
# gradient under a neighbour's key  ``Parameters`` gives the gradient the layout of the weights, a named view
#                                   for each layer; the tests compare it with central differences
# caches and costs not kept         the buffers of the ``Workspace``; ``History.losses`` and ``loss_curve_``
# log of a p that is 0 or 1         losses take the raw scores z, with log p = ``log_expit(z)``
# exp(-z) that overflows            ``scipy.special.expit``
# sigmoid returns a pair (a, z)     ``forward`` writes into ``out`` and returns nothing
# ================================  =========================================================================
#
# None of them stops the program. The gradient of the next layer under a layer's key, and none for the last:
# with as many units as inputs it fits or is broadcast, and the cost rises. A pair (a, z) times W becomes an
# array of one dimension more.

wrong_differences = [difference_to_core(number, shift=1) for number in (1, 2)]
right_costs, wrong_costs = (train(layers_of(step), n_steps=500, shift=shift) for shift in (0, 1))

scores, no, yes = np.array([[800.0]]), np.zeros((1, 1)), np.ones((1, 1))
with np.errstate(divide="ignore", invalid="ignore"):
    naive_costs = [cross_entropy(sigmoid(scores), target) for target in (no, yes)]
core_costs = [
    BinaryLogLoss().value_and_gradient(scores.copy(), target, None, np.empty((1, 1)), np.empty(1))
    for target in (no, yes)
]

z = np.array([-1000.0])
with warnings.catch_warnings(record=True) as naive_warnings:
    warnings.simplefilter("always")
    sigmoid(z)
Logistic().forward(z, out=z)

W = step.layers[0].weights
array_shape, pair_shape = (X @ W).shape, ((X, X) @ W).shape  # the pair stands for (a, z)

print()
for what, mistaken, right in (
    ("", "with the mistake", "without"),
    ("dW is off by, relatively", f"{min(wrong_differences):.1f} or more", f"{max(differences):.0e}"),
    ("cost after 500 steps", f"{wrong_costs[0]:.3f} -> {wrong_costs[-1]:.3f}", f"{right_costs[-1]:.3f}"),
    ("cost of z = 800 for y = 0", naive_costs[0], core_costs[0]),
    ("cost of z = 800 for y = 1", naive_costs[1], core_costs[1]),
    ("sigmoid of -1000", naive_warnings[0].message, f"{z[0]}, silent"),
    ("shape of a pair times W", pair_shape, array_shape),
):
    print(f"{what:<29}{mistaken!s:<29}{right}")

gradient_error = max(check_gradients(shallow, X[:20], labels[:20]).values())
print(f"the core's gradient is off central differences by {gradient_error:.0e}")

plt.show()
