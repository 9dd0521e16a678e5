"""Change the code on purpose, one change at a time, and see whether a test fails.

    python tests/mutants/run.py [--list] [NAME ...]

A mutant is an entry of a `.toml` file in this folder: a file of the package, a piece of its text, and what
replaces it. Each is made in a copy of the tree, where the tests named in its entry and those in the folder
beside the code run until one fails. Printed is "killed" where one failed, "SURVIVED" where none did, and
"STALE" where the text is not in the file exactly once. The exit code is 1 unless all are killed.

With NAMEs only these are made; --list prints all of them. A run in which all are killed takes some twenty
minutes; a mutant that survives takes as long as the tests of a folder.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from functools import partial

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPIED = ("sknn_scratch", "tests", "docs", "pyproject.toml")
SECONDS = 1200
"""After which tests that have not ended count as failed: a change may make threads wait for ever."""


@dataclass(frozen=True)
class Mutant:
    """A change to the code.

    Attributes
    ----------
    name : str
        What it is called.
    says : str
        What is wrong with the code then.
    file : str
        The file, from the root of the tree.
    old, new : str
        The text that is there once, and what it becomes.
    tests : tuple of str
        Files or folders of tests, the one that is likely to see it first.
    """

    name: str
    says: str
    file: str
    old: str
    new: str
    tests: tuple

    def count(self, root=ROOT):
        """How often the text is in the file."""
        path = root / self.file
        return path.read_text(encoding="utf-8").count(self.old) if path.is_file() else 0

    def verdict(self, root):
        """Make the change in a copy of the tree, run the tests, and take the change back."""
        if self.count(root) != 1:
            return "STALE"
        path = root / self.file
        before = path.read_text(encoding="utf-8")
        path.write_text(before.replace(self.old, self.new), encoding="utf-8")
        try:
            return _verdict_of_tests(root, self.tests)
        finally:
            path.write_text(before, encoding="utf-8")


def read_mutants():
    """The mutants of all files in this folder.

    Returns
    -------
    list of Mutant
        In the order of the files and of their entries.
    """
    mutants = []
    for path in sorted(pathlib.Path(__file__).parent.glob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        for entry in content["mutant"]:
            tests = (*entry.pop("tests"), *content["tests"])
            mutants.append(Mutant(**entry, tests=tuple(f"tests/{name}" for name in tests)))
    return mutants


_copy_folder = partial(shutil.copytree, ignore=shutil.ignore_patterns("__pycache__"))


def _verdict_of_tests(root, tests):
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n0", "-p", "no:cacheprovider", *tests]
    # bytecode of one change must not serve the next
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return "killed"
    if done.returncode == 2 and "KeyboardInterrupt" in done.stdout:  # which a test should have caught
        return "killed"
    if done.returncode > 1:  # not a test that failed, but one that could not be run
        raise RuntimeError(f"{' '.join(command)} cannot run:\n{done.stdout}{done.stderr}")
    return "killed" if done.returncode else "SURVIVED"


def main(arguments=None):
    """Make mutants one by one.

    Returns
    -------
    int
        The exit code.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="mutants to make; all if none is named")
    parser.add_argument("--list", action="store_true", help="print the mutants and make none")
    options = parser.parse_args(arguments)
    mutants = read_mutants()
    if unknown := set(options.names) - {mutant.name for mutant in mutants}:
        parser.error(f"unknown mutants {sorted(unknown)}")
    chosen = [mutant for mutant in mutants if not options.names or mutant.name in options.names]
    if options.list:
        for mutant in chosen:
            print(f"{mutant.name:28s} {mutant.says}")
        return 0
    verdicts = []
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name in COPIED:
            copy = _copy_folder if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, root / name)
        for mutant in chosen:
            verdicts.append(mutant.verdict(root))
            print(f"{verdicts[-1]:9s} {mutant.name:28s} {mutant.says}", flush=True)
    print(", ".join(f"{verdicts.count(kind)} {kind}" for kind in ("killed", "SURVIVED", "STALE")))
    return int(set(verdicts) != {"killed"})


if __name__ == "__main__":
    sys.exit(main())
