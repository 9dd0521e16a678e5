"""What a fit says about a training that did not end as it should, and about scores it could not compute."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sklearn.exceptions import ConvergenceWarning, UndefinedMetricWarning

from sknn_scratch.core import Outcome
from sknn_scratch.fitting._user_line import warn_user

if TYPE_CHECKING:
    from sknn_scratch._typing import HistoryRow

_OF_SCIKIT_LEARN = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed."
)


def check_ending(
    outcome: Outcome, rows: list[HistoryRow], best_epoch: int | None, scoring: str | None, remedy: str
) -> None:
    """Warn of a training that was interrupted or diverged, or of undefined scores; raise without a model.

    Parameters
    ----------
    outcome : Outcome
        Why training ended.
    rows : list of dict
        The epochs, as in `history_`.
    best_epoch : int or None
        Number of the epoch whose weights are kept; 0 if there is none, None if no score is watched.
    scoring : str or None
        What the validation score is, in words; None if there is none.
    remedy : str
        What to do about a divergence.

    Raises
    ------
    ValueError
        If training diverged, or the score that it watches is undefined, and there is no best epoch.
    """
    _check_scores(outcome is Outcome.DIVERGED, rows, best_epoch, scoring, remedy)
    if outcome is Outcome.INTERRUPTED:
        warn_user("Training interrupted by user.")


def _check_scores(
    has_diverged: bool,
    rows: list[HistoryRow],
    best_epoch: int | None,
    scoring: str | None,
    remedy: str,
) -> None:
    undefined = [row for row in rows if _is_undefined(row)]
    if has_diverged and not (best_epoch is not None and undefined and undefined[-1] is rows[-1]):
        n_epochs = rows[-1]["epoch"] if rows else 0
        message = f"Training diverged at epoch {n_epochs}: a loss or weight is not finite. {remedy}"
        if not best_epoch:
            raise ValueError(f"{message} {_OF_SCIKIT_LEARN}")
    elif undefined:
        message = (
            f"The validation score is not finite at epoch {undefined[0]['epoch']}, although the loss is: "
            f"{scoring} is undefined on the rows held out, as roc_auc is on rows of one class, and R2 on one "
            "row. Hold out more rows (validation_fraction, or X_val and y_val), or use scoring='loss'."
        )
        if best_epoch == 0:
            raise ValueError(message)
    else:
        return
    if best_epoch:
        message += f" Training ended there, and the model has the weights of the best epoch, {best_epoch}."
    category = ConvergenceWarning if has_diverged else UndefinedMetricWarning
    warn_user(message, category)


def _is_undefined(row: HistoryRow) -> bool:
    loss, score = row["validation_loss"], row["validation_score"]
    return loss is not None and score is not None and math.isfinite(loss) and not math.isfinite(score)
