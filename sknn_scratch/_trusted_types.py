"""The classes that a saved model holds."""

import importlib
import inspect
import pkgutil

PACKAGES = (
    "core",
    "fitting",
    "estimators",
    "tabular",
)  # not callbacks: a checkpoint writes to the path it names


def trusted_types() -> list[str]:
    """List the classes of this library that a saved model may hold, for :func:`skops.io.load`.

    skops builds only objects of classes that it trusts: those of NumPy, SciPy and scikit-learn that it knows,
    and those that the caller names. Activations, losses and other classes of your own are for you to add.

    Returns
    -------
    list of str
        The names with their modules, sorted.

    Examples
    --------
    >>> import skops.io
    >>> from sklearn.datasets import load_iris
    >>> from sknn_scratch import ScratchRealMLPClassifier, trusted_types
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ScratchRealMLPClassifier(max_iter=2, n_cv=1, random_state=0).fit(X, y)
    >>> saved = skops.io.dumps(model)
    >>> skops.io.loads(saved, trusted=trusted_types())
    ScratchRealMLPClassifier(max_iter=2, n_cv=1, random_state=0)
    """
    names = []
    for package in PACKAGES:
        home = importlib.import_module(f"sknn_scratch.{package}")
        for module in pkgutil.walk_packages(home.__path__, f"{home.__name__}."):
            classes = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
            names += [f"{module.name}.{name}" for name, kind in classes if kind.__module__ == module.name]
    return sorted(names)
