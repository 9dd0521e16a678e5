"""
The core by hand
================

Build a network, compute its gradient, step an optimizer. No scikit-learn needed.

    python examples/core_by_hand.py

The network learns the sine from 200 noisy points; the loop is all there is to training.
"""

import numpy as np

from sknn_scratch.core import Adam, Network, SquaredError, Tanh, Workspace

rng = np.random.RandomState(0)
X = rng.uniform(-np.pi, np.pi, (200, 1))
y = np.sin(X) + 0.1 * rng.standard_normal(X.shape)

network = Network.mlp([1, 20, 20, 1], Tanh(), SquaredError())
parameters = network.initialize(rng, dtype=np.float64)
workspace = Workspace(network, parameters, n_rows=len(X))
adam = Adam()
state = adam.init(parameters.flat)

for epoch in range(1001):
    loss, _ = network.loss_and_gradient(X, y, None, workspace)
    if epoch % 200 == 0:
        print(f"epoch {epoch:4d}: loss {loss:.5f}")
    adam.step(parameters.flat, workspace.gradient.flat, state, learning_rate=0.01)

points = np.linspace(-np.pi, np.pi, 7)[:, np.newaxis]
for x, prediction in zip(points.ravel(), network.predict(points, parameters.layers).ravel(), strict=True):
    print(f"x = {x:6.3f}   sin x = {np.sin(x):6.3f}   network = {prediction:6.3f}")
