"""Servers of this process, as context managers."""

import threading


class Serving:
    """Serves `self.server`, a server of the standard library, in a thread as long as the context lasts."""

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"
