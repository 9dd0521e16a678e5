"""The page in the browser, by Bokeh: what is drawn, what can be set, and the server."""
