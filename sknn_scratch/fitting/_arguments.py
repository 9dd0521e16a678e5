"""Unknown arguments: an error that names the public class and the argument's name here."""

import difflib
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

_PENALTIES = "l2", "l2_reg", "l2_regularization", "reg_lambda", "reg_alpha", "lambda_", "wd"

_SYNONYMS = {
    "X_val": (
        "eval_set",
        "validation_data",
        "x_val",
        "x_valid",
        "x_test",
        "valid_sets",
        "val_set",
        "val_data",
    ),
    "sample_weight_val": ("eval_sample_weight", "sample_weight_eval_set", "validation_sample_weight"),
    "set_callbacks": ("callbacks", "callback"),
    "hidden_layer_sizes": (
        *("units", "hidden_units", "n_units", "n_hidden", "hidden_dim", "hidden_dims", "hidden_size"),
        *("hidden_sizes", "hidden_layers", "layers", "layer_sizes", "width"),
    ),
    "activation": ("act", "activations", "activation_function", "nonlinearity", "non_linearity"),
    "solver": ("optimizer", "optim", "optimiser", "algorithm"),
    "alpha": ("weight_decay", *_PENALTIES),
    "weight_decay": ("alpha", *_PENALTIES),
    "batch_size": ("bs", "minibatch_size", "train_batch_size"),
    "learning_rate": ("scheduler", "lr_scheduler", "lr_schedule", "schedule", "lr_sched"),
    "learning_rate_init": ("lr", "eta", "eta0", "step_size", "max_lr", "base_lr"),
    "max_iter": (
        *("epochs", "n_epochs", "num_epochs", "max_epochs", "nb_epoch", "epoch", "n_iter", "num_iterations"),
        *("n_estimators", "iterations", "num_boost_round"),
    ),
    "random_state": ("seed", "random_seed", "rng"),
    "verbose": ("verbosity",),
    "momentum": ("mom",),
    "nesterovs_momentum": ("nesterov",),
    "early_stopping": ("use_early_stopping",),
    "validation_fraction": ("validation_split", "val_fraction", "valid_fraction", "val_size"),
    "beta_1": ("beta1", "betas", "mom"),
    "beta_2": ("beta2", "sq_mom"),
    "epsilon": ("eps", "adam_epsilon"),
    "n_iter_no_change": ("patience", "early_stopping_rounds", "early_stopping_additive_patience"),
    "patience_factor": ("early_stopping_multiplicative_patience",),
    "dtype": ("precision",),
    "loss": ("criterion", "objective", "loss_function", "loss_fn"),
    "weight_init": ("kernel_initializer", "initializer", "init", "weight_initializer"),
    "fit_intercept": ("bias", "use_bias"),
    "scoring": ("metric", "metrics", "eval_metric", "val_metric_name", "score"),
    "dropout": ("dropout_rate", "p_drop", "p_dropout"),
    "class_weight": ("class_weights", "scale_pos_weight", "auto_class_weights"),
    "scale_target": ("normalize_output", "target_scaling", "standardize_target"),
    "n_ens": ("n_ensemble", "n_members", "n_models"),
    "n_cv": ("cv", "n_folds", "n_splits"),
    "refit": ("n_refit",),
    "time_limit": ("time_limit_s", "time_budget", "timeout", "max_time", "max_runtime_secs"),
    "n_jobs": ("n_threads", "num_threads", "nthread", "num_workers"),
    "categorical_features": ("cat_features", "cat_col_names", "categorical_feature", "enable_categorical"),
    "max_one_hot": ("max_one_hot_cat_size", "one_hot_max_size", "max_cat_to_onehot"),
    "category_embedding_size": ("embedding_size", "embedding_dim"),
    "numerical_embedding_sigma": ("plr_sigma",),
    "label_smoothing": ("ls_eps",),
}
"""What Keras, PyTorch, XGBoost, LightGBM, CatBoost and pytabkit call what a parameter of ours does."""

_WORDS = {
    "X_val": "X_val= and y_val=",
    "alpha": "alpha= or solver=AdamW(weight_decay=...)",
    "n_iter_no_change": "n_iter_no_change= and early_stopping=True",
    "set_callbacks": "the method set_callbacks(...)",
}

Function = TypeVar("Function", bound=Callable[..., Any])


def explains_arguments(init: Function) -> Function:
    """Decorate ``__init__``: explain a wrong call, and keep the signature.

    Parameters
    ----------
    init : callable
        ``__init__`` of an estimator.

    Returns
    -------
    callable
        The same, with a TypeError that names the estimator's own class and knows what is meant.
    """

    @functools.wraps(init)
    def explained(estimator: Any, *args: Any, **kwargs: Any) -> None:
        try:
            init(estimator, *args, **kwargs)
        except TypeError:
            check_call(init, estimator, args, kwargs)
            raise

    return cast(Function, explained)


def check_call(
    function: Callable[..., Any], estimator: object, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Raise if a function of an estimator cannot be called with these arguments.

    Parameters
    ----------
    function : callable
        ``__init__``, ``fit`` or ``partial_fit``.
    estimator : estimator
        Its first argument.
    args, kwargs : tuple, dict
        The others.

    Raises
    ------
    TypeError
        If an argument is unknown, missing or one too many.
    """
    signature = inspect.signature(function)
    kind, name = type(estimator), function.__name__
    called = kind.__name__ if name == "__init__" else f"{kind.__name__}.{name}"
    unknown = [argument for argument in kwargs if argument not in signature.parameters]
    if unknown:
        raise TypeError(f"{called}() got an unexpected keyword argument {explanations(kind, unknown)}.")
    try:
        signature.bind(estimator, *args, **kwargs)
    except TypeError as error:
        parameters = signature.parameters.values()
        by_name = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
        too_many = 1 + len(args) > len(parameters) - len(by_name)
        advice = f" Give by name: {', '.join(by_name)}." if too_many else ""
        raise TypeError(f"{called}(): {error}.{advice}") from None


def explanations(kind: type, unknown: list[str]) -> str:
    """Unknown arguments, each with what it may mean.

    Parameters
    ----------
    kind : type
        The estimator's class.
    unknown : list of str
        Names that it does not know.

    Returns
    -------
    str
        Such as "'epochs' (use max_iter= of ScratchMLPClassifier)".
    """
    return ", ".join(f"{name!r}{_hint(kind, name)}" for name in unknown)


def _hint(kind: Any, name: str) -> str:
    known = {
        **{method: "" for method in ("set_callbacks",) if hasattr(kind, method)},
        **dict.fromkeys(inspect.signature(kind.fit).parameters, " of fit"),
        **dict.fromkeys(kind._get_param_names(), f" of {kind.__name__}"),
    }
    meant = [parameter for parameter, synonyms in _SYNONYMS.items() if name.lower() in synonyms]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    for parameter in (*meant, *close):
        if parameter in known:
            return f" (use {_WORDS.get(parameter, parameter + '=')}{known[parameter]})"
    return ""
