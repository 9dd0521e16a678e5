"""Files that several tests need."""

import pytest
from helpers.checkpoints import X, classifier, fit_broken_off, y


@pytest.fixture
def path(tmp_path):
    """The file of a fit that was stopped, in a folder of its own."""
    (tmp_path / "folder").mkdir()
    fit_broken_off(classifier(early_stopping=True), tmp_path / "folder" / "fit", (X, y))
    return tmp_path / "folder" / "fit"
