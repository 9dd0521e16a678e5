"""What the figures were measured on."""

import importlib.metadata
import os
import pathlib
import platform

# sklearn loads OpenBLAS through NumPy and SciPy, so that threadpool_info sees it
import sklearn  # noqa: F401
from threadpoolctl import threadpool_info

LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "skorch", "jax")


def cpu_model():
    """The name of the processor, where the system tells."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def versions():
    """Those of the libraries that are installed."""
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def blas():
    """The BLAS libraries in this process, each with its threads."""
    return [
        {key: info.get(key) for key in ("internal_api", "version", "architecture", "num_threads")}
        for info in threadpool_info()
        if info["user_api"] == "blas"
    ]


def describe():
    """All of it."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions(),
        "blas": blas(),
    }


def sentence(machine):
    """The description as a line of text."""
    libraries = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    pools = dict.fromkeys(
        f"{info['internal_api']} {info['version']} ({info['architecture']}, {info['num_threads']} threads)"
        for info in machine["blas"]
    )
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}; Python {machine['python']}, "
        f"{libraries}; BLAS {', '.join(pools)}"
    )
