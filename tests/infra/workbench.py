"""The functions on a workbench: built from source, served by `cargo lambda watch`, on an emulator that has what they need.

Of the template, only what needs no function is made. The table and the secret then get what `events/world.json` says:
the sample events are signed with secrets that are sealed with these root keys.
"""

import json
import os
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

import processes
from emulator import CHECKOUT, REGION, Emulator
from samples import WORLD, fresh
from template import for_emulator, load, of_type

STACK = "hooktide"
FUNCTIONS = sorted(main.parent.name for main in (CHECKOUT / "functions").glob("*/main.rs"))
# Where they are built already, each in a folder of its name as `bootstrap`, if somebody says so.
BUILT = os.environ.get("HOOKTIDE_TEST_FUNCTIONS")
NEEDS_NO_FUNCTION = {
    "AWS::ApiGatewayV2::Api",
    "AWS::DynamoDB::Table",
    "AWS::Events::EventBus",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::Queue",
}
PROFILE = "demo"
READY_WITHIN = 60
# In seconds. A function that cannot start never answers, and cargo-lambda does not say so.
ANSWERS_WITHIN = 60
# What Lambda says to a function of itself.
OF_FUNCTION = {"AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}
# cargo-lambda would add a missing compilation target by itself; a tool does not change the machine's toolchain here.
NO_RUSTUP = {"RUSTUP_DIST_SERVER": "http://127.0.0.1:9", "RUSTUP_UPDATE_ROOT": "http://127.0.0.1:9"}


class Workbench:
    """Some functions, or all of them, as a context manager. What compiler and functions say goes to `output`."""

    def __init__(self, output, functions=FUNCTIONS):
        self.output, self.functions = output, functions
        self.port = processes.free_port()

    def __enter__(self):
        with ExitStack() as started:
            folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="hooktide-workbench-")))
            self.emulator = started.enter_context(Emulator(folder))
            self.environment = {**own_environment(), **self.emulator.aws(), "AWS_REGION": REGION, **NO_RUSTUP}
            self.environment |= furnish(self.emulator)
            self.event = folder / "event.json"
            programs = self.built()
            # It would build and start them itself, but only with the profile and the features that Cargo chooses for it.
            command = ["cargo", "lambda", "watch", "--only-lambda-apis", "--invoke-address", "127.0.0.1"]
            command += ["--invoke-port", str(self.port), "--timeout", str(ANSWERS_WITHIN)]
            watch = processes.start(command, self.environment, CHECKOUT / "functions", self.output)
            started.callback(processes.end, watch)
            processes.wait_until_ready(watch, lambda: processes.listens(self.port), READY_WITHIN)
            for function, program in programs.items():
                started.callback(processes.end, self.start(function, program))
            self.ending = started.pop_all()
        return self

    def __exit__(self, *raised):
        return self.ending.__exit__(*raised)

    def built(self):
        """The programs by their functions, built now unless they are built already. Dependencies are not optimised, as for
        `make run`, so that nobody waits for that."""
        if BUILT:
            return {function: CHECKOUT / BUILT / function / "bootstrap" for function in self.functions}
        wanted = [word for function in self.functions for word in ("--bin", function)]
        subprocess.run(
            ["cargo", "build", "--profile", PROFILE, "--manifest-path", "Cargo.toml", *wanted],
            env=self.environment,
            cwd=CHECKOUT / "functions",
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
            check=True,
        )
        target = CHECKOUT / os.environ.get("CARGO_TARGET_DIR", "target")
        return {function: target / PROFILE / function for function in self.functions}

    def start(self, function, program):
        """Starts a function, which asks for its events as it does on Lambda."""
        of_it = {
            **OF_FUNCTION,
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{self.port}/.rt/{function}",
        }
        return processes.start([program], {**self.environment, **of_it}, CHECKOUT / "functions", self.output)

    def invoke(self, function, event):
        """Invokes a function with an event from a file; what `cargo lambda invoke` printed, and whether it failed.

        What signs its time is signed anew."""
        self.event.write_text(json.dumps(fresh(event)))
        command = ["cargo", "lambda", "invoke", function, "--data-file", str(self.event), "--invoke-address", "127.0.0.1"]
        command += ["--invoke-port", str(self.port)]
        return subprocess.run(
            command,
            env=self.environment,
            cwd=CHECKOUT / "functions",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * ANSWERS_WITHIN,
        )


def own_environment():
    """The caller's environment, with our tools on the path and without what would lead to another AWS or stack."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HOOKTIDE_"))}
    return {**kept, "PATH": f"{CHECKOUT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"}


def furnish(emulator):
    """Makes what the functions need; the variables that tell them of it."""
    template = for_emulator(load())
    variables = dict(template["Globals"]["Function"]["Environment"]["Variables"])
    for function in of_type(template, "AWS::Serverless::Function").values():
        variables |= function["Properties"].get("Environment", {}).get("Variables", {})
    names = {f"Variable{number}": name for number, name in enumerate(variables)}
    reduced = {
        "Parameters": template["Parameters"],
        "Conditions": template["Conditions"],
        "Resources": {n: one for n, one in template["Resources"].items() if one["Type"] in NEEDS_NO_FUNCTION},
        # CloudFormation resolves the variables as it does when it gives them to the functions.
        "Outputs": {output: {"Value": variables[name]} for output, name in names.items()},
    }
    client = emulator.client("cloudformation")
    client.create_stack(StackName=STACK, TemplateBody=json.dumps(reduced))
    client.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    outputs = client.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    resolved = {names[one["OutputKey"]]: one["OutputValue"] for one in outputs}
    world = json.loads(WORLD.read_text())
    place(emulator, world, resolved)
    # Some providers sign the address.
    return {**resolved, "HOOKTIDE_PUBLIC_URL": world["public_url"]}


def place(emulator, world, variables):
    """Puts the sample world into the secret and the table: `{"root_keys": {...}, "items": [...]}`, items as
    DynamoDB's JSON has them."""
    emulator.client("secretsmanager").put_secret_value(
        SecretId=variables["HOOKTIDE_ROOT_KEYS"], SecretString=json.dumps(world["root_keys"])
    )
    for item in world["items"]:
        emulator.client("dynamodb").put_item(TableName=variables["HOOKTIDE_TABLE"], Item=item)
