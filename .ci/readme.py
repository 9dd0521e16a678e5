"""The snippets of the README as a reader pastes them: python .ci/readme.py

A fresh environment gets what the text tells to install, at the place where it does. Each python block runs in
a process and a folder of its own. What it prints must be the text block under it, figures within 2 %, and a
picture that it writes must be the one shown: as large, and of as many frames.
"""

import math
import pathlib
import re
import subprocess
import sys
import tempfile
import venv

ROOT = pathlib.Path(__file__).parents[1]
PARTS = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?"
    r"|python -m pip install (?P<packages>[^`\n]*?)(?= &&|`|\n)",
    re.M | re.S,
)
FIGURE = r"-?\d+(?:\.\d*)?(?:e-?\d+)?"
SIZE = "import sys; from PIL import Image; image = Image.open(sys.argv[1]); print(image.size, image.n_frames)"


def agree(printed, shown):
    """Whether two texts have the same words, and figures that differ by 2 % at most."""
    pairs = zip(re.findall(FIGURE, printed), re.findall(FIGURE, shown), strict=False)
    words = [re.sub(FIGURE, "0", text).split() for text in (printed, shown)]
    return words[0] == words[1] and all(math.isclose(float(a), float(b), rel_tol=0.02) for a, b in pairs)


def main():
    """Run the README."""
    parts = list(PARTS.finditer((ROOT / "README.md").read_text("utf-8")))
    while parts and parts[-1]["packages"]:  # what no block needs
        parts.pop()
    failures = n_blocks = 0
    with tempfile.TemporaryDirectory() as folder:
        venv.create(f"{folder}/venv", with_pip=True)
        python = f"{folder}/venv/bin/python"
        for part in parts:
            if packages := part["packages"]:
                if "[test]" not in packages:  # another environment, in which .ci/run runs the tests
                    command = f"{python} -m pip install --quiet --disable-pip-version-check {packages}"
                    subprocess.run(command, shell=True, cwd=ROOT, check=True)
                continue
            n_blocks += 1
            with tempfile.TemporaryDirectory() as own:
                command = [python, "-W", "error", "-c", part["code"]]
                run = subprocess.run(command, cwd=own, capture_output=True, text=True, check=False)
                shown = part["output"] or ""
                if run.returncode or run.stderr or not agree(run.stdout, shown):
                    failures += 1
                    print(part["code"], run.stdout, run.stderr, f"The README shows:\n{shown}", sep="\n")
                for picture in pathlib.Path(own).iterdir():
                    files = picture, ROOT / "docs" / "images" / picture.name
                    sizes = {subprocess.check_output([python, "-c", SIZE, file], text=True) for file in files}
                    if len(sizes) > 1:
                        failures += 1
                        print(f"The README shows another {picture.name} than its code writes: {sizes}")
    print(f"{n_blocks} blocks of the README, {failures} failures")
    return bool(failures or not n_blocks)


if __name__ == "__main__":
    sys.exit(main())
