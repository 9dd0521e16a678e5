"""The same parameters, methods and attributes as scikit-learn's."""

import contextlib
import inspect

import numpy as np
import pytest
from helpers.beside_sklearn import PAIRS_OF_CLASSES, both_kinds, data_for, is_close, unconverged
from sklearn.utils._param_validation import (
    InvalidParameterError,
    StrOptions,
    generate_invalid_param_val,
    make_constraint,
)


def parameters(function):
    """The parameters of a signature but for their types, which scikit-learn's have not."""
    found = inspect.signature(function).parameters.values()
    return [parameter.replace(annotation=parameter.empty) for parameter in found]


@both_kinds
def test_constructor_takes_scikit_learns_parameters_in_its_order(ours, theirs):
    n_shared = len(parameters(theirs))
    assert parameters(ours)[:n_shared] == parameters(theirs)
    own = parameters(ours)[n_shared:]
    assert len(own) >= 4
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in own)


@both_kinds
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@unconverged
def test_methods_and_fitted_attributes_of_scikit_learn_are_there(ours, theirs, solver):
    X, y, _ = data_for(ours)
    fitted = [cls(solver=solver, max_iter=3, random_state=0).fit(X, y) for cls in (ours, theirs)]
    attributes = {name for name in vars(fitted[1]) if name.endswith("_") and not name.startswith("_")}
    methods = {name for name in dir(theirs) if not name.startswith("_")}
    if solver == "lbfgs":
        methods.remove("partial_fit")  # the classifier has none; the regressor should not (defect 6)
    assert {"coefs_", "n_iter_", "loss_"} <= attributes
    assert {"fit", "predict", "score"} <= methods
    assert [name for name in sorted(attributes | methods) if not hasattr(fitted[0], name)] == []
    for name in attributes - {"coefs_", "intercepts_", "classes_"}:
        assert is_close(getattr(fitted[0], name), getattr(fitted[1], name), rtol=1e-9, atol=0), name


@both_kinds
def test_methods_take_scikit_learns_arguments(ours, theirs):
    for name in ("fit", "partial_fit", "predict", "predict_proba", "predict_log_proba", "score"):
        if hasattr(theirs, name):
            own, shared = parameters(getattr(ours, name)), parameters(getattr(theirs, name))
            assert own[: len(shared)] == shared, name
            ours_alone = {
                parameter.name for parameter in own[len(shared) :] if parameter.name != "return_std"
            }
            assert all(
                inspect.signature(getattr(ours, name)).parameters[n].kind.name == "KEYWORD_ONLY"
                for n in ours_alone
            )


CONSTRAINTS = [(*pair, name) for pair in PAIRS_OF_CLASSES for name in pair[1]._parameter_constraints]

each_parameter = pytest.mark.parametrize(
    ("ours", "theirs", "name"), CONSTRAINTS, ids=lambda part: part if isinstance(part, str) else part.__name__
)


@each_parameter
def test_a_parameter_scikit_learn_refuses_is_refused(ours, theirs, name):
    X, y, _ = data_for(ours)
    bad_values = [object()]
    for constraint in map(make_constraint, theirs._parameter_constraints[name]):
        with contextlib.suppress(NotImplementedError):  # there is nothing it would refuse
            bad_values.append(generate_invalid_param_val(constraint))
    for value in bad_values:
        for cls in (ours, theirs):
            with pytest.raises(InvalidParameterError, match=f"'{name}' parameter of {cls.__name__}"):
                cls(**{name: value}).fit(X, y)


@each_parameter
def test_a_parameter_is_allowed_what_scikit_learn_allows(ours, theirs, name):
    named = set().union(
        *(
            constraint.options
            for constraints in theirs._parameter_constraints.values()
            for constraint in constraints
            if isinstance(constraint, StrOptions)
        )
    )
    numbers = [-1, 0, 1, 2, -0.5, 0.0, 0.5, 1.0, 1.5, np.inf, -np.inf, np.nan]
    scalars = [np.int64(3), np.float32(0.5), np.float64(1.0), np.bool_(True), True, False, None]
    sequences = [] if name == "activation" else [(), (3,), [2, 3]]  # one for each hidden layer, only here
    # a callable is a schedule, only here
    functions = [] if name == "learning_rate" else [int]
    others = [*sequences, np.array([4]), range(3), np.random.RandomState(0), "nonsense", 1j, *functions]
    verdicts = []
    for value in [*sorted(named), *numbers, *scalars, *others]:
        refused = []
        for cls in (ours, theirs):
            try:
                cls(**{name: value})._validate_params()
            except InvalidParameterError:
                refused.append(True)
            else:
                refused.append(False)
        assert refused[0] == refused[1], f"{name}={value!r}"
        verdicts.append(refused[1])
    assert {True, False} == set(verdicts)
