"""Multi-layer perceptrons for scikit-learn, written from scratch on NumPy and SciPy.

The public names are resolved when first used (PEP 562), so that :mod:`sknn_scratch.core`, which needs
only NumPy and SciPy, can be imported without scikit-learn.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sknn_scratch._show_versions import show_versions
    from sknn_scratch._trusted_types import trusted_types
    from sknn_scratch.estimators import (
        ScratchMLPClassifier,
        ScratchMLPRegressor,
        check_gradients,
        explain_step,
    )
    from sknn_scratch.tabular import ScratchRealMLPClassifier, ScratchRealMLPRegressor, TabularPreprocessor

__version__ = "0.1.0"
__all__ = [
    "ScratchMLPClassifier",
    "ScratchMLPRegressor",
    "ScratchRealMLPClassifier",
    "ScratchRealMLPRegressor",
    "TabularPreprocessor",
    "explain_step",
    "check_gradients",
    "show_versions",
    "trusted_types",
    "__version__",
]
_HOMES = {
    "ScratchRealMLPClassifier": "tabular",
    "ScratchRealMLPRegressor": "tabular",
    "TabularPreprocessor": "tabular",
    "show_versions": "_show_versions",
    "trusted_types": "_trusted_types",
}
_SUBPACKAGES = ("callbacks", "core", "estimators", "export", "plotting", "tabular")


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"sknn_scratch.{name}")
    if name in __all__:
        home = _HOMES.get(name, "estimators")
        return getattr(importlib.import_module(f"sknn_scratch.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_SUBPACKAGES])
