"""One version of the library, and the newest scikit-learn that its tests have seen."""

import importlib.metadata

import sklearn
from sklearn.utils.fixes import parse_version

import sknn_scratch
from sknn_scratch._sklearn import NEWEST_TESTED


def test_the_installed_version_is_that_of_the_package():
    assert importlib.metadata.version("sknn_scratch") == sknn_scratch.__version__


def test_scikit_learn_is_none_newer_than_those_tested():
    # a newer one may move the private names that are used: look at them, and then raise the bound
    assert parse_version(sklearn.__version__).release[:2] <= parse_version(NEWEST_TESTED).release
