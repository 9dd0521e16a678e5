"""
One sample at a time
====================

A network of two hidden neurons and one output neuron learns from the weight and height of four people. One
update of its nine parameters is computed by hand, number by number, beside what the library computes; then
the network is trained, one person after the other, from twenty different starts.

    python examples/plot_3_one_sample_at_a_time.py
"""

import warnings
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import DecisionBoundaryDisplay

from sknn_scratch import ScratchMLPClassifier
from sknn_scratch.core import BinarySquaredError, Initializer, Logistic, Network, explain
from sknn_scratch.plotting import LossCurveDisplay, NetworkDisplay

# %%
# Four people
# -----------
#
# Each row is the weight minus 135 lb and the height minus 66 in of a person; the target is 1 for a woman and
# 0 for a man. A helper makes such a row from kilograms and centimetres.

people = np.array([[-2.0, -1.0], [25.0, 6.0], [17.0, 4.0], [-15.0, -6.0]])
targets = np.array([1, 0, 0, 1])


def features(kg, cm):
    return [kg / 0.45359237 - 135, cm / 2.54 - 66]


# %%
# Forward
# -------
#
# All weights and biases start as standard normal numbers. The library's ``Normal`` leaves biases at zero, so
# the rule is written here: an ``Initializer`` draws weights when called, and biases by its method ``bias``.


@dataclass
class StandardNormal(Initializer):
    def __call__(self, fan_in, fan_out, rng):
        return rng.standard_normal((fan_in, fan_out))

    def bias(self, fan_in, fan_out, rng):
        return rng.standard_normal(fan_out)


# %%
# ``explain`` runs one forward and one backward pass on the first person and keeps all that is computed. The
# library has a column of weights for each neuron; here each weight gets a name of its own.

network = Network.mlp([2, 2, 1], Logistic(), BinarySquaredError(), initializer=StandardNormal())
parameters = network.initialize(np.random.RandomState(0), np.float64)
hidden, output = explain(network, parameters, people[:1], targets[:1, np.newaxis]).layers

assert hidden.bias is not None  # of a network without biases it would be
assert output.bias is not None

(w1, w3), (w2, w4) = hidden.weights
(w5,), (w6,) = output.weights
(b1, b2), (b3,) = hidden.bias, output.bias
(x1, x2), y_true = people[0], targets[0]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def deriv_sigmoid(z):
    return sigmoid(z) * (1 - sigmoid(z))


sum_h1 = w1 * x1 + w2 * x2 + b1
h1 = sigmoid(sum_h1)
sum_h2 = w3 * x1 + w4 * x2 + b2
h2 = sigmoid(sum_h2)
sum_o1 = w5 * h1 + w6 * h2 + b3
o1 = sigmoid(sum_o1)

# %%
# Backward
# --------
#
# The loss of one person is L = (y_true - y_pred)^2, where y_pred = o1. How does L change when w1 changes a
# little? w1 acts on h1, h1 on y_pred, and y_pred on L. The chain rule multiplies the slopes on this way:
#
#     dL/dw1 = dL/dy_pred * dy_pred/dh1 * dh1/dw1
#
# Each factor is the slope of one formula above: from h1 = sigmoid(w1 x1 + w2 x2 + b1) comes
# dh1/dw1 = x1 sigmoid'(sum_h1).

d_L_d_ypred = -2 * (y_true - o1)  # noqa: N816

d_ypred_d_w5 = h1 * deriv_sigmoid(sum_o1)
d_ypred_d_w6 = h2 * deriv_sigmoid(sum_o1)
d_ypred_d_b3 = deriv_sigmoid(sum_o1)
d_ypred_d_h1 = w5 * deriv_sigmoid(sum_o1)
d_ypred_d_h2 = w6 * deriv_sigmoid(sum_o1)

d_h1_d_w1 = x1 * deriv_sigmoid(sum_h1)
d_h1_d_w2 = x2 * deriv_sigmoid(sum_h1)
d_h1_d_b1 = deriv_sigmoid(sum_h1)
d_h2_d_w3 = x1 * deriv_sigmoid(sum_h2)
d_h2_d_w4 = x2 * deriv_sigmoid(sum_h2)
d_h2_d_b2 = deriv_sigmoid(sum_h2)

# %%
# The library never computes a factor of its own: it carries the product backward, from the loss to the output
# of the hidden layer (``input_gradient`` of the layer after it) and on to the weights. So its factors, in the
# second column, are quotients of two gradients. Its loss is half of L, (p - y)^2 / 2, whose slope p - y has
# no 2; its gradients are doubled to compare them.

assert hidden.bias_gradient is not None
assert output.bias_gradient is not None
assert output.input_gradient is not None  # the first layer has none

error = output.activation[0, 0] - y_true
d_ypred_d_h = output.input_gradient[0] / error
d_h_d_weights = hidden.weights_gradient / output.input_gradient[0]
d_h_d_bias = hidden.bias_gradient / output.input_gradient[0]

table = {
    "sum_h1": (sum_h1, hidden.pre_activation[0, 0]),
    "h1": (h1, hidden.activation[0, 0]),
    "sum_h2": (sum_h2, hidden.pre_activation[0, 1]),
    "h2": (h2, hidden.activation[0, 1]),
    "sum_o1": (sum_o1, output.pre_activation[0, 0]),
    "o1": (o1, output.activation[0, 0]),
    "d_L_d_ypred": (d_L_d_ypred, 2 * error),
    "d_ypred_d_w5": (d_ypred_d_w5, output.weights_gradient[0, 0] / error),
    "d_ypred_d_w6": (d_ypred_d_w6, output.weights_gradient[1, 0] / error),
    "d_ypred_d_b3": (d_ypred_d_b3, output.bias_gradient[0] / error),
    "d_ypred_d_h1": (d_ypred_d_h1, d_ypred_d_h[0]),
    "d_ypred_d_h2": (d_ypred_d_h2, d_ypred_d_h[1]),
    "d_h1_d_w1": (d_h1_d_w1, d_h_d_weights[0, 0]),
    "d_h1_d_w2": (d_h1_d_w2, d_h_d_weights[1, 0]),
    "d_h1_d_b1": (d_h1_d_b1, d_h_d_bias[0]),
    "d_h2_d_w3": (d_h2_d_w3, d_h_d_weights[0, 1]),
    "d_h2_d_w4": (d_h2_d_w4, d_h_d_weights[1, 1]),
    "d_h2_d_b2": (d_h2_d_b2, d_h_d_bias[1]),
    "d_L_d_w1": (d_L_d_ypred * d_ypred_d_h1 * d_h1_d_w1, 2 * hidden.weights_gradient[0, 0]),
    "d_L_d_w2": (d_L_d_ypred * d_ypred_d_h1 * d_h1_d_w2, 2 * hidden.weights_gradient[1, 0]),
    "d_L_d_w3": (d_L_d_ypred * d_ypred_d_h2 * d_h2_d_w3, 2 * hidden.weights_gradient[0, 1]),
    "d_L_d_w4": (d_L_d_ypred * d_ypred_d_h2 * d_h2_d_w4, 2 * hidden.weights_gradient[1, 1]),
    "d_L_d_w5": (d_L_d_ypred * d_ypred_d_w5, 2 * output.weights_gradient[0, 0]),
    "d_L_d_w6": (d_L_d_ypred * d_ypred_d_w6, 2 * output.weights_gradient[1, 0]),
    "d_L_d_b1": (d_L_d_ypred * d_ypred_d_h1 * d_h1_d_b1, 2 * hidden.bias_gradient[0]),
    "d_L_d_b2": (d_L_d_ypred * d_ypred_d_h2 * d_h2_d_b2, 2 * hidden.bias_gradient[1]),
    "d_L_d_b3": (d_L_d_ypred * d_ypred_d_b3, 2 * output.bias_gradient[0]),
}
print("                 by hand    by the library")
for name, (by_hand, by_library) in table.items():
    print(f"{name:<12}  {by_hand:>10.6f}        {by_library:>10.6f}")

# %%
# The update
# ----------
#
# Every parameter goes against its slope, w <- w - 0.1 dL/dw; with half of L the learning rate is 0.2. The
# estimator, trained once on the first person, ends at the same parameters. This takes ``partial_fit``: one
# pass over the given rows, with the list of all classes; ``fit`` would see one class only.


def new_network(seed):
    return ScratchMLPClassifier(
        hidden_layer_sizes=(2,),
        activation="logistic",
        loss="squared_error",
        weight_init=StandardNormal(),
        solver="sgd",
        momentum=0,
        alpha=0,
        batch_size=1,  # an update after every person,
        shuffle=False,  # in order
        learning_rate_init=0.2,
        max_iter=1000,
        n_iter_no_change=np.inf,
        random_state=seed,
    )


updated = new_network(seed=0).partial_fit(people[:1], targets[:1], classes=[0, 1])
start = {"w1": w1, "w3": w3, "w2": w2, "w4": w4, "w5": w5, "w6": w6, "b1": b1, "b2": b2, "b3": b3}
updated_by_hand = [value - 0.1 * table[f"d_L_d_{name}"][0] for name, value in start.items()]
updated_by_estimator = np.concatenate([*map(np.ravel, updated.coefs_), *updated.intercepts_])
update_difference = np.abs(updated_by_estimator - updated_by_hand).max()
print(f"after one update, by hand and by the estimator, the parameters differ by {update_difference:.0e}")

# %%
# A thousand epochs
# -----------------
#
# An epoch is one update after each of the four. All 1000 are run, whether or not the loss still falls; the
# warning that training stopped at ``max_iter`` then says nothing new. Put your own numbers in the last row.

warnings.simplefilter("ignore", ConvergenceWarning)

networks = [new_network(seed).fit(people, targets) for seed in range(20)]
newcomers = [[-7, -3], [20, 2], features(kg=61, cm=168)]
squared_errors = [np.mean((network.predict_proba(people)[:, 1] - targets) ** 2) for network in networks]
probabilities = np.array([network.predict_proba(newcomers)[:, 1] for network in networks])
print(f"mean squared error over 20 starts: {min(squared_errors):.4f} to {max(squared_errors):.4f}")
for (weight, height), of_woman in zip(newcomers, probabilities.T, strict=True):
    print(f"{weight:5.1f} lb {height:4.1f} in: woman with {of_woman.min():.2f} to {of_woman.max():.2f}")

# %%
# What it has learnt
# ------------------
#
# The loss falls from every start, mostly in two bundles. Where w5 and w6 have opposite signs, one hidden
# neuron is on for women and the other for men. Where they have the same sign, both are off for the same two
# people; from these little but the bias b3 learns, and the loss ends higher. (In one network with opposite
# signs, seed 8, a hidden neuron is undecided about the first person: its loss ends in between.)
#
# All networks are sure of newcomers like the four people. In between they have seen nobody, and each draws
# its border, where the probability is 1/2, elsewhere: for 61 kg and 168 cm one says 0.19, another 0.91.

same_sign = [np.prod(network.coefs_[1]) > 0 for network in networks]

figure, axes = plt.subplot_mosaic(
    [["losses", "plane"], ["network", "network"]], figsize=(8, 6), height_ratios=[3, 2], layout="constrained"
)
for network, same in zip(networks, same_sign, strict=True):
    color, label = ("#D55E00", "the same sign") if same else ("#0072B2", "opposite signs")
    LossCurveDisplay.from_estimator(network, ax=axes["losses"], color=color, label=label, lw=1)
axes["losses"].set(title="Half the squared error, twenty starts", ylabel="loss", yscale="log")
one_of_each = {line.get_label(): line for line in axes["losses"].get_lines()}
axes["losses"].legend(handles=one_of_each.values(), title="w5 and w6 have")

plane = {"response_method": "predict_proba", "eps": 5, "ax": axes["plane"]}
levels = np.linspace(0, 1, 11)
shown = DecisionBoundaryDisplay.from_estimator(networks[1], people, levels=levels, cmap="PuOr", **plane)
for network in networks:
    DecisionBoundaryDisplay.from_estimator(
        network, people, plot_method="contour", levels=[0.5], colors="#666666", linewidths=0.5, **plane
    )
dots: dict[str, Any] = {"markeredgecolor": "white", "ms": 8}
axes["plane"].plot(*people[targets == 1].T, "o", color="#0072B2", label="woman", **dots)
axes["plane"].plot(*people[targets == 0].T, "s", color="#D55E00", label="man", **dots)
axes["plane"].plot(*np.transpose(newcomers), "X", color="black", label="newcomer", **dots)
axes["plane"].set(
    title="Seed 1; in grey the borders of all", xlabel="weight - 135 lb", ylabel="height - 66 in"
)
axes["plane"].legend(loc="lower right")
figure.colorbar(shown.surface_, ax=axes["plane"], label="probability of a woman")

NetworkDisplay.from_estimator(
    networks[1], feature_names=["weight", "height"], class_names=["man", "woman"], ax=axes["network"]
)
axes["network"].set_title("The network of seed 1")

plt.show()
