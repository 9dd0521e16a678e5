"""One call of fit: members of all splits, prepared, trained together, and what they leave."""

from contextlib import nullcontext
from dataclasses import dataclass, field, replace

import joblib
import numpy as np

from sknn_scratch.core import Epoch, Loss, Outcome, Patience
from sknn_scratch.core.machine.threads import BLAS_LIMIT
from sknn_scratch.fitting._engine import engine
from sknn_scratch.fitting._parameters import Settings
from sknn_scratch.fitting._user_line import warn_user
from sknn_scratch.tabular._advice import refuse_large_training, warn_of_levels
from sknn_scratch.tabular._ensemble import Lockstep
from sknn_scratch.tabular._fold import Fold
from sknn_scratch.tabular._judge import Judge
from sknn_scratch.tabular._member import Member
from sknn_scratch.tabular._network import make_network
from sknn_scratch.tabular._preprocessing import TabularPreprocessor
from sknn_scratch.tabular._presets import Preset
from sknn_scratch.tabular._split import Rows, Split, scaled
from sknn_scratch.tabular._time_limit import FEW_EPOCHS, Pacer, TimeLimit, warn_of_little_time


@dataclass(eq=False, kw_only=True)
class TableRun:
    """Trains what an estimator for tables asks for.

    Attributes
    ----------
    estimator : BaseRealMLP
        Whose parameters say what is trained; it knows its targets already.
    settings : Preset
        The hyper-parameters.
    loss : Loss
        What is minimised.
    all_rows : Rows
        The data of fit.
    own_validation : Rows or None
        The user's own validation data.
    rng : numpy.random.RandomState
        Source of random numbers.
    time_limit : TimeLimit
        The seconds that the fit may take.
    epochs : list of Epoch
        What is recorded so far: the epochs of the splits, and then those on all rows.
    splits : list of Split
        Those that have rows held out, from which the best epoch is chosen.
    on_all_rows : Split or None
        The members of ``refit=True``, once they are prepared.
    """

    estimator: Settings
    settings: Preset
    loss: Loss
    all_rows: Rows
    own_validation: Rows | None
    rng: np.random.RandomState
    time_limit: TimeLimit
    epochs: list[Epoch] = field(init=False, default_factory=list)
    splits: list[Split] = field(init=False, default_factory=list)
    on_all_rows: Split | None = field(init=False, default=None)
    _held_out: list[np.ndarray] = field(init=False, default_factory=list)
    _n_in_time: dict[str, int] = field(init=False, default_factory=dict)
    _lacks_refit: bool = field(init=False, default=False)
    _history_rows: list[dict] = field(init=False, default_factory=list)

    warn = staticmethod(warn_user)
    held_out_rows = None  # a fit that is made again from its seed draws them again: they need not be saved

    def __post_init__(self):
        self.judge = Judge(self.estimator, self.loss)

    @property
    def engine(self):
        """The name of the engine that trains."""
        return engine().name

    def prepare(self, parts):
        """Prepare members for each split.

        Parameters
        ----------
        parts : list of (Rows, Rows)
            For each split, the rows to train on and those held out.
        """
        for training, held_out in parts:
            if not (training.weigh_something and held_out.weigh_something):
                raise ValueError(
                    "sample_weight must not be zero for all training rows or for all validation rows."
                )
            fold = self._learn(training)
            if not self.splits:
                self._look_at_sizes(fold, training, len(parts))
            self._held_out.append(held_out.table.rows)
            split = Split(fold, self._new_members(fold, training, self._patience()))
            split.hold_out(held_out, self.judge.asks_a_scorer)
            self.splits.append(split)

    def _learn(self, rows):
        """What is fitted to some rows before training."""
        max_one_hot = self.settings.max_one_hot
        limit = None if max_one_hot == float("inf") else int(max_one_hot)
        preprocessor = TabularPreprocessor(max_one_hot=limit).learn(rows.table)
        network = make_network(self.settings, preprocessor, self.estimator.n_outputs_, self.loss)
        target = self.estimator._target_scale(rows.y, rows.weight, self.loss)
        limits = None if target is None or not self.settings.clip_predictions else _limits(rows)
        return Fold(preprocessor, network, target, limits)

    def _new_members(self, fold, rows, patience):
        """Members that are to be trained on some rows."""
        data, y_scaled = fold.preprocessor.encode(rows.table), scaled(rows.y, fold.target)
        members = []
        for _ in range(self.settings.n_ens):
            # SFC64 draws masks in two thirds of the time of the default generator
            rng = np.random.RandomState(np.random.SFC64(self.rng.randint(2**31 - 1)))
            members.append(
                Member.ready(fold.network, data, y_scaled, rows.weight, self.settings, replace(patience), rng)
            )
        return members

    def _look_at_sizes(self, fold, training, n_splits):
        """Whether the work can be done at all, and is worth doing."""
        n_rows = sum(len(rows.y) for rows in (self.all_rows, self.own_validation) if rows is not None)
        n_tables = n_splits + self.settings.refit
        n_networks = n_tables * self.settings.n_ens
        rows_at_once = n_splits * self.settings.n_ens * min(self.settings.batch_size, len(training.y))
        sizes = n_rows, n_tables, n_networks, rows_at_once
        refuse_large_training(fold.preprocessor, fold.network, training.table, *sizes)
        warn_of_levels(fold.preprocessor, training.table)

    def _patience(self):
        """The best epoch's weights are kept; training ends early only if that is asked for."""
        patience = Patience(0.0, np.inf, keeps_best_weights=True, keeps_last_of_equals=True)
        if not self.estimator.early_stopping:
            return patience
        return replace(
            patience,
            n_iter_no_change=self.estimator.n_iter_no_change,
            multiple=float(self.estimator.patience_factor),
        )

    def train(self, observer):
        """Train the members of all splits, and then those on all rows if there are to be any.

        Nothing is held out to judge the latter by: they are trained for as many epochs as the best one was,
        and left out if they diverge.
        """
        chosen_from = [member for split in self.splits for member in split.members]
        pacer = Pacer(
            observer, chosen_from, self.time_limit, self.settings.max_iter, **self._kept_for_refit()
        )
        outcome = self._train(chosen_from, lambda: self.judge(self.splits), pacer)
        self._n_in_time["splits"] = pacer.n_planned
        if not self.settings.refit or outcome not in (Outcome.MAX_ITER, Outcome.CONVERGED):
            return outcome
        if not pacer.leaves_time:
            self._lacks_refit = True
            return outcome
        try:
            on_all = self._prepared_on_all_rows().members
        except KeyboardInterrupt:
            return Outcome.INTERRUPTED
        best_epoch = self._chosen.best_epoch
        span = pacer.n_planned / best_epoch
        pacer = Pacer(observer, on_all, self.time_limit, best_epoch, span)
        outcome = self._train(on_all, lambda: (None, None), pacer)
        self._n_in_time["all rows"] = pacer.n_planned
        if outcome is Outcome.MAX_ITER and not all(np.isfinite(m.parameters.flat).all() for m in on_all):
            outcome = Outcome.DIVERGED  # in its last step, which no loss has shown
        if outcome is Outcome.DIVERGED:
            self.on_all_rows = None
        return outcome

    def _kept_for_refit(self):
        """The time that the second training may need: with as many epochs as the first one has."""
        if not self.settings.refit:
            return {}
        n_rows, n_ens = len(self.all_rows.y), self.settings.n_ens
        n_trained = sum(split.members[0].batches.n_rows for split in self.splits)
        n_members = len(self.splits) * n_ens
        # members at work take turns
        n_turns, n_turns_after = (-(-n // self._n_at_work(n)) for n in (n_members, n_ens))
        return {
            "epoch_after": n_turns_after * n_rows / (n_turns * n_trained / len(self.splits)),
            "seconds_after": self.time_limit.used * n_rows / n_trained,
        }

    def _train(self, members, judge, pacer):
        patience = members[0].training.patience
        if patience.has_run_out:  # it was restored as it was
            return Outcome.CONVERGED
        n_at_work = self._n_at_work(len(members))
        lockstep = Lockstep(members, judge, pacer, n_at_work, self.epochs)
        with BLAS_LIMIT if n_at_work > 1 else nullcontext():  # a thread for each member, or BLAS's own
            outcome = lockstep.train(pacer.n_planned - patience.n_epochs)
        return Outcome.MAX_ITER if outcome is Outcome.STOPPED and pacer.ends_training else outcome

    def _n_at_work(self, n_members):
        return min(joblib.effective_n_jobs(self.estimator.n_jobs), n_members)

    def _prepared_on_all_rows(self):
        """Members that are trained on all rows, those that are there already or new ones."""
        if self.on_all_rows is None:
            fold = self._learn(self.all_rows)
            members = self._new_members(fold, self.all_rows, Patience(0.0, np.inf))
            self.on_all_rows = Split(fold, members)
        return self.on_all_rows

    @property
    def _chosen(self):
        """The patience of any member of the splits: all have the same best epoch."""
        return self.splits[0].members[0].training.patience

    @property
    def _splits_are_done(self):
        n_epochs = self._n_in_time.get("splits", self.settings.max_iter)
        return self._chosen.n_epochs == n_epochs or self._chosen.has_run_out

    @property
    def is_complete(self):
        """Whether training has run its course."""
        n_on_all = self._n_in_time.get("all rows", self._chosen.best_epoch) if self.settings.refit else 0
        return self._splits_are_done and len(self.epochs) == self._chosen.n_epochs + n_on_all

    @property
    def max_epochs(self):
        """Maximum number of epochs."""
        return self.settings.max_iter * (2 if self.settings.refit else 1)

    @property
    def members(self):
        """All networks in training, those of one split after the other."""
        on_all = [] if self.on_all_rows is None else [self.on_all_rows]
        return [member for split in [*self.splits, *on_all] for member in split.members]

    def prepare_members(self, n_members):
        """Make as many members as a saved state has."""
        if n_members > len(self.members) and self.settings.refit:
            self._prepared_on_all_rows()
        if n_members != len(self.members):
            raise ValueError(f"{n_members} networks instead of {len(self.members)}")

    def check_state(self):
        """Whether members agree, as those that are trained in lockstep do, and with the table of epochs."""
        of_splits = [member.training.patience for split in self.splits for member in split.members]
        on_all = [] if self.on_all_rows is None else self.on_all_rows.members
        judged = {(one.best, one.best_epoch, one.n_epochs, one.n_stagnant) for one in of_splits}
        refitted = {member.training.patience.n_epochs for member in on_all} or {0}
        chosen = self._chosen
        if (
            len(judged) > 1
            or len(refitted) > 1
            or chosen.n_epochs + max(refitted) != len(self.epochs)
            or not 1 <= chosen.best_epoch <= chosen.n_epochs
            or (on_all and not (self._splits_are_done and max(refitted) <= chosen.best_epoch))
        ):
            raise ValueError("networks that do not agree")

    @property
    def data(self):
        """X as it is read, y and weights, for saving the state of the training."""
        return list(self.all_rows.table), self.all_rows.y, self.all_rows.weight

    @property
    def validation_data(self):
        """The user's own validation data, or the rows that the user's splitter holds out.

        What is held out of X otherwise is drawn from the seed.
        """
        own = self.own_validation
        if own is None:
            return self._held_out if self.estimator._has_splitter else None
        return list(own.table), own.y, own.weight

    def look_at_time(self):
        """Warn if the limit left too little of it."""
        n_epochs, n_wanted = self._chosen.n_epochs, self.settings.max_iter
        if self._lacks_refit or n_epochs == self._n_in_time.get("splits", 0) < min(FEW_EPOCHS, n_wanted):
            warn_of_little_time(self.time_limit, n_epochs, n_wanted, self._lacks_refit)

    def history_rows(self):
        """The epochs as rows of a table; those made before are not made again."""
        for epoch in self.epochs[len(self._history_rows) :]:
            self._history_rows.append({"epoch": len(self._history_rows) + 1, **epoch.measured()})
        return self._history_rows

    def snapshot(self):
        """The fitted attributes, for a model to be kept: no later fit continues with them."""
        return self.fitted_attributes()

    def fitted_attributes(self):
        """What a fit that ends now leaves on the estimator."""
        rows, chosen = self.history_rows(), self._chosen
        on_all = [self.on_all_rows] if self.on_all_rows is not None and self.is_complete else []
        validation = {
            name: [np.nan if row[name] is None else row[name] for row in rows]
            for name in ("validation_loss", "validation_score")
        }
        folds = [split.fitted() for split in [*self.splits, *on_all]]
        temperature = {}
        if hasattr(self.estimator, "calibrate"):  # numbers have none
            is_wanted = self.settings.calibrate and bool(rows)
            temperature["temperature_"] = self.judge.temperature(self.splits) if is_wanted else 1.0
            folds = [replace(fold, temperature=temperature["temperature_"]) for fold in folds]
        return temperature | {
            "_folds": folds,
            "n_iter_": len(rows),
            "history_": list(rows),
            "loss_": rows[-1]["loss"] if rows else np.nan,
            "loss_curve_": [row["loss"] for row in rows],
            "validation_loss_curve_": validation["validation_loss"],
            "validation_scores_": validation["validation_score"],
            "best_validation_score_": chosen.best if rows else None,
            "best_iter_": chosen.best_epoch if rows else None,
        }


def _limits(rows):
    """The least and the largest targets that count."""
    counts = rows.y if rows.weight is None else rows.y[rows.weight > 0]
    return counts.min(axis=0), counts.max(axis=0)
