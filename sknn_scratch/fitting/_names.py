"""The names that a parameter takes: those of a registry, looked up when the parameter is checked."""

from collections.abc import Callable, Collection, Iterable, Iterator, Set

from sknn_scratch.core import LOSSES, Loss
from sknn_scratch.core.losses.links import RAW_IN_UNITS


class Names(Set[str]):
    """The names that a registry has at any time: a class that is added to it later is allowed too.

    Parameters
    ----------
    current : callable
        ``current()`` returns the names as they are now.

    Examples
    --------
    >>> from sknn_scratch.fitting._names import Names
    >>> registry = {"relu": 1}
    >>> names = Names(lambda: registry)
    >>> registry["tanh"] = 2
    >>> sorted(names)
    ['relu', 'tanh']
    """

    def __init__(self, current: Callable[[], Collection[str]]) -> None:
        self._current = current

    def __contains__(self, name: object) -> bool:
        return name in self._current()

    def __iter__(self) -> Iterator[str]:
        return iter(self._current())

    def __len__(self) -> int:
        return len(self._current())

    @classmethod
    def _from_iterable(cls, names: Iterable[str]) -> set[str]:  # type: ignore[override]
        """The result of unions and differences: a set of the current names."""
        return set(names)


def losses_of_numbers() -> dict[str, type[Loss]]:
    """The losses of a regressor by name: those whose link gives numbers."""
    return {name: loss for name, loss in LOSSES.items() if loss.link_inverse in RAW_IN_UNITS}


def losses_of_classes() -> dict[str, dict[str, type[Loss]]]:
    """The losses of a classifier by name, each by its link.

    The loss of yes / no outputs has the link "logistic", that of one class out of several "softmax". Two such
    losses make a pair, which the classifier knows by one name: the registry may call them ``binary_<name>``
    and ``class_<name>``.

    Returns
    -------
    dict of str -> dict of str -> type
        Such as ``{"log_loss": {"logistic": BinaryLogLoss, "softmax": LogLoss}}``.
    """
    found: dict[str, dict[str, type[Loss]]] = {}
    for name, loss in LOSSES.items():
        prefix = {"logistic": "binary_", "softmax": "class_"}.get(loss.link_inverse)
        if prefix is not None:
            found.setdefault(name.removeprefix(prefix), {})[loss.link_inverse] = loss
    return found
