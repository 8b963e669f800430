"""Calls the deployed HTTP API as clients on the internet do, and remembers what it answered."""

import http.client
import json
import urllib.parse


class Answer:
    """What came back."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.headers.get('content-type')} {self.body[:400]!r}"


class HttpApi:
    """One API behind the emulator. The API is named by the host, as on AWS; the address is the emulator's."""

    def __init__(self, emulator, api_id):
        self.port = emulator.port
        self.host = f"{api_id}.execute-api.localhost:{emulator.port}"
        self.token = None
        self.answers = []
        self.followed = {}

    def call(self, method, target, body=b"", headers=None):
        """One request, whatever is answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, target, body, {**(headers or {}), "host": self.host})
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            self.answers.append(Answer(answer.status, names, answer.read()))
        finally:
            connection.close()
        return self.answers[-1]

    def ask(self, method, target, value=None):
        """One request with the token, whatever is answered."""
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        return self.call(method, target, b"" if value is None else json.dumps(value).encode(), headers)

    def done(self, method, target, value=None):
        """One request with the token that must succeed; what was answered, if anything."""
        answer = self.ask(method, target, value)
        if not 200 <= answer.status < 300:
            raise AssertionError(f"{method} {target} was answered {answer}")
        return answer.json() if answer.body else None

    def items(self, path):
        """All items of a list, page by page."""
        items, after = [], None
        while True:
            page = self.done("GET", f"{path}?after={urllib.parse.quote(after)}" if after else path)
            items += page["items"]
            after = page["next"]
            if after is None:
                return items

    def follow(self, path):
        """All of a feed until now; only what is new is asked for, as any follower of it does."""
        items, after = self.followed.get(path, ([], None))
        more = True
        while more:
            page = self.done("GET", f"{path}?after={urllib.parse.quote(after)}" if after else path)
            items, after, more = items + page["items"], page["next"], page["more"]
            self.followed[path] = (items, after)
        return items
