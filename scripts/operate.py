"""What an operator does to a deployed stack, with rights of their own in the AWS account.

    .venv/bin/python scripts/operate.py deploy ENV ARCH           deploys build/lambda by infra/samconfig.toml
    .venv/bin/python scripts/operate.py token STACK TENANT        makes an admin token of a tenant, and prints it
    .venv/bin/python scripts/operate.py rotate-root-key STACK     adds a root key; what the older ones sealed stays readable
"""

import json
import os
import secrets
import subprocess
import sys
import tomllib
from pathlib import Path

import boto3

CHECKOUT = Path(__file__).resolve().parents[1]


def deploy(environment, architecture):
    """Runs `sam deploy`. A parameter on the command line would replace all of the file's, so it is added to those."""
    configured = tomllib.loads((CHECKOUT / "infra/samconfig.toml").read_text())
    if environment not in configured:
        names = ", ".join(sorted(name for name in configured if name != "version"))
        raise SystemExit(f"infra/samconfig.toml has no environment {environment}; it has {names}.")
    overrides = configured[environment]["deploy"]["parameters"].get("parameter_overrides", [])
    command = [CHECKOUT / ".venv/bin/sam", "deploy", "--template-file", "template.yaml", "--config-env", environment]
    command += ["--parameter-overrides", *overrides, f"Architecture={architecture}"]
    return subprocess.run(command, cwd=CHECKOUT / "infra", env={**os.environ, "SAM_CLI_TELEMETRY": "0"}).returncode


def token(stack, tenant="default"):
    """Asks the api function directly, which only who may invoke it can."""
    print(issue(stack, {"tenant": tenant, "scopes": ["admin"]}))


def issue(stack, wanted):
    command = json.dumps({"hooktide": "create-token", **wanted})
    answer = boto3.client("lambda").invoke(FunctionName=output(stack, "ApiFunction"), Payload=command)
    told = json.load(answer["Payload"])
    if "FunctionError" in answer:
        raise SystemExit(f"The function refused: {told.get('errorMessage', told)}")
    return told["token"]


def rotate_root_key(stack):
    """Puts a new version of the secret, with one more key in it. The functions notice within five minutes."""
    client, secret = boto3.client("secretsmanager"), output(stack, "RootKeysArn")
    keys = json.loads(client.get_secret_value(SecretId=secret)["SecretString"])
    keys["rotated"].append(secrets.token_urlsafe(32))
    client.put_secret_value(SecretId=secret, SecretString=json.dumps(keys))
    print(f"There are {1 + len(keys['rotated'])} root keys now; the newest seals, all open. Never remove one.")


def output(stack, name):
    described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}
    if name not in outputs:
        raise SystemExit(f"The stack {stack} has no output {name}; it has {', '.join(sorted(outputs)) or 'none'}.")
    return outputs[name]


COMMANDS = {"deploy": deploy, "token": token, "rotate-root-key": rotate_root_key}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        raise SystemExit(__doc__)
    sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
