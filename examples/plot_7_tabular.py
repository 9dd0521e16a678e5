"""
A table: from a frame to calibrated probabilities
=================================================

Who earns more than 50,000 dollars a year? The census table "adult" has numbers, categories and gaps: what
most people who reach for a network in scikit-learn really have. RealMLP takes it without preparation.

    python examples/plot_7_tabular.py [--data FILE] [--rows 10000] [--epochs 64]

The table comes from OpenML, or from a local CSV file with a column "target" or "class". Needs matplotlib and
pandas: ``python -m pip install ".[plot]" pandas``. Ctrl-C ends a training early, with a model that can be
used.
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import loguniform
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import fetch_openml
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.metrics import log_loss
from sklearn.model_selection import HalvingRandomSearchCV, train_test_split

from sknn_scratch import ScratchRealMLPClassifier
from sknn_scratch.callbacks import EpochLogger

parser = argparse.ArgumentParser()
parser.add_argument("--data", help="a CSV file instead of OpenML")
parser.add_argument("--rows", type=int, default=10_000, help="at most as many rows")
parser.add_argument(
    "--epochs", type=int, default=64, help="of the one fit; the paper's 256 are a little better"
)
parser.add_argument("--candidates", type=int, default=8, help="of the search")
arguments = parser.parse_args()

# %%
# From a frame to probabilities
# -----------------------------
# Ten lines. Nothing is encoded, imputed or scaled by hand. ``scoring="neg_log_loss"`` asks for good
# probabilities: the best epoch is chosen by them, and labels are not smoothed.
if arguments.data:
    table = pd.read_csv(arguments.data)
    words = table.select_dtypes(exclude="number").columns
    table[words] = table[words].astype("category")  # as in OpenML's; the network would take words too
else:
    table = fetch_openml("adult", version=2, as_frame=True).frame
table = table.sample(min(arguments.rows, len(table)), random_state=0)
y = table.pop("target" if "target" in table else "class").astype(str)
X, X_test, y, y_test = train_test_split(table, y, stratify=y, test_size=0.2, random_state=0)

model = ScratchRealMLPClassifier(scoring="neg_log_loss", max_iter=arguments.epochs, random_state=0)
model.set_callbacks(EpochLogger(every=max(1, arguments.epochs // 8)))  # a line for every eighth of the epochs
model.fit(X, y)
probabilities = model.predict_proba(X_test)
accuracy, loss = model.score(X_test, y_test), log_loss(y_test, probabilities)
print(f"accuracy {accuracy:.3f}, log-loss {loss:.3f}")

# %%
# Next to gradient boosting
# -------------------------
# Boosting needs a fraction of the time. The two are different kinds of model, and often the mean of their
# probabilities is better than either.
boosting = HistGradientBoostingClassifier(random_state=0).fit(X, y)
of_boosting = boosting.predict_proba(X_test)
loss_of_boosting = log_loss(y_test, of_boosting)
loss_of_both = log_loss(y_test, (probabilities + of_boosting) / 2)
print(f"log-loss of boosting {loss_of_boosting:.3f}, of the mean of both {loss_of_both:.3f}")

# %%
# How it learnt
# -------------
# The learning rate goes up and down four times, each time over twice as many epochs; the loss follows it. The
# weights of the best epoch are kept, which the dotted line shows.
history = pd.DataFrame(model.history_).set_index("epoch")
figure, (of_loss, of_rate) = plt.subplots(2, 1, figsize=(8, 6), sharex=True, layout="constrained")
history[["loss", "validation_loss"]].plot(ax=of_loss, ylabel="log-loss")
of_loss.axvline(model.best_iter_, color="gray", linestyle=":")
history["learning_rate"].plot(ax=of_rate, ylabel="learning rate")

# %%
# Are the probabilities honest?
# -----------------------------
# Of the people to whom the network gives 0.3, three of ten should earn more than 50,000.
figure, axes = plt.subplots(figsize=(8, 6), layout="constrained")
positive = model.classes_[1]
CalibrationDisplay.from_predictions(
    y_test == positive, probabilities[:, 1], n_bins=10, name="RealMLP", ax=axes
)

# %%
# What it looks at
# ----------------
# How much worse the log-loss gets when a column is shuffled.
few = slice(0, 1000)
importance = permutation_importance(
    model, X_test[few], y_test[few], scoring="neg_log_loss", n_repeats=3, random_state=0
)
order = importance.importances_mean.argsort()
figure, axes = plt.subplots(figsize=(8, 6), layout="constrained")
axes.barh(X.columns[order], importance.importances_mean[order], xerr=importance.importances_std[order])
axes.set_xlabel("increase of the log-loss")

# %%
# A search
# --------
# The defaults need none. Where there is time, this is a small version of the space that the paper searches:
# candidates get few epochs first, and the better half of them twice as many, until one is left.
space = {
    "numerical_embedding": [True, False],
    "numerical_embedding_sigma": loguniform(0.05, 0.5),
    "learning_rate_init": loguniform(0.02, 0.07),
    "hidden_layer_sizes": [(256, 256, 256), (64, 64, 64, 64, 64), (512,)],
    "dropout": [0.0, 0.15, 0.3],
    "weight_decay": [0.0, 0.02],
    "activation": ["relu", "selu", "mish"],
}
search = HalvingRandomSearchCV(
    ScratchRealMLPClassifier(scoring="neg_log_loss", random_state=0),
    space,
    n_candidates=arguments.candidates,
    resource="max_iter",
    min_resources=2,
    max_resources=2 * arguments.candidates,
    factor=2,
    cv=2,
    scoring="neg_log_loss",
    random_state=0,
)
search.fit(X[:2000], y[:2000])
print(search.best_params_)
found = np.round(log_loss(y_test, search.predict_proba(X_test)), 3)
print(f"log-loss of what was found, on {len(X[:2000])} rows and few epochs: {found}")
plt.show()
