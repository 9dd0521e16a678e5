"""What pyright and mypy say of the code that users read: python tests/type_checks/check.py

Checked are the python blocks of README.md and docs/**/*.md (those of a page are one file), examples/*.py, and
the tests beside this file, but not the recipes that need more libraries. The package is seen as a user sees
it: installed, with the default settings of both. An error that no exception allows fails the check, and so
does an exception that nothing needs.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[2]

EXCEPTIONS = {
    r'mypy import-untyped: .*"(sklearn|pandas|scipy|joblib)\b': "They have no types; mypy stops there.",
    r"pyright .*\bUnknown\b": "pyright guesses from scikit-learn's code what functions such as clone return,",
    r'pyright .*(SupportsIndex|"__getitem__"|"digitize")': "with lists among what transformers return,",
    r'pyright .* for class "(str|tuple\[str, str\])"': "and strings among what train_test_split returns.",
    r'pyright .*"(max_propagation_depth|n_candidates|(min|max)_resources|scoring)"': (
        "It takes a parameter of scikit-learn to have the type of its default."
    ),
    r'pyright .*"PythonFuncType"': "It takes a column of a frame of pandas for a frame, whose map differs.",
}
"""Patterns of errors that come of others' missing types, each with the reason."""


def python_of(page):
    """The python blocks of a page, each at its own lines, between empty ones."""
    lines, is_python = [], False
    for line in page.read_text("utf-8").splitlines():
        is_fence = line.startswith("```")
        lines.append(line if is_python and not is_fence else "")
        is_python = line == "```python" if is_fence else is_python
    return "\n".join(lines) + "\n"


def pyright_errors(folder, files):
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, *files]
    report = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    for found in json.loads(report.stdout)["generalDiagnostics"]:
        if found["severity"] == "error":
            file = pathlib.Path(found["file"]).name
            message = " ".join(found["message"].split())
            yield file, found["range"]["start"]["line"] + 1, f"pyright {found.get('rule')}: {message}"


def mypy_errors(folder, files):
    command = [sys.executable, "-m", "mypy", "--config-file=", "--check-untyped-defs", "-O", "json", *files]
    report = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if report.stderr:
        raise RuntimeError(report.stderr)
    for found in map(json.loads, report.stdout.splitlines()):
        if found["severity"] == "error":
            yield found["file"], found["line"], f"mypy {found['code']}: {found['message']}"


def main():
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    pages = [page for page in pages if not page.read_text("utf-8").startswith("---\nneeds:")]
    scripts = [*sorted((ROOT / "examples").glob("*.py")), *pathlib.Path(__file__).parent.glob("test_*.py")]
    texts = {page: python_of(page) for page in pages}
    texts = {page: text for page, text in texts.items() if text.strip()}
    texts |= {script: script.read_text("utf-8") for script in scripts}
    sources = {
        re.sub(r"\W", "_", str(path.relative_to(ROOT).with_suffix(""))) + ".py": path for path in texts
    }
    errors = []
    with tempfile.TemporaryDirectory() as folder:
        for file, path in sources.items():
            pathlib.Path(folder, file).write_text(texts[path], "utf-8")
        for checker in (pyright_errors, mypy_errors):
            errors += [(sources[file].relative_to(ROOT), *rest) for file, *rest in checker(folder, sources)]

    needed = {pattern for *_, text in errors for pattern in EXCEPTIONS if re.match(pattern, text)}
    wrong = [error for error in errors if not any(re.match(pattern, error[-1]) for pattern in EXCEPTIONS)]
    for path, line, text in sorted(wrong):
        print(f"{path}:{line}: {text}")
    for pattern in EXCEPTIONS.keys() - needed:
        print(f"nothing needs the exception {pattern!r}")
    sys.exit(bool(wrong or EXCEPTIONS.keys() - needed))


if __name__ == "__main__":
    main()
