"""The parameters that both estimators share, and what is allowed for each."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from sknn_scratch._sklearn import Interval, Options, StrOptions
from sknn_scratch.core import (
    ACTIVATIONS,
    INITIALIZERS,
    OPTIMIZERS,
    SCHEDULES,
    SGD,
    Activation,
    Constant,
    CustomSchedule,
    FromFunction,
    Initializer,
    Optimizer,
    Schedule,
)
from sknn_scratch.core.configuration import FRACTION
from sknn_scratch.fitting._arguments import explains_arguments
from sknn_scratch.fitting._names import Names
from sknn_scratch.fitting._parameters import Settings, hidden_sizes, resolved

if TYPE_CHECKING:
    from sknn_scratch._typing import (
        ActivationLike,
        ClassLossName,
        HiddenLayerSizes,
        InitializerLike,
        RandomState,
        ScheduleLike,
        Scoring,
        SolverLike,
    )
    from sknn_scratch.core import Loss

_SHARED_SETTINGS = {
    "sgd": ("momentum", "nesterovs_momentum"),
    "adam": ("beta_1", "beta_2", "epsilon"),
    "invscaling": ("power_t",),
}


class HiddenLayers(NamedTuple):
    """What the hidden layers are: their sizes, their activation or activations, their rates of dropout."""

    sizes: list[int]
    activation: Activation | list[Activation]
    dropout: list[float]


class MLPSettings(Settings):
    """Configuration: scikit-learn's parameters in scikit-learn's order, then our own, keyword-only."""

    _parameter_constraints: dict = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(Names(lambda: ACTIVATIONS)), Activation, list, tuple],
        "solver": [StrOptions(Names(lambda: ["lbfgs", *OPTIMIZERS])), Optimizer],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions(Names(lambda: SCHEDULES)), Schedule, callable],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "dtype": [StrOptions({"float32", "float64"}), None],
        "weight_init": [StrOptions(Names(lambda: ["auto", *INITIALIZERS])), Initializer, callable],
        "fit_intercept": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left"), list, tuple],
    }

    @explains_arguments
    def __init__(
        self,
        hidden_layer_sizes: HiddenLayerSizes = (100,),
        activation: ActivationLike | Sequence[ActivationLike] = "relu",
        *,
        solver: SolverLike = "adam",
        alpha: float = 0.0001,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: ScheduleLike = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: RandomState = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dtype: Literal["float32", "float64"] | None = None,
        loss: ClassLossName | Loss = "log_loss",
        weight_init: InitializerLike = "auto",
        fit_intercept: bool = True,
        scoring: Scoring = None,
        dropout: float | Sequence[float] = 0.0,
        class_weight: dict[Any, Any] | list[dict[Any, Any]] | Literal["balanced"] | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dtype = dtype
        self.loss = loss
        self.weight_init = weight_init
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.dropout = dropout
        self.class_weight = class_weight

    def _hidden_layers(self):
        """The parameters of the hidden layers, checked."""
        sizes = hidden_sizes(self.hidden_layer_sizes)
        return HiddenLayers(sizes, self._activation_functions(len(sizes)), self._dropout_rates(len(sizes)))

    def _configured(self, parameter, registry, of_function=None):
        """The object of a parameter; scikit-learn's have settings that are parameters of ours."""
        value = getattr(self, parameter)
        shared = _SHARED_SETTINGS.get(value, ()) if isinstance(value, str) else ()
        settings = {name: getattr(self, name) for name in shared}
        return resolved(parameter, value, registry, of_function, **settings)

    def _schedule(self, optimizer):
        """The learning rate's schedule. As in scikit-learn, its three policies are for sgd only."""
        if self.learning_rate in ("constant", "invscaling", "adaptive") and not isinstance(optimizer, SGD):
            return Constant()
        return self._configured("learning_rate", SCHEDULES, CustomSchedule)

    def _activation_functions(self, n_hidden_layers):
        """The activation of all hidden layers, or a list of one for each."""
        if not isinstance(self.activation, list | tuple):
            return self._configured("activation", ACTIVATIONS)
        known = [isinstance(one, Activation) or one in list(ACTIVATIONS) for one in self.activation]
        if len(known) != n_hidden_layers or not all(known):
            raise ValueError(
                f"activation={self.activation!r} must name one function for each of the {n_hidden_layers} "
                f"hidden layers, each an Activation or one of {sorted(ACTIVATIONS)}."
            )
        return [resolved("activation", one, ACTIVATIONS) for one in self.activation]

    def _dropout_rates(self, n_hidden_layers):
        """The share of units left out of each hidden layer."""
        rates: Any = self.dropout
        rates = list(rates) if isinstance(rates, list | tuple) else [rates] * n_hidden_layers
        if len(rates) != n_hidden_layers or not all(rate in FRACTION for rate in rates):
            raise ValueError(
                f"dropout={self.dropout!r} must be a number in [0, 1), or one for each of the "
                f"{n_hidden_layers} hidden layers."
            )
        if any(rates) and self.solver == "lbfgs":
            raise ValueError(
                f"dropout={self.dropout!r} needs a solver that trains step by step, not 'lbfgs'."
            )
        return [float(rate) for rate in rates]

    def _initializer(self):
        """The initializer; None means scikit-learn's method."""
        if self.weight_init == "auto":
            return None
        return self._configured("weight_init", INITIALIZERS, FromFunction)
