"""The five workloads that all fits are measured on, and their data."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Workload:
    """Data, a network and a number of epochs that make up a run of some tenths of a second."""

    n_samples: int
    n_features: int
    n_classes: int
    hidden: tuple[int, ...]
    activation: str
    batch_size: int
    n_epochs: int
    alpha: float = 1e-4

    def reduced(self):
        """A tenth of a large one's rows, fewer epochs of a small one: to see in seconds that all works."""
        if self.n_samples > 10_000:
            return replace(self, n_samples=self.n_samples // 10, n_epochs=3)
        return replace(self, n_epochs=min(self.n_epochs, 20))

    @property
    def n_outputs(self):
        """Two classes need one score."""
        return 1 if self.n_classes == 2 else self.n_classes

    @property
    def sizes(self):
        """Units of each layer, from the features to the scores."""
        return [self.n_features, *self.hidden, self.n_outputs]

    def data(self, dtype):
        """Classes that a small network can learn: signs and sizes of random projections."""
        rng = np.random.RandomState(0)
        X = rng.standard_normal((self.n_samples, self.n_features)).astype(dtype)
        scores = np.tanh(X @ rng.standard_normal((self.n_features, self.n_classes)))
        return X, (scores + 0.3 * rng.standard_normal(scores.shape)).argmax(axis=1)


WORKLOADS = {
    "tiny": Workload(1000, 2, 2, (8, 16, 32, 16, 8), "tanh", batch_size=100, n_epochs=60),
    "digits": Workload(1797, 64, 10, (100,), "relu", batch_size=200, n_epochs=40),
    "tabular": Workload(50_000, 40, 2, (256, 256), "relu", batch_size=256, n_epochs=2),
    "image": Workload(60_000, 784, 10, (256, 128), "relu", batch_size=200, n_epochs=1),
    "online": Workload(1000, 8, 2, (16,), "tanh", batch_size=1, n_epochs=15),
}


def chosen(quick):
    """The workloads of a whole or of a quick run, by name."""
    return {name: w.reduced() if quick else w for name, w in WORKLOADS.items()}
