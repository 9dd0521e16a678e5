"""What Ctrl-C makes of a fit that has trained already: a usable model."""

from sknn_scratch.core import Outcome
from sknn_scratch.core.interruption import POSTPONEMENT, interruptibly, uninterrupted


@uninterrupted
def outcome_of(train, epochs):
    """Train, and say why it ended.

    A training loop notices Ctrl-C itself. In `train` it may also come before or after the loop. After `train`
    it waits until the model is stored and fit has ended.

    Parameters
    ----------
    train : callable
        Trains, and returns an Outcome.
    epochs : list of Epoch
        What it records.

    Returns
    -------
    Outcome
        Why training ended.

    Raises
    ------
    KeyboardInterrupt
        If it comes outside the training loop, before an epoch or an iteration of L-BFGS has ended.
    """
    try:
        outcome = interruptibly(train)
    except KeyboardInterrupt:
        if not epochs:
            raise
        outcome = Outcome.INTERRUPTED
    POSTPONEMENT.close()
    return outcome
