"""RealMLP on tables of few rows: how the best epoch is chosen, over many splits, beside a linear model.

    python -m tests.benchmarks.realmlp.few_rows --json FILE [--splits 20]
    python -m tests.benchmarks.realmlp.few_rows --table docs/few_rows.json

Four tables of scikit-learn's; a quarter of the rows is held out to test on. "all rows" trains on all of the
rest and is judged on the test rows after each epoch: its last epoch, and its best one, which nobody can know.
What is in FILE already is not measured again. --table prints the means and their standard errors.
"""

import argparse
import json
import pathlib
import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor

TABLES = {
    "iris": load_iris,
    "wine": load_wine,
    "breast_cancer": load_breast_cancer,
    "diabetes": load_diabetes,
}
VARIANTS = {
    f"{preset}{name}": {"preset": preset, "n_cv": 1, **settings}
    for preset in ("td", "td-s")
    for name, settings in {"": {}, " refit": {"refit": True}, " n_cv=5": {"n_cv": 5}}.items()
}


def scores_of(table, split):
    """Accuracy or R^2 on the test rows, by the name of the model."""
    X, y = TABLES[table](return_X_y=True)
    is_regression = table == "diabetes"
    stratify = None if is_regression else y
    X, X_test, y, y_test = train_test_split(X, y, random_state=split, stratify=stratify)
    kind = ScratchRealMLPRegressor if is_regression else ScratchRealMLPClassifier
    linear = RidgeCV(np.logspace(-2, 4, 13)) if is_regression else LogisticRegression()
    scores = {"linear": make_pipeline(StandardScaler(), linear).fit(X, y).score(X_test, y_test)}
    for name, settings in VARIANTS.items():
        model = kind(**settings, n_jobs=1, random_state=split).fit(X, y)
        scores[name] = model.score(X_test, y_test)
        scores[f"{name} epoch"] = model.best_iter_
    for preset in ("td", "td-s"):
        model = kind(preset=preset, random_state=split).fit(X, y, X_val=X_test, y_val=y_test)
        curve = np.array(model.validation_scores_)
        if is_regression:  # of the negative root mean squared error
            curve = 1 - curve**2 / np.var(y_test)
        scores[f"{preset} all rows, last"] = float(curve[-1])
        scores[f"{preset} all rows, oracle"] = float(curve.max())
    return scores


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--table", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.table:
        print_table(json.loads(arguments.table.read_text()))
        return
    runs = json.loads(arguments.json.read_text()) if arguments.json.exists() else []
    done = {(table, split) for table, split, _ in runs}
    for split in range(arguments.splits):
        for table in TABLES:
            if (table, split) not in done:
                with threadpool_limits(1), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    runs.append([table, split, scores_of(table, split)])
                arguments.json.write_text(json.dumps(runs))


def print_table(runs):
    names = [name for name in runs[0][2] if not name.endswith("epoch")]
    print("| | " + " | ".join(TABLES) + " |\n|---|" + "---|" * len(TABLES))
    for name in names:
        cells = []
        for table in TABLES:
            scores = np.array([of_model[name] for run_of, _, of_model in runs if run_of == table])
            error = scores.std(ddof=1) / np.sqrt(len(scores))
            cells.append(f"{scores.mean():.3f} ± {error:.3f} (least {scores.min():.2f})")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
