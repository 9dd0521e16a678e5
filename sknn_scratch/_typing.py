"""The types of arguments and of fitted attributes that several signatures share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypedDict, TypeVar

import numpy as np
import numpy.typing as npt

from sknn_scratch.core import Activation, Initializer, Optimizer, Progress, Schedule
from sknn_scratch.core.parameters import FloatArray as FloatArray

if TYPE_CHECKING:
    from scipy.sparse import sparray, spmatrix

Method = TypeVar("Method", bound=Callable[..., Any])
"""A function that a decorator returns with the signature that it has."""

# data and results

Data: TypeAlias = "npt.ArrayLike | spmatrix | sparray"
"""Lists, arrays, frames of pandas and polars, sparse matrices."""

ArrayOrAny: TypeAlias = npt.NDArray[Any] | Any
"""Nearly always an array. Without Any, type checkers would ask every user to rule out the other case."""


class HistoryRow(TypedDict):
    """A row of `history_`."""

    epoch: int
    loss: float
    validation_loss: float | None
    validation_score: float | None
    learning_rate: float | None
    gradient_norm: float
    seconds: float


# names that parameters take: a test holds them equal to what the estimators accept

ActivationName = Literal[
    "identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus"
]
SolverName = Literal["lbfgs", "sgd", "adam", "adamw", "rmsprop"]
ScheduleName = Literal["constant", "invscaling", "adaptive", "cosine", "one_cycle", "exponential", "plateau"]
TabularScheduleName = ScheduleName | Literal["coslog4", "flat_cos"]
InitializerName = Literal[
    "auto", "glorot_uniform", "he_normal", "lecun_normal", "orthogonal", "normal", "uniform", "zeros"
]
ClassLossName = Literal["log_loss", "squared_error"]
NumberLossName = Literal[
    "squared_error", "absolute_error", "huber", "quantile", "poisson", "gamma", "gaussian_nll"
]

# parameters: a name, or the object or function beside it

HiddenLayerSizes: TypeAlias = int | Sequence[int] | npt.NDArray[np.integer[Any]]
ActivationLike: TypeAlias = ActivationName | Activation
SolverLike: TypeAlias = SolverName | Optimizer
ScheduleLike: TypeAlias = ScheduleName | Schedule | Callable[[Progress], float]
TabularScheduleLike: TypeAlias = TabularScheduleName | Schedule | Callable[[Progress], float]
InitializerLike: TypeAlias = (
    InitializerName | Initializer | Callable[[int, int, np.random.RandomState], npt.NDArray[Any]]
)
RandomState: TypeAlias = int | np.random.RandomState | None
Scoring: TypeAlias = str | Callable[[Any, Any, Any], float] | None


class Splitter(Protocol):
    """scikit-learn's splitters, such as KFold and GroupKFold, and what has their methods."""

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Any:
        """Row numbers of the training and of the test part of each split."""

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """How many splits there are."""
