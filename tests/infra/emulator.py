"""Starts MiniStack, an emulator of AWS, for one test, and ends it with everything that it started.

It listens on a free port of the loopback interface. Its environment is made here and not inherited: functions get all
of it, and a test must not depend on, or leak to them, what the caller happens to have set.
"""

import http.client
from pathlib import Path

import boto3
from botocore.config import Config

import processes

ACCOUNT = "000000000000"
REGION = "us-east-1"
CHECKOUT = Path(__file__).resolve().parents[2]
READY_WITHIN = 30
BY_TLS = ("x-forwarded-proto", "https")


class Emulator:
    """A running MiniStack, as a context manager. Its log and its temporary files are in `folder`."""

    def __init__(self, folder, functions_call=None):
        self.folder = Path(folder)
        self.log = self.folder / "emulator.log"
        self.port = processes.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # Where the functions find AWS: a proxy that checks what they do, or the emulator itself.
        self.functions_call = functions_call or self.url
        self.process = None

    def __enter__(self):
        scratch = self.folder / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        environment = {
            **self.environment(),
            "TMPDIR": str(scratch),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "AUTH": "true",  # roles are enforced, and each function has a session of its own
            # The emulator hands this to its functions in place of whatever they have been given.
            "AWS_ENDPOINT_URL": self.functions_call,
        }
        with self.log.open("ab") as log:
            self.process = processes.start([CHECKOUT / ".venv/bin/ministack"], environment, scratch, log)
        try:
            processes.wait_until_ready(self.process, self.is_ready, READY_WITHIN)
        except BaseException as error:
            processes.end(self.process)
            error.add_note(self.log.read_text(errors="replace")[-4000:])
            raise
        return self

    def __exit__(self, *_):
        processes.end(self.process)

    def is_ready(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/_ministack/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def environment(self):
        """What a program that talks to the emulator needs, and nothing else."""
        return {
            "PATH": f"{CHECKOUT / '.venv/bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            **self.aws(),
        }

    def aws(self):
        """What an AWS client has to be told to talk to the emulator."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def client(self, service):
        """A client of one of the emulated services, independent of the caller's AWS settings."""
        client = boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 1}, proxies={}, read_timeout=120, s3={"addressing_style": "path"}),
        )
        # Queues and bucket take nothing but TLS, which a call to AWS has and this one only says.
        client.meta.events.register("before-sign", lambda request, **_: request.headers.add_header(*BY_TLS))
        return client
