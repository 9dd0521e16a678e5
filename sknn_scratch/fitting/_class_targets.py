"""Targets that are classes: from labels to numbers and back, with their loss and their weights."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.utils import column_or_1d, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from sknn_scratch._sklearn import check_partial_fit_first_call
from sknn_scratch.core import Loss, PerColumn
from sknn_scratch.fitting._data import Purpose
from sknn_scratch.fitting._labels import refuse_mixed_labels
from sknn_scratch.fitting._names import losses_of_classes
from sknn_scratch.fitting._parameters import resolved

Weights: TypeAlias = npt.NDArray[Any] | None

# scikit-learn's names of kinds of targets, as far as they are supported, and ours
_KINDS = {
    "binary": "single-label",
    "multiclass": "single-label",
    "multilabel-indicator": "multilabel",
    "multiclass-multioutput": "multioutput",
}


class ClassTargets:
    """What the classifier knows about its targets: one class per row, several labels, or several columns.

    The three kinds differ in `classes_`, a list for several columns of classes, and by the output layer.
    Parameters and fitted attributes are those of the classifier, into which this is mixed.
    """

    loss: Any
    class_weight: Any
    classes_: Any
    out_activation_: str
    n_outputs_: int

    def _check_data(self, X: Any, y: Any, *args: Any, **kwargs: Any) -> Any:
        refuse_mixed_labels(y)
        return super()._check_data(X, y, *args, **kwargs)  # type: ignore[misc]

    def _set_classes(self, y: Any, classes: Any) -> None:
        """All labels that will ever occur, in the first call of partial_fit."""
        refuse_mixed_labels(y)
        if classes is None and not hasattr(self, "classes_") and _is_indicator(y):
            classes = np.arange(y.shape[1] if hasattr(y, "shape") else len(y[0]))
        if classes is not None:
            for column in [classes] if np.ndim(classes[0]) == 0 else classes:
                refuse_mixed_labels(column, "classes")
        if classes is None or np.ndim(classes[0]) == 0:
            check_partial_fit_first_call(self, classes)  # sets classes_
            return
        classes = [unique_labels(column) for column in classes]  # one array for each column of y
        if not hasattr(self, "classes_"):
            self.classes_ = classes
        elif list(map(np.ndarray.tolist, classes)) != [np.ravel(known).tolist() for known in self.classes_]:
            raise ValueError(f"classes={classes!r} is not the same as on the first call: {self.classes_!r}.")

    def _is_binary(self) -> bool:
        return self.out_activation_ == "logistic" and self.n_outputs_ == 1

    def _is_multilabel(self) -> bool:
        return self.out_activation_ == "logistic" and self.n_outputs_ > 1

    def _kind_of_targets(self) -> str:
        if isinstance(self.classes_, list):
            return "multioutput"
        return "multilabel" if self._is_multilabel() else "single-label"

    def _encode_targets(
        self, y: Any, weight: Weights, dtype: npt.DTypeLike, purpose: Purpose
    ) -> tuple[npt.NDArray[Any], Weights, Loss]:
        if y.ndim == 2 and y.shape[1] == 1 and not issparse(y):
            y = column_or_1d(y, warn=True)
        kind: Any = self._kind_of(y, purpose)
        if issparse(y) and kind != "multilabel":
            raise ValueError("A sparse y must be a 0/1 indicator of several labels; use y.toarray().ravel().")
        if kind is None:
            check_classification_targets(y)  # raises
        if purpose.continues and kind != self._kind_of_targets():
            raise ValueError(
                f"Training cannot continue from {self._kind_of_targets()} to {kind} targets: use fit with "
                "warm_start=False."
            )
        if purpose.is_part and isinstance(self.classes_, list) is not (kind == "multioutput"):
            raise ValueError(
                f"classes={self.classes_} does not fit {kind} targets: give a list of arrays, one for "
                "each column of y, if y has several columns of classes, and one array otherwise."
            )
        self._labels_are_sparse = issparse(y)
        if kind == "multioutput":
            codes = self._encode_columns(y, purpose)
            self.n_outputs_ = sum(len(classes) for classes in self.classes_)
        else:
            self._check_labels(unique_labels(y), kind, purpose)
            if kind == "multilabel":
                codes = y.toarray() if issparse(y) else y
                self.n_outputs_ = codes.shape[1]
            else:
                codes = np.searchsorted(self.classes_, y)[:, np.newaxis]  # sorted, and y has no others
                self.n_outputs_ = 1 if len(self.classes_) == 2 else len(self.classes_)
        weight = self._with_class_weight(weight, codes, kind, dtype, purpose)
        return codes.astype(dtype), weight, self._loss_for(kind)

    def _kind_of(self, y: Any, purpose: Purpose) -> str | None:
        """The kind of targets, None if it is not supported."""
        # 0 and 1 may be all that a part of the data has of several classes
        is_known = purpose is not Purpose.NEW_FIT and isinstance(self.classes_, list)
        if y.ndim == 2 and not issparse(y) and (is_known or y.dtype == object):
            return "multioutput"
        return _KINDS.get(type_of_target(y, input_name="y"))

    def _check_labels(self, labels: npt.NDArray[Any], kind: str | None, purpose: Purpose) -> None:
        """Keep the labels as the classes, or see whether they are among those known."""
        if purpose is Purpose.NEW_FIT:
            self.classes_ = labels
        elif kind == "multilabel" and len(labels) != len(self.classes_):
            raise ValueError(f"y has {len(labels)} labels, but classes has {len(self.classes_)}.")
        elif purpose.is_part and not set(labels) <= set(self.classes_):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. "
                f"'y' has {labels}."
            )
        elif purpose is Purpose.WARM_START and set(labels) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {labels}"
            )

    def _encode_columns(self, y: npt.NDArray[Any], purpose: Purpose) -> npt.NDArray[Any]:
        """Numbers of classes, column by column."""
        columns = [_of_one_kind(y[:, i]) for i in range(y.shape[1])]
        labels = [unique_labels(column) for column in columns]
        known = labels if purpose is Purpose.NEW_FIT else self.classes_
        if len(known) != len(labels):
            raise ValueError(f"y has {len(labels)} columns, but classes has {len(known)}.")
        for i, (new, old) in enumerate(zip(labels, known, strict=True)):
            if not set(new) <= set(old):
                raise ValueError(f"Column {i} of y has classes {new}, not all of which are in {old}.")
        self.classes_ = known
        pairs = zip(known, columns, strict=True)
        return np.column_stack([np.searchsorted(classes, column) for classes, column in pairs])

    def _with_class_weight(
        self, weight: Weights, codes: npt.NDArray[Any], kind: str, dtype: npt.DTypeLike, purpose: Purpose
    ) -> Weights:
        """Weights of samples times those of their classes, one factor for each column of y."""
        if self.class_weight is None:
            return weight
        columns = codes.T.astype(np.intp)
        is_balanced = self.class_weight == "balanced"
        # validation data are weighted like those to train on
        known = purpose is Purpose.VALIDATION and hasattr(self, "_weights_of_classes")
        if not (is_balanced and known):
            classes = [np.arange(2)] * len(columns) if kind == "multilabel" else self.classes_
            classes = [classes] if kind == "single-label" else classes
            given = self.class_weight
            if not is_balanced and isinstance(given, list) is (kind == "single-label"):
                raise ValueError(
                    f"class_weight={given!r} must be 'balanced' or, for {kind} targets, a "
                    + ("dict." if kind == "single-label" else "list of dicts, one for each column of y.")
                )
            given = given if isinstance(given, list) else [given] * len(columns)
            if len(given) != len(columns):
                raise ValueError(f"class_weight has {len(given)} entries, but y has {len(columns)} columns.")
            self._weights_of_classes = [
                _class_weights(*column, weight) for column in zip(given, classes, columns, strict=True)
            ]
        pairs = zip(self._weights_of_classes, columns, strict=True)
        of_class = np.prod([weights[column] for weights, column in pairs], axis=0)
        with np.errstate(over="ignore"):
            of_class = of_class.astype(dtype, copy=False)
            weight = of_class if weight is None else weight * of_class
            total = weight.sum()
        if not 0 < total < np.inf:
            raise ValueError(f"class_weight={self.class_weight!r} makes the sum of all weights {total}.")
        return weight

    def _loss_for(self, kind: str) -> Loss:
        """The loss of one or several yes / no outputs, of one class out of several, or of several such."""
        independent = kind == "multilabel" or (kind == "single-label" and len(self.classes_) == 2)
        link = "logistic" if independent else "softmax"
        pairs = losses_of_classes()
        if isinstance(self.loss, str):
            pair = pairs[self.loss]
            loss = next(iter(pair.values()))()
        else:
            loss = resolved("loss", self.loss, {})
            pair = next((pair for pair in pairs.values() if isinstance(loss, tuple(pair.values()))), {})
        if link in pair:
            loss = pair[link](**loss.get_params())
        if loss.link_inverse != link:
            raise ValueError(f"loss={self.loss!r} must have the link {link!r}, for {kind} targets.")
        if kind != "multioutput":
            return loss
        return PerColumn(tuple(len(classes) for classes in self.classes_), loss)

    def _decoded(self, y: npt.NDArray[Any]) -> npt.NDArray[Any]:
        codes = y.astype(int)
        if not isinstance(self.classes_, list) and codes.shape[1] > 1:
            return codes
        return self._labels(codes if isinstance(self.classes_, list) else codes.ravel())

    def _labels(self, class_numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Labels of the numbers of classes, of shape (n_samples,) or (n_samples, n_columns)."""
        if not isinstance(self.classes_, list):
            labels: npt.NDArray[Any] = self.classes_[class_numbers]
            return labels
        columns = zip(self.classes_, class_numbers.T, strict=True)
        by_column = [classes[numbers] for classes, numbers in columns]
        if len({classes.dtype.kind for classes in self.classes_}) > 1:
            # strings and numbers stay what they are
            by_column = [column.astype(object) for column in by_column]
        return np.column_stack(by_column)


def _is_indicator(y: Any) -> bool:
    """Whether y holds 0 and 1 for each of several labels."""
    try:
        with np.errstate(invalid="ignore"):  # NaN and infinity are refused, as y's
            return bool(type_of_target(y, input_name="y") == "multilabel-indicator")
    except TypeError:  # columns of several kinds
        return False


def _of_one_kind(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A column of labels in a dtype of its own, where it comes as objects."""
    if column.dtype != object:
        return column
    return np.array(column.tolist())


def _class_weights(
    given: Any, classes: npt.NDArray[Any], codes: npt.NDArray[np.intp], sample_weight: Weights
) -> npt.NDArray[Any]:
    """Weight of each class of a column."""
    if given == "balanced":
        # all samples / (classes that occur * samples of the class), where a weight of 2 is two samples
        counts = np.bincount(codes, sample_weight, minlength=len(classes)).astype(float)
        occurs = counts > 0
        weights = np.where(occurs, counts.sum() / (occurs.sum() * np.where(occurs, counts, 1.0)), 1.0)
    else:
        weights = compute_class_weight(given, classes=classes, y=classes)
    if not (np.isfinite(weights).all() and weights.min() >= 0):
        raise ValueError(f"class_weight={given!r} must hold numbers >= 0.")
    return weights
