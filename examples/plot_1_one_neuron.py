"""
One neuron, one layer
=====================

A neuron adds up its weighted inputs and a bias; a layer is several neurons that see the same inputs. This
example computes both twice, by the core of the library and by one line of NumPy. It shows why the sum goes
through a sigmoid and not through a threshold, joins three neurons to a network, and measures an error.

    python examples/plot_1_one_neuron.py
"""

import matplotlib.pyplot as plt
import numpy as np

from sknn_scratch.core import BinarySquaredError, Dense, Logistic, Network, ReLU, SquaredError, Tanh
from sknn_scratch.plotting import ActivationDisplay

# %%
# One neuron
# ----------
#
# Every input has a weight that says how much it counts. The neuron adds the weighted inputs and its bias:
#
#     z = w_1 x_1 + w_2 x_2 + w_3 x_3 + b = w . x + b
#
# Here that is 0.2 * 1 + 0.8 * 2 - 0.5 * 3 + 2 = 2.3. The layer ``Dense`` takes rows of inputs, so one sample
# is a table of one row. It owns no memory: the parameters and the room for the result are handed to it.

sample = np.array([[1.0, 2.0, 3.0]])
neuron_weights = np.array([[0.2], [0.8], [-0.5]])
neuron_bias = np.array([2.0])

neuron = Dense(n_inputs=3, n_outputs=1)
neuron_parameters = {"weights": neuron_weights, "bias": neuron_bias}
neuron_output = neuron.forward(neuron_parameters, sample, neuron.forward_buffers(n_rows=1, dtype=float))
neuron_by_numpy = sample @ neuron_weights + neuron_bias
print(f"one neuron           {neuron_output}   NumPy {neuron_by_numpy}")

# %%
# A layer of three neurons
# ------------------------
#
# Textbooks often write the weights of one neuron as a row. ``Dense`` keeps them in a column, so that a whole
# batch of samples, one a row, goes through the layer in one product: z = x W + b. The transpose ``.T`` turns
# one form into the other.

longer_sample = np.array([[1.0, 2.0, 3.0, 2.5]])
neurons_in_rows = np.array([[0.2, 0.8, -0.5, 1.0], [0.5, -0.91, 0.26, -0.5], [-0.26, -0.27, 0.17, 0.87]])
layer_bias = np.array([2.0, 3.0, 0.5])

layer = Dense(n_inputs=4, n_outputs=3)
layer_parameters = {"weights": neurons_in_rows.T, "bias": layer_bias}
layer_output = layer.forward(layer_parameters, longer_sample, layer.forward_buffers(n_rows=1, dtype=float))
layer_by_numpy = longer_sample @ neurons_in_rows.T + layer_bias
print(f"a layer of three     {layer_output}   NumPy {layer_by_numpy}")

# %%
# Threshold or sigmoid
# --------------------
#
# The first artificial neurons fired or did not: output 1 if z >= 0, else 0. Training asks of each weight
# whether the output rises or falls when the weight changes a little. A threshold does not answer: its slope
# is 0 on both sides of the jump, and at the jump it has none. The sigmoid is a threshold made smooth:
#
#     f(z) = 1 / (1 + exp(-z))        f'(z) = f(z) (1 - f(z))
#
# Its slope f' is above 0 everywhere and largest at z = 0, where it is 1/4. ``backward`` multiplies what it is
# given by f'(z); given ones, it leaves f'(z).

z = np.linspace(-6, 6, 241)
threshold = np.where(z >= 0, 1.0, 0.0)
sigmoid = np.empty_like(z)
Logistic().forward(z, out=sigmoid)
sigmoid_slope = np.ones_like(z)
Logistic().backward(z, sigmoid.copy(), sigmoid_slope)  # a copy: backward may use up f(z)

figure, (functions, slopes) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
functions.plot(z, threshold, color="#D55E00", drawstyle="steps", label="threshold")
functions.plot(z, sigmoid, color="#0072B2", lw=2, label="sigmoid")
slopes.axhline(0, color="#D55E00", label="threshold: 0, and none at the jump")
slopes.plot(0, 0, "o", color="#D55E00", markerfacecolor="white")
slopes.plot(z, sigmoid_slope, color="#0072B2", lw=2, label="sigmoid: f(z) (1 - f(z))")
functions.set(title="The output of a neuron", xlabel="weighted sum z", ylabel="output")
slopes.set(title="Its slope", xlabel="weighted sum z", ylabel="slope f'(z)", ylim=(-0.02, 0.34))
for axes in (functions, slopes):
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")

# %%
# The hyperbolic tangent and the rectified linear unit are the other two functions that hidden layers use
# here. Each is drawn with its slope.

figure, row = plt.subplots(1, 3, figsize=(8, 3.6), layout="constrained")
for activation, axes in zip((Logistic(), Tanh(), ReLU()), row, strict=True):
    ActivationDisplay.from_activation(activation, ax=axes)

# %%
# From the neuron to the network
# ------------------------------
#
# A neuron with weights [0, 1] and bias 4 turns the inputs [2, 3] into z = 0 * 2 + 1 * 3 + 4 = 7, and the
# sigmoid turns this into 0.999.

inputs = np.array([[2.0, 3.0]])
sigmoid_neuron = Dense(n_inputs=2, n_outputs=1)
sigmoid_neuron_parameters = {"weights": np.array([[0.0], [1.0]]), "bias": np.array([4.0])}
sigmoid_neuron_output = sigmoid_neuron.forward(
    sigmoid_neuron_parameters, inputs, sigmoid_neuron.forward_buffers(n_rows=1, dtype=float)
)
Logistic().forward(sigmoid_neuron_output, out=sigmoid_neuron_output)
sigmoid_neuron_by_numpy = 1 / (1 + np.exp(-(inputs @ [[0.0], [1.0]] + 4)))
print(f"a sigmoid neuron     {sigmoid_neuron_output}   NumPy {sigmoid_neuron_by_numpy}")

# %%
# The outputs of one layer can be the inputs of the next. Two hidden neurons and one output neuron, all with
# weights [0, 1], bias 0 and a sigmoid, make a 2-2-1 network. ``Network`` holds no weights either; they are
# given layer by layer, from the inputs to the output. Its last sigmoid belongs to the loss, which names what
# the predictions are: probabilities.

network = Network.mlp([2, 2, 1], Logistic(), BinarySquaredError())
network_parameters = [
    {"weights": np.array([[0.0, 0.0], [1.0, 1.0]]), "bias": np.zeros(2)},
    {},  # the sigmoid of the hidden layer has nothing to learn
    {"weights": np.array([[0.0], [1.0]]), "bias": np.zeros(1)},
]
network_output = network.predict(inputs, network_parameters)
hidden = 1 / (1 + np.exp(-inputs @ [[0.0, 0.0], [1.0, 1.0]]))
network_by_numpy = 1 / (1 + np.exp(-hidden @ [[0.0], [1.0]]))
print(f"a 2-2-1 network      {network_output}   NumPy {network_by_numpy}")

# %%
# How wrong is it?
# ----------------
#
# The mean squared error is the mean of (prediction - target)^2. Training needs one such number and its slope
# for each prediction. The core halves the square: then the slope is prediction - target, without a factor 2.
# It divides both by the number of rows, for the mean.

targets = np.array([[1.0], [0.0], [0.0], [1.0]])
predictions = np.zeros((4, 1))
mean_squared_error = np.mean((predictions - targets) ** 2)
error_slope = np.empty((4, 1))
half_squared_error = SquaredError().value_and_gradient(
    predictions, targets, weight=None, out=error_slope, per_row=np.empty(4)
)
print(f"mean squared error   {mean_squared_error}   the core's half {half_squared_error}")
print(f"its slopes           {error_slope.ravel()}")

plt.show()
