"""The classes of docs/extending.md, and the code that the page says to add for them."""

import ast
import pathlib
import re
import sys
import types

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "extending.md"


def blocks(language):
    """The blocks of code of the page in one language, one after the other."""
    return "\n\n".join(re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S))


def statements(kind):
    """The statements of the page of one kind, outside of functions."""
    return [part for part in ast.parse(blocks("python")).body if isinstance(part, kind)]


def imports(of_core_only=False):
    """The imports of the page; inside the core only those from its files, NumPy and the standard library."""
    lines = map(ast.unparse, statements(ast.Import | ast.ImportFrom))
    foreign = "from sklearn", "from sknn_scratch import", "from sknn_scratch.core import"
    return "\n".join(line for line in lines if not (of_core_only and line.startswith(foreign)))


CLASSES = {part.name: ast.unparse(part) for part in statements(ast.ClassDef)}

# in a module that pickle finds
_module = types.ModuleType("classes_of_the_page")
sys.modules[_module.__name__] = _module
exec("\n\n".join([imports(), *CLASSES.values()]), vars(_module))
LogCosh, HardTanh, Lion, Polynomial, LecunUniform = (getattr(_module, name) for name in CLASSES)
