"""What an operator does to a deployed stack, with rights of their own in the AWS account.

    .venv/bin/python scripts/operate.py deploy ENV ARCH [no]      deploys build/lambda by infra/samconfig.toml; with `no`
                                                                  nothing is reserved
    .venv/bin/python scripts/operate.py token STACK TENANT        makes an admin token of a tenant, and prints it
    .venv/bin/python scripts/operate.py rotate-root-key STACK     adds a root key; what the older ones sealed stays readable
"""

import json
import os
import re
import secrets
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

import boto3
import concurrency

CHECKOUT = Path(__file__).resolve().parents[1]


def deploy(environment, architecture, reserve="yes"):
    """Runs `sam deploy`. A parameter on the command line would replace all of the file's, so it is added to those."""
    configured = tomllib.loads((CHECKOUT / "infra/samconfig.toml").read_text())
    if environment not in configured:
        names = ", ".join(sorted(name for name in configured if name != "version"))
        raise SystemExit(f"infra/samconfig.toml has no environment {environment}; it has {names}.")
    overrides = configured[environment]["deploy"]["parameters"].get("parameter_overrides", [])
    if reserve == "no":
        overrides = [one for one in overrides if not one.partition("=")[0].endswith("ReservedConcurrency")]
    ask_for_concurrency(configured[environment]["global"]["parameters"]["stack_name"], overrides)
    command = [CHECKOUT / ".venv/bin/sam", "deploy", "--template-file", "template.yaml", "--config-env", environment]
    command += ["--parameter-overrides", *overrides, f"Architecture={architecture}"]
    return subprocess.run(command, cwd=CHECKOUT / "infra", env={**os.environ, "SAM_CLI_TELEMETRY": "0"}).returncode


def ask_for_concurrency(stack, overrides):
    """Ends with advice, if the account cannot reserve what a deployment would."""
    reserved = concurrency.wanted(dict(one.split("=", 1) for one in overrides), receivers())
    if not reserved:
        return
    functions, quotas = boto3.client("lambda"), boto3.client("service-quotas")
    why_not = concurrency.objection(functions, quotas, stack, reserved, functions.meta.region_name)
    if why_not:
        raise SystemExit(why_not)


def receivers():
    """The parameter that leaves each receiver out, by the name of its function after the stack's."""
    found = re.findall(r"^  # >>> receiver: (\S+)$", (CHECKOUT / "infra/template.yaml").read_text(), re.MULTILINE)
    return {f"receiver-{id}": "Receive" + "".join(part.capitalize() for part in id.split("-")) for id in found}


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
    keys = add_root_key(boto3.client("secretsmanager"), output(stack, "RootKeysArn"))
    print(f"There are {1 + len(keys['rotated'])} root keys now; the newest seals, all open. Never remove one.")


def add_root_key(client, secret, tries=5):
    """The keys with one more. The new version becomes current only in the place of the one that it was made from, so of
    two that rotate at once, one starts anew and neither loses the other's key."""
    for _ in range(tries):
        read = client.get_secret_value(SecretId=secret)
        keys = json.loads(read["SecretString"])
        keys["rotated"].append(secrets.token_urlsafe(32))
        # Under a label of its own it is kept, and nobody reads it yet.
        label = f"rotation-{secrets.token_hex(8)}"
        put = client.put_secret_value(
            SecretId=secret,
            ClientRequestToken=str(uuid.uuid4()),
            SecretString=json.dumps(keys),
            VersionStages=[label],
        )
        move = {"MoveToVersionId": put["VersionId"], "RemoveFromVersionId": read["VersionId"]}
        try:
            client.update_secret_version_stage(SecretId=secret, VersionStage="AWSCURRENT", **move)
        except (client.exceptions.InvalidParameterException, client.exceptions.InvalidRequestException) as error:
            print(f"The secret was changed meanwhile; trying again ({error}).")
            continue
        finally:
            client.update_secret_version_stage(
                SecretId=secret, VersionStage=label, RemoveFromVersionId=put["VersionId"]
            )
        return keys
    raise SystemExit(f"The root keys were changed {tries} times while one was added; nothing was added. Try again later.")


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
