"""The changes that `mutants/run.py` makes on purpose fit the code as it is."""

import pytest
from mutants.run import ROOT, Mutant, read_mutants

MUTANTS = read_mutants()


def test_names_are_told_apart():
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names) >= 50


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_text_that_is_changed_occurs_once(mutant):
    assert mutant.count() == 1
    assert mutant.new != mutant.old
    assert all((ROOT / name).exists() for name in mutant.tests)


def test_a_change_is_killed_or_survives_or_is_stale(tmp_path):
    (tmp_path / "signs.py").write_text("def sign(x):\n    return 1 if x > 0 else -1\n")
    (tmp_path / "test_signs.py").write_text("from signs import sign\n\ndef test_one(): assert sign(1) == 1\n")
    before = (tmp_path / "signs.py").read_text()

    def verdict(old, new):
        return Mutant("name", "says", "signs.py", old, new, ("test_signs.py",)).verdict(tmp_path)

    assert verdict("x > 0", "x < 0") == "killed"
    assert verdict("x > 0", "x >= 0") == "SURVIVED"
    assert verdict("x > 1", "x > 2") == verdict("1", "2") == "STALE"
    assert verdict("return", "raise KeyboardInterrupt; return") == "killed"
    with pytest.raises(RuntimeError, match="SyntaxError"):
        verdict("def sign", "def def")
    assert (tmp_path / "signs.py").read_text() == before
