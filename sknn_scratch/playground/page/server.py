"""The server: a session for each tab, on this machine only unless it is asked otherwise."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from bokeh.application import Application
from bokeh.application.handlers import FunctionHandler
from bokeh.document import Document
from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from bokeh.server.util import bind_sockets
from jinja2 import Template
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

from sknn_scratch.playground.page.view import View
from sknn_scratch.playground.points import Points
from sknn_scratch.playground.session import Session
from sknn_scratch.playground.settings import OWN, Settings

TEMPLATE = Path(__file__).with_name("template.html")
MAX_MESSAGE = 64 * 2**20
"""Bytes, far above the files that are read: one that is too large still meets a sentence, not silence."""

LOOPBACK, EVERYWHERE = ("127.0.0.1", "localhost"), ("0.0.0.0", "::")


def opened(document: Document, points: Points | None, seen: Callable[[View], None] | None = None) -> None:
    """Make the page of a tab, with the settings of its address."""
    document.title = "Playground: see a network learn"
    document.template = Template(TEMPLATE.read_text("utf-8"))
    arguments = document.session_context.request.arguments if document.session_context else {}
    query = {name: values[0].decode() for name, values in arguments.items()}
    refused = ""
    try:
        settings = Settings.from_query(query)
        if points is not None and "dataset" not in query:
            settings = settings.changed(dataset=OWN)
        session = Session(settings, points)
    except ValueError as error:
        session, refused = Session(), str(error)
    view = View(session)
    view.say(refused)
    view.attach(document)
    if seen is not None:
        seen(view)


def origins(host: str, port: int) -> list[str]:
    """The addresses whose pages may talk to the server: its own, so that no other site reaches it.

    A server that listens everywhere may be reached by names that are not known here.
    """
    names = LOOPBACK if host in LOOPBACK else ("*",) if host in EVERYWHERE else (host,)
    return [f"{name}:{port}" for name in names]


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    points: Points | None = None,
    seen: Callable[[View], None] | None = None,
) -> tuple[BaseServer, int]:
    """A server that listens; its `io_loop` must be started.

    Parameters
    ----------
    host, port : str, int
        Where it listens; port 0 takes a free one.
    points : Points or None, default=None
        Points of one's own to begin with.
    seen : callable or None, default=None
        Called with the view of each tab that is opened.

    Returns
    -------
    server : bokeh.server.server.BaseServer
        The server.
    port : int
        Where it listens.
    """
    sockets, port = bind_sockets(host, port)
    page = BokehTornado(
        {"/": Application(FunctionHandler(lambda document: opened(document, points, seen)))},
        extra_websocket_origins=origins(host, port),
        websocket_max_message_size_bytes=MAX_MESSAGE,
    )
    http = HTTPServer(page)
    http.add_sockets(sockets)
    server = BaseServer(IOLoop.current(), page, http)
    server.start()
    return server, port


class Background:
    """A server in a thread of its own, for notebooks and tests.

    Attributes
    ----------
    url : str
        Where the page is.
    """

    def __init__(self, points: Points | None = None, seen: Callable[[View], None] | None = None) -> None:
        is_up = threading.Event()

        def run() -> None:
            import asyncio

            asyncio.set_event_loop(asyncio.new_event_loop())
            self._server, self._port = serve(points=points, seen=seen)
            self.loop = self._server.io_loop
            is_up.set()
            self.loop.start()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        is_up.wait(30)
        self.url = f"http://127.0.0.1:{self._port}/"

    def stop(self) -> None:
        """End the server."""
        self.loop.add_callback(self._server.stop)
        self.loop.add_callback(self.loop.stop)
        self._thread.join(10)

    def _repr_html_(self) -> str:
        return f'<iframe src="{self.url}" width="100%" height="860" title="playground"></iframe>'

    def __repr__(self) -> str:
        return f"Playground at {self.url}"
