"""One call of fit by L-BFGS."""

from sklearn.exceptions import ConvergenceWarning

from sknn_scratch.core import Outcome, Patience, train_lbfgs
from sknn_scratch.estimators._run import MLPRun
from sknn_scratch.fitting._engine import engine
from sknn_scratch.fitting._user_line import warn_user


class LbfgsRun(MLPRun):
    """Training with L-BFGS on all data at once."""

    final_loss: float
    patience: Patience

    def _prepare(self, rows):
        self._trained_rows = rows
        self.patience = self._patience()

    def train(self, observer):
        estimator = self.estimator
        outcome, message, self.final_loss = train_lbfgs(
            self.network,
            self.parameters,
            self.data,
            self.history,
            max_iterations=estimator.max_iter,
            max_evaluations=estimator.max_fun,
            tol=estimator.tol,
            patience=self.patience if estimator.early_stopping else None,
            validate=self.validation,
            observer=observer,
            rows=self._trained_rows,
            engine=engine(estimator.verbose),
        )
        outcome = self._ended(outcome)
        if outcome in (Outcome.MAX_ITER, Outcome.FAILED):
            warn_user(
                f"lbfgs failed to converge after {len(self.history.epochs)} iteration(s): {message}\n"
                f"Increase max_iter={estimator.max_iter} or max_fun={estimator.max_fun}, or scale the data "
                "(StandardScaler).",
                ConvergenceWarning,
            )
        return outcome

    def fitted_attributes(self):
        best = self.patience.best_weights
        attributes = self._common_attributes(self.patience, self.parameters.flat if best is None else best)
        if not self.history.epochs:
            attributes["loss_"] = self._loss_in_units_of_y(self.final_loss)
        best_loss = min(attributes["loss_curve_"], default=attributes["loss_"])
        return {
            **attributes,
            "t_": self._samples_seen_before(),
            "best_loss_": None if self.estimator.early_stopping else best_loss,
            "_training": None,
        }
