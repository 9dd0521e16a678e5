"""
Three inputs, four hidden neurons, no bias
==========================================

The exclusive or, the classic task that one neuron cannot do, learnt by a network with one hidden layer. The
example derives backpropagation for two layers, runs it in ten lines of NumPy, and runs the estimator beside
it: both end at the same weights. Twenty starts all learn it.

    python examples/plot_4_three_inputs_no_bias.py
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn_scratch import ScratchMLPClassifier, explain_step
from sknn_scratch.core import Uniform
from sknn_scratch.plotting import LossCurveDisplay, NetworkDisplay

# %%
# The task
# --------
#
# The target is 1 if one of the first two inputs is 1, but not both. The third input is 1 in every row, so its
# weights work as the biases of the hidden neurons; the network needs no others.

X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
y = np.array([0, 1, 1, 0])
n_iterations = 1500

# %%
# Why one neuron cannot do it
# ---------------------------
#
# A sigmoid neuron answers more than 1/2 where w_1 x_1 + w_2 x_2 + w_3 > 0. The table asks of its weights
#
#     rows 2 and 3:  w_2 + w_3 > 0  and  w_1 + w_3 > 0        together  w_1 + w_2 + 2 w_3 > 0
#     rows 1 and 4:  w_3 < 0  and  w_1 + w_2 + w_3 < 0        together  w_1 + w_2 + 2 w_3 < 0
#
# which is impossible: no line has the corners (0, 1) and (1, 0) of the square on one side and the other two
# on the other. A hidden layer gives the last neuron other numbers to look at than the inputs.

# %%
# Forward, and back
# -----------------
#
# All four rows go through the network at once. With f(z) = 1 / (1 + exp(-z)), entry by entry,
#
#     H = f(X W1)        4 x 4 = (4 x 3) (3 x 4)        a row for each sample, a column for each hidden neuron
#     P = f(H W2)        4 x 1 = (4 x 4) (4 x 1)        the prediction for each sample
#
# What is made small is the sum of squared errors, L = sum (y - P)^2. How does it change with the weights?
# The slope of f at z is f(z) (1 - f(z)), so the chain rule through the last layer gives
#
#     D2 = 2 (y - P) * P (1 - P)         4 x 1          minus dL/dz of the output neuron's sums
#     - dL/dW2 = H^T D2                  4 x 1 = (4 x 4) (4 x 1)
#
# A weight's slope is its input times the slope behind it, summed over the samples; the transpose puts samples
# against samples and does both. Each hidden neuron acts on L through its weight in W2, so the slopes go back
# through the same weights, and the same rule gives the first layer:
#
#     D1 = D2 W2^T * H (1 - H)           4 x 4 = (4 x 1) (1 x 4)
#     - dL/dW1 = X^T D1                  3 x 4 = (3 x 4) (4 x 4)
#
# Every gradient has the shape of its weights. Both are computed before a weight changes; the learning rate
# is 1, and the weights start uniform in [0, 1).


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def train_by_numpy(seed):
    rng = np.random.RandomState(seed)
    W1, W2 = rng.random_sample((3, 4)), rng.random_sample((4, 1))
    for _ in range(n_iterations):
        H = sigmoid(X @ W1)
        P = sigmoid(H @ W2)
        D2 = 2 * (y[:, np.newaxis] - P) * P * (1 - P)
        D1 = D2 @ W2.T * H * (1 - H)
        W2 += H.T @ D2
        W1 += X.T @ D1
    return W1, W2


# %%
# The same by the estimator
# -------------------------
#
# The loss of the library is the mean over the four rows of half the squared error, an eighth of L, so the
# learning rate is 8. All iterations are run, whether or not the loss still falls; the warning that training
# stopped at ``max_iter`` then says nothing new.

warnings.simplefilter("ignore", ConvergenceWarning)


def train(seed, hidden_layer_sizes=(4,)):
    return ScratchMLPClassifier(
        hidden_layer_sizes=hidden_layer_sizes,
        activation="logistic",
        loss="squared_error",
        fit_intercept=False,
        weight_init=Uniform(0, 1),
        solver="sgd",
        momentum=0,
        alpha=0,
        batch_size=len(X),
        shuffle=False,
        learning_rate_init=2 * len(X),
        max_iter=n_iterations,
        n_iter_no_change=np.inf,
        random_state=seed,
    ).fit(X, y)


networks = [train(seed) for seed in range(20)]
one_neuron = train(0, hidden_layer_sizes=())

W1, W2 = train_by_numpy(seed=0)
difference = max(np.abs(networks[0].coefs_[0] - W1).max(), np.abs(networks[0].coefs_[1] - W2).max())
predictions = np.array([network.predict_proba(X)[:, 1] for network in networks])
print(f"weights by NumPy and by the estimator differ by {difference:.0e}")
print(f"largest error of a prediction, 20 starts: {np.abs(predictions - y).max():.3f}")
print(f"predictions of one neuron: {one_neuron.predict_proba(X)[:, 1].round(3)}")

# %%
# What the hidden neurons do
# --------------------------
#
# ``explain_step`` keeps all matrices of the step that would come next; they have the shapes derived above.
# Seed 0: the second hidden neuron has learnt "x_1 or x_2" and has the weight 11.6 in the output, the others
# have negative weights. In the last row all four are on, and together the others outweigh it. In all twenty
# networks the neuron with the largest weight in the output is such an "or".

hidden, output = explain_step(networks[0], X, y).layers
for layer, weights in ((hidden, "W1"), (output, "W2")):
    print(
        f"{weights} {layer.weights.shape}, its gradient {layer.weights_gradient.shape}: "
        f"inputs {layer.input.shape}, outputs {layer.activation.shape}"
    )
print("  inputs   hidden neurons           prediction")
for row, of_hidden, of_output in zip(X, hidden.activation, output.activation, strict=True):
    print(f"  {row}  {of_hidden.round(2)!s:<23}  {of_output[0]:.3f}")
print(f"  weight   {output.weights.ravel().round(1)}")

# %%
# The loss of the one neuron sinks to 1/8: it answers 1/2 to everything. The networks, too, first come down to
# this line. They stay above 0.12 for 51 to 151 iterations, in which their hidden neurons become different;
# then they leave it. The loss falls at every iteration of every network.

figure, (losses, drawing) = plt.subplots(2, 1, figsize=(8, 6.5), height_ratios=[3, 2], layout="constrained")
for network in networks:
    LossCurveDisplay.from_estimator(network, ax=losses, color="#0072B2", lw=0.8, label="4 hidden neurons")
LossCurveDisplay.from_estimator(one_neuron, ax=losses, color="#D55E00", ls="--", label="one neuron")
losses.set(title="Twenty starts", xlabel="iteration", ylabel="half the mean squared error", yscale="log")
losses.set_xscale("log")
losses.grid(alpha=0.3)
losses.legend(handles=losses.get_lines()[-2:], loc="lower left")

NetworkDisplay.from_estimator(
    networks[0], feature_names=["x_1", "x_2", "1"], class_names=["not xor", "xor"], ax=drawing
)
drawing.set_title("The network of seed 0")

plt.show()
