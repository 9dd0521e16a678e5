import numpy as np
import pandas as pd
import pytest

SMALL = {"hidden_layer_sizes": (16, 16), "max_iter": 8, "batch_size": 32, "n_cv": 1}
"""Settings with which a fit takes a tenth of a second."""


@pytest.fixture
def small():
    return dict(SMALL)


@pytest.fixture(scope="session")
def table():
    rng = np.random.RandomState(0)
    X = pd.DataFrame(
        {
            "size": rng.gamma(2.0, 10.0, 300),
            "gap": np.where(rng.uniform(size=300) < 0.1, np.nan, rng.normal(size=300)),
            "kind": rng.choice(["a", "b", "c"], 300),
            "place": rng.choice([f"p{i}" for i in range(12)], 300),
            "flag": rng.uniform(size=300) < 0.5,
        }
    )
    signal = np.sin(X["size"] / 10) + (X["kind"] == "b") - X["flag"]
    return X, signal.to_numpy()


@pytest.fixture(scope="session")
def labels(table):
    return np.array(["low", "high"])[(table[1] > 0).astype(int)]


@pytest.fixture
def targets(table, labels):
    return {"classifier": labels, "regressor": table[1]}
