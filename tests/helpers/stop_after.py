"""A callback that ends training."""


class StopAfter:
    """Ends training, or breaks it off, at an epoch."""

    def __init__(self, n_epochs, error=None):
        self.n_epochs, self.error = n_epochs, error

    def setup(self, estimator, context):
        self.n_seen = 0

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.n_seen += 1
        if self.n_seen == self.n_epochs and self.error is not None:
            raise self.error
        return self.n_seen >= self.n_epochs
