"""Open the playground: ``python -m sknn_scratch.playground``."""

from __future__ import annotations

import argparse
import sys
import webbrowser


def main(arguments: list[str] | None = None) -> None:
    """Serve until Ctrl-C.

    Parameters
    ----------
    arguments : list of str or None, default=None
        Those of the command line; None takes them from there.
    """
    parser = argparse.ArgumentParser("python -m sknn_scratch.playground", description="See a network learn.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at; others can reach it then")
    parser.add_argument("--port", type=int, default=5006, help="0 takes a free one")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    options = parser.parse_args(arguments)
    try:
        from sknn_scratch.playground.page.server import LOOPBACK, serve
    except ImportError as error:
        sys.exit(f'{error}. Install the playground with: python -m pip install ".[playground]"')
    if options.host not in LOOPBACK:
        print(f"Warning: everybody who can reach {options.host} can use this page, without a password.")
    try:
        server, port = serve(options.host, options.port)
    except OSError as error:
        sys.exit(f"Port {options.port} cannot be used: {error}. Choose another: --port 0 takes a free one.")
    url = f"http://{options.host}:{port}/"
    print(f"The playground is at {url} (Ctrl-C ends it)", flush=True)
    if not options.no_browser:
        webbrowser.open(url)
    try:
        server.io_loop.start()
    except KeyboardInterrupt:
        print("\nThe playground has ended.")


if __name__ == "__main__":
    main()
