"""Cases of settings that scikit-learn and this library are compared with.

A case is a choice of values for eleven factors. In those that `pairwise_cover` makes, every allowed pair of
values occurs.
"""

import itertools
from typing import NamedTuple

import numpy as np


class Case(NamedTuple):
    solver: str
    activation: str
    learning_rate: str
    task: str
    X_format: str
    early_stopping: bool
    weighted: bool
    sequence: str
    batch_size: int | str
    hidden: tuple
    shuffle: bool


# 12 divides the 60 rows, and the 48 that early stopping or partial_fit leaves of them; 13 divides neither
FACTORS = Case(
    solver=("adam", "sgd", "lbfgs"),
    activation=("identity", "logistic", "tanh", "relu"),
    learning_rate=("constant", "invscaling", "adaptive"),
    task=("binary", "multiclass", "multilabel", "regression", "multioutput", "poisson"),
    X_format=("dense", "csr", "csc"),
    early_stopping=(False, True),
    weighted=(False, True),
    sequence=("fit", "warm_start", "partial_fit", "fit_partial_fit"),
    batch_size=("auto", 12, 13),
    hidden=((7,), (), (10, 6, 4)),
    shuffle=(True, False),
)

FLOAT32_FACTORS = FACTORS._replace(
    learning_rate=("constant",), sequence=("fit",), batch_size=("auto", 13), shuffle=(True,)
)


def is_allowed(chosen):
    """Whether scikit-learn can do it; `chosen` gives the values of some or all of the factors by name."""
    by_steps = chosen.get("sequence") in ("partial_fit", "fit_partial_fit")
    by_lbfgs, early_stopping = chosen.get("solver") == "lbfgs", chosen.get("early_stopping")
    return by_steps + bool(by_lbfgs) + bool(early_stopping) < 2  # defect 12: there lbfgs never stops early


def allowed_pairs(factors):
    named = factors._asdict()
    return {
        ((a, x), (b, y))
        for a, b in itertools.combinations(named, 2)
        for x in named[a]
        for y in named[b]
        if is_allowed({a: x, b: y})
    }


def pairs_of(case):
    return set(itertools.combinations(case._asdict().items(), 2))


def pairwise_cover(factors):
    """Cases in which every allowed pair of values of two factors occurs.

    Greedy: a case starts from a pair that has not occurred yet; then each factor in turn takes the value that
    makes most new pairs with those chosen before, of equally good ones that which was used least.
    """
    named = factors._asdict()
    missing = dict.fromkeys(sorted(allowed_pairs(factors), key=repr))
    n_uses = dict.fromkeys(((name, value) for name in named for value in named[name]), 0)
    cases = []
    while missing:
        chosen = dict(next(iter(missing)))
        for name in sorted(named.keys() - chosen.keys(), key=lambda name: (-len(named[name]), name)):

            def merit(value, name=name, chosen=chosen):
                n_new = sum(
                    tuple(sorted(pair, key=lambda of: Case._fields.index(of[0]))) in missing
                    for pair in (((name, value), of) for of in chosen.items())
                )
                return n_new, -n_uses[name, value]

            chosen[name] = max((v for v in named[name] if is_allowed({**chosen, name: v})), key=merit)
        for of in chosen.items():
            n_uses[of] += 1
        cases.append(Case(**chosen))
        for pair in pairs_of(cases[-1]):
            missing.pop(pair, None)
    return cases


def random_cases(factors, n_cases):
    rng, cases = np.random.RandomState(0), {}
    while len(cases) < n_cases:
        case = Case(*(values[rng.randint(len(values))] for values in factors))
        if is_allowed(case._asdict()):
            cases[case] = None
    return list(cases)


def case_id(case):
    words = case._asdict()
    words["hidden"] = "x".join(map(str, case.hidden)) or "linear"
    for flag in ("early_stopping", "weighted", "shuffle"):
        words[flag] = flag if words[flag] else ""
    words["batch_size"] = f"batch_{case.batch_size}"
    return "-".join(word for word in words.values() if word)
