"""Deploys the template into the emulator as an operator would, by `sam deploy`, and says what came of it."""

import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from emulator import ACCOUNT, CHECKOUT, REGION
from policy import Policy
from template import EMULATORS_POLICY, for_emulator, load

# Each in a folder of its name, as `bootstrap`; another folder of this shape may be named instead.
FUNCTIONS = Path(os.environ.get("HOOKTIDE_TEST_FUNCTIONS") or CHECKOUT / "build/lambda")
DEPLOYS_WITHIN = 300
# How long a run usually takes at the most, in seconds.
LONGEST_RUN = 10
# What the ARNs of a service name in policies.
NAMED_BY_ARN = {
    "dynamodb": "AWS::DynamoDB::Table",
    "events": "AWS::Events::EventBus",
    "logs": "AWS::Logs::LogGroup",
    "s3": "AWS::S3::Bucket",
    "secretsmanager": "AWS::SecretsManager::Secret",
    "sqs": "AWS::SQS::Queue",
}


class Stack:
    """One stack in an emulator."""

    def __init__(self, emulator, folder, template=None, name="hooktide", functions=FUNCTIONS):
        self.emulator, self.name = emulator, name
        self.tree = Path(folder) / "tree"
        self.artifacts = f"{name}-artifacts"
        # The template names `../build/lambda/<function>`: a tree of its own makes that whatever the test was given.
        (self.tree / "infra").mkdir(parents=True)
        # JSON is YAML too.
        (self.tree / "infra/template.yaml").write_text(json.dumps(for_emulator(template or load())))
        if not list(Path(functions).glob("*/bootstrap")):
            raise RuntimeError(f"there are no functions in {functions}, each in a folder of its name as `bootstrap`")
        # Copied, so that it does not change under the test when it is built anew meanwhile.
        shutil.copytree(functions, self.tree / "build/lambda")
        emulator.client("s3").create_bucket(Bucket=self.artifacts)

    def deploy(self):
        """Runs `sam deploy`; what it printed."""
        command = ["sam", "deploy", "--template-file", "template.yaml", "--stack-name", self.name]
        command += ["--s3-bucket", self.artifacts, "--region", REGION, "--capabilities", "CAPABILITY_IAM"]
        command += ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"]
        environment = {**self.emulator.environment(), "SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "1"}
        done = subprocess.run(
            command,
            cwd=self.tree / "infra",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEPLOYS_WITHIN,
        )
        if done.returncode:
            raise RuntimeError(f"sam deploy failed:\n{done.stdout[-4000:]}")
        return done.stdout

    def rest(self):
        """Lets no queue run a function any more, and those that run end: a run that outlives its log group makes it anew."""
        client = self.emulator.client("lambda")
        for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        time.sleep(LONGEST_RUN)

    def delete(self):
        """Deletes the stack and waits until that is done."""
        client = self.emulator.client("cloudformation")
        client.delete_stack(StackName=self.name)
        client.get_waiter("stack_delete_complete").wait(
            StackName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )

    def describe(self):
        """The stack as CloudFormation describes it."""
        return self.emulator.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]

    def outputs(self):
        return {output["OutputKey"]: output["OutputValue"] for output in self.describe().get("Outputs", [])}

    def resources(self):
        """All resources: logical id -> (type, physical id)."""
        pages = self.emulator.client("cloudformation").get_paginator("list_stack_resources")
        return {
            one["LogicalResourceId"]: (one["ResourceType"], one["PhysicalResourceId"])
            for page in pages.paginate(StackName=self.name)
            for one in page["StackResourceSummaries"]
        }

    def of_type(self, wanted):
        """The resources of one type: logical id -> physical id."""
        return {logical: physical for logical, (kind, physical) in self.resources().items() if kind == wanted}

    def functions(self):
        """The functions as Lambda describes them, by logical id."""
        client = self.emulator.client("lambda")
        names = self.of_type("AWS::Lambda::Function")
        return {logical: client.get_function_configuration(FunctionName=name) for logical, name in names.items()}

    def policies(self):
        """What each function's role allows, as it was deployed, by the function's logical id."""
        iam = self.emulator.client("iam")
        policies = {}
        for logical, function in self.functions().items():
            role = function["Role"].rpartition("/")[2]
            names = set(iam.list_role_policies(RoleName=role)["PolicyNames"]) - {EMULATORS_POLICY["PolicyName"]}
            documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
            for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
                managed = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]
                version = {"PolicyArn": managed["Arn"], "VersionId": managed["DefaultVersionId"]}
                documents.append(iam.get_policy_version(**version)["PolicyVersion"]["Document"])
            policies[logical] = Policy([as_document(document) for document in documents])
        return policies

    def roles(self):
        """What the enforcer asks for: access key -> (the function's logical id, its policy)."""
        functions, policies = self.functions(), self.policies()
        keys = {access_key(one["FunctionArn"], one["Role"]): logical for logical, one in functions.items()}
        return {key: (logical, policies[logical]) for key, logical in keys.items()}

    def plain(self, resource):
        """A resource of a policy as the template's reader knows it: `Table/index/due` rather than its ARN."""
        service = resource.split(":")[2] if resource.startswith("arn:") else ""
        found = [resource]
        for logical, name in self.of_type(NAMED_BY_ARN.get(service)).items():
            head, separator, tail = resource.rpartition(name.rpartition("/")[2] if service == "sqs" else name)
            if separator and head[-1:] in ":/" and tail[:1] in ("", "/", ":", "-"):
                # A secret's ARN ends in six characters of its own.
                found.append(logical + ("" if tail.startswith("-") else tail))
        return found[-1]

    def keep_expiring_items(self):
        """Turns the table's expiry on: the emulator ignores it in a template."""
        (table,) = self.of_type("AWS::DynamoDB::Table").values()
        self.emulator.client("dynamodb").update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
        )

    def invoke(self, logical, event):
        """Invokes a function directly; its answer. A function that failed is an error here."""
        name = self.of_type("AWS::Lambda::Function")[logical]
        answer = self.emulator.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        text = answer["Payload"].read()
        if "FunctionError" in answer:
            raise RuntimeError(f"{name} failed: {text.decode(errors='replace')}")
        return json.loads(text)

    def logs(self, logical):
        """All that a function has logged, as text."""
        group = f"/aws/lambda/{self.of_type('AWS::Lambda::Function')[logical]}"
        pages = self.emulator.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        return "\n".join(event["message"] for page in pages for event in page["events"])


def as_document(document):
    """IAM gives policies as objects or as text."""
    return json.loads(document) if isinstance(document, str) else document


def access_key(function, role):
    """The access key of a function's session, as the emulator makes it: this is how a call says whose it is.

    The emulator has no call that would tell. Should another version make it otherwise, then every call comes from a
    stranger, and the enforcer says so.
    """
    return "ASIA" + hashlib.sha256(f"{function}:{role}".encode()).hexdigest()[:16].upper()


def queue_arn(url):
    """The ARN of a queue, from its address."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}"
