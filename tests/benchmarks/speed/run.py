"""All benchmarks, beside the peers that are installed.

    python -m tests.benchmarks.speed.run [--peers sklearn,torch,skorch,jax] [--quick] [--json FILE]
                                           [--only SECTION ...] [--repeats N]

Sections: fit, variants, compilation, limit, prediction, search, growth. A whole run takes about twenty
minutes on two cores and 6 GB of memory, --quick a tenth of that: it shows that everything works, its figures
mean little. The machine should do nothing else. `report.py` makes docs/performance.md of the JSON.
"""

import argparse
import datetime
import json
import time
import warnings

from sklearn.exceptions import ConvergenceWarning

from . import epochs, grid_search, growth, limit, machine, peers, prediction
from .measuring import Options

SECTIONS = {
    "fit": epochs.measure,
    "variants": epochs.measure_variants,
    "compilation": epochs.measure_compilation,
    "limit": limit.measure,
    "prediction": prediction.measure,
    "search": grid_search.measure,
    "growth": growth.measure,
}


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", default=",".join(peers.INSTALL), help="names, separated by commas")
    parser.add_argument("--quick", action="store_true", help="small data and two repeats")
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--only", nargs="*", choices=SECTIONS, default=list(SECTIONS), metavar="SECTION")
    parser.add_argument("--repeats", type=int, help="5 by default, 2 with --quick")
    options = parser.parse_args(arguments)
    options.peers = tuple(filter(None, options.peers.split(",")))
    if unknown := set(options.peers) - set(peers.INSTALL):
        parser.error(f"unknown peers {sorted(unknown)}; known are {list(peers.INSTALL)}")
    if options.repeats is None:
        options.repeats = 2 if options.quick else 5
    return options


def installed(asked):
    """The peers asked for that are there; says how to install the others."""
    absent = peers.missing(asked)
    for peer, line in absent.items():
        print(f"{peer} is not installed and left out. To compare with it: {line}")
    return tuple(peer for peer in asked if peer not in absent)


def main():
    """Run the sections one by one."""
    arguments = parse_arguments()
    warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is given
    options = Options(installed(arguments.peers), arguments.repeats, arguments.quick)
    figures = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine.describe(),
        "peers": options.peers,
        "repeats": options.repeats,
        "quick": options.quick,
    }
    print(machine.sentence(figures["machine"]))
    for name in arguments.only:
        print(f"\n=== {name}", flush=True)
        start = time.perf_counter()
        figures[name] = SECTIONS[name](options)
        print(f"({time.perf_counter() - start:.0f} s)", flush=True)
        if arguments.json:  # after each section, so that a run that is cut short leaves what it has
            with open(arguments.json, "w", encoding="utf-8") as file:
                json.dump(figures, file, indent=1)


if __name__ == "__main__":
    main()
