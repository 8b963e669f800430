"""The simulators of providers' APIs, as `hooktide simulate-provider` serves them, and the template that leads to them."""

import http.client
import json
import os
from contextlib import ExitStack
from pathlib import Path

import processes
from emulator import CHECKOUT
from providers import logical

# The command line, as `scripts/stages functions` leaves it.
HOOKTIDE = Path(os.environ.get("HOOKTIDE_TEST_COMMAND") or CHECKOUT / "build/command/hooktide")
# Those whose connections say themselves where they are, and by which setting; the addresses of the others are the operator's.
WITH_SITES = {"caldav": "url", "woocommerce": "site"}
# Those that have consent at an address of its own.
WITH_CONSENT = {"google-calendar", "microsoft-graph", "shopify", "square"}
SIMULATED = ("caldav", "google-calendar", "microsoft-graph", "shopify", "square", "woocommerce")
READY_WITHIN = 30


class Simulator:
    """A provider's simulator that listens on this machine, as a context manager."""

    def __init__(self, provider, folder):
        self.provider = provider
        self.port = processes.free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self.log = Path(folder) / f"{provider}.log"

    def __enter__(self):
        command = [HOOKTIDE, "simulate-provider", self.provider, "--listen", self.host]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.log.parent), "LANG": "C.UTF-8"}
        with self.log.open("ab") as log:
            self.process = processes.start(command, environment, self.log.parent, log)
        processes.wait_until_ready(self.process, lambda: processes.listens(self.port), READY_WITHIN)
        return self

    def __exit__(self, *_):
        processes.end(self.process)

    def edit(self, what, **fields):
        """Makes something new at the provider, as its own people would; its id."""
        return self.control("POST", "edit", {"what": what, "fields": fields})["id"]

    def delete(self, what, of):
        """Deletes what has this id, as they would."""
        self.control("POST", "edit", {"what": what, "id": of})

    def state(self):
        """What the account has, and what was sent."""
        return self.control("GET", "state")

    def control(self, method, name, value=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            body = None if value is None else json.dumps(value)
            connection.request(method, f"/_control/{name}", body, {"content-type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise AssertionError(f"the control {name} of {self.provider} answered {answer.status} {text[:400]!r}")
        return json.loads(text)


class Simulators:
    """All simulators, as a context manager; by provider."""

    def __init__(self, folder):
        self.by_provider = {provider: Simulator(provider, folder) for provider in SIMULATED}

    def __enter__(self):
        with ExitStack() as started:
            for simulator in self.by_provider.values():
                started.enter_context(simulator)
            self.ending = started.pop_all()
        return self

    def __exit__(self, *raised):
        return self.ending.__exit__(*raised)

    def __getitem__(self, provider):
        return self.by_provider[provider]

    def settings(self, provider):
        """What a connection says of where its provider is."""
        return {WITH_SITES[provider]: self[provider].url} if provider in WITH_SITES else {}

    def lead(self, template, public_url):
        """The template whose functions call the simulators, and are called at `public_url`.

        They are on this machine, which no deployment calls; so the functions of this one are allowed to.
        """
        variables = template["Globals"]["Function"]["Environment"]["Variables"]
        variables["HOOKTIDE_PUBLIC_URL"] = public_url
        variables["HOOKTIDE_PRIVATE_HOSTS"] = ",".join(self[provider].host for provider in sorted(WITH_SITES))
        for provider in set(SIMULATED) - set(WITH_SITES):
            template["Parameters"][f"{logical(provider)}Api"]["Default"] = self[provider].url
            if provider in WITH_CONSENT:
                template["Parameters"][f"{logical(provider)}Oauth"]["Default"] = self[provider].url
        # What is polled is polled as often as the schedule runs.
        template["Parameters"]["PollFloorSeconds"]["Default"] = 30
        return template
