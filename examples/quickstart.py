"""
Quick start
===========

Train, tune and score networks on real data, beside scikit-learn's own MLP.

    python examples/quickstart.py

Two data sets that come with scikit-learn: 1797 images of handwritten digits (10 classes), and 569 breast
cancer biopsies (2 classes). For each, the same grid search over a pipeline runs twice, once with each
library's network. Same seeds, so the models are the same; look at the seconds.
"""

import time
import warnings

from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch import ScratchMLPClassifier

# 40 epochs are enough here; both networks would warn that they had not converged to the last digit.
warnings.simplefilter("ignore", ConvergenceWarning)


def search_and_score(network, X_train, X_test, y_train, y_test):
    """Tune a network by grid search; return the search, its score on unseen data and the seconds it took."""
    pipeline = Pipeline([("scale", StandardScaler()), ("network", network)])
    grid = {"network__alpha": [1e-4, 1e-2, 1.0], "network__hidden_layer_sizes": [(50,), (100,)]}
    search = GridSearchCV(pipeline, grid, cv=3)
    start = time.perf_counter()
    search.fit(X_train, y_train)
    return search, search.score(X_test, y_test), time.perf_counter() - start


def main():
    """Run both searches on both data sets and print the comparison."""
    for load in (load_digits, load_breast_cancer):
        X, y = load(return_X_y=True)
        split = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
        print(f"\n{load.__name__[5:].replace('_', ' ')}: {X.shape[0]} rows, {X.shape[1]} features")
        seconds = []
        for network in (MLPClassifier(), ScratchMLPClassifier()):
            network.set_params(max_iter=40, random_state=0)
            search, score, fit_time = search_and_score(network, *split)
            seconds.append(fit_time)
            best = ", ".join(f"{name[9:]}={value}" for name, value in search.best_params_.items())
            print(
                f"  {type(network).__name__:<21} 19 fits in {fit_time:4.1f} s, "
                f"accuracy on unseen data {score:.3f} ({best})"
            )
        print(f"  scikit-learn's takes {seconds[0] / seconds[1]:.1f} times as long.")


if __name__ == "__main__":
    main()
