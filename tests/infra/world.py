"""The deployed stack with everything around it: the emulator, the enforcer, a tenant's token, a listener on the bus."""

import base64
import hashlib
import json
import re
import tempfile
import time
from contextlib import ExitStack

from door import Door
from emulator import ACCOUNT, REGION, Emulator
from enforcer import Enforcer
from http_api import HttpApi
from samples import sample_of
from shop import Shop
from simulated import SIMULATED, Simulators
from stack import Stack, queue_arn
from template import load

TENANT = "acme"
# A message may take a cold start of two functions; what takes longer is stuck.
WITHIN = 45


class World:
    """As a context manager. What it starts it ends, whatever happened meanwhile."""

    def __enter__(self):
        with ExitStack() as started:
            self.folder = started.enter_context(tempfile.TemporaryDirectory(prefix="hooktide-emulated-"))
            self.enforcer = started.enter_context(Enforcer(ACCOUNT))
            self.emulator = started.enter_context(Emulator(self.folder, self.enforcer.url))
            self.enforcer.pass_on_to(self.emulator.port)
            self.simulators = started.enter_context(Simulators(self.folder))
            self.door = started.enter_context(Door())
            self.stack = Stack(self.emulator, self.folder, self.simulators.lead(load(), self.door.url))
            self.before = inventory(self.emulator)
            self.stack.deploy()
            self.stack.keep_expiring_items()
            self.enforcer.enforce(self.stack.roles())
            self.settings = self.stack.functions()["Processor"]["Environment"]["Variables"]
            self.http = self.as_tenant(TENANT)
            self.door.lead_to(self.emulator.port, self.http.host)
            self.operator = self.as_tenant(TENANT, operator=True)
            self.bus = Listener(self.emulator, self.settings["HOOKTIDE_BUS"])
            self.ending = started.pop_all()
        return self

    def __exit__(self, *raised):
        return self.ending.__exit__(*raised)

    def as_tenant(self, tenant, operator=False):
        """The API with an admin token of this tenant, got as `make token` gets it."""
        (api_id,) = self.stack.of_type("AWS::ApiGatewayV2::Api").values()
        http = HttpApi(self.emulator, api_id)
        command = {"hooktide": "create-token", "tenant": tenant, "scopes": ["admin"], "operator": operator}
        http.token = self.stack.invoke("Api", command)["token"]
        return http

    def connected(self, provider):
        """A connection with the account and the secrets of the provider's samples."""
        sample = sample_of(provider)
        new = {"provider": provider, "account": sample["account"], "secrets": sample["secrets"]}
        return self.http.done("POST", "/v1/connections", new)

    def signed(self, provider, topic, connection):
        """Headers and body of a sample that the API signs, which it does for an operator."""
        path = f"/test/events/{provider}/{topic}"
        told = self.operator.done("POST", path, {"connection": connection["id"]})
        return told["headers"], base64.b64decode(told["body_base64"])

    def shop(self, name, secret, of="connections"):
        """A connected shop; or an endpoint for all shops of an app."""
        new = {"provider": "shopify", "name": name, "secrets": {"client_secret": secret}}
        return Shop(self.http, self.http.done("POST", f"/v1/{of}", new), secret)

    def queue(self, name):
        """The address of a queue: `notices`, `priority` or `dead`."""
        return self.settings[f"HOOKTIDE_{name.upper()}_QUEUE"]

    def send(self, queue, *messages):
        """Puts messages on a queue at once, past the receiver."""
        texts = [message if isinstance(message, str) else json.dumps(message) for message in messages]
        entries = [{"Id": str(number), "MessageBody": text} for number, text in enumerate(texts)]
        sent = self.emulator.client("sqs").send_message_batch(QueueUrl=self.queue(queue), Entries=entries)
        assert not sent.get("Failed"), sent

    def waiting(self, queue):
        """How many messages of a queue are not to be received yet."""
        name = "ApproximateNumberOfMessagesDelayed"
        told = self.emulator.client("sqs").get_queue_attributes(QueueUrl=self.queue(queue), AttributeNames=[name])
        return int(told["Attributes"][name])

    def defer(self, queue, envelope):
        """Puts a message into the table that is due, as the processor does with one that waits for long."""
        message = json.dumps(envelope)
        digest = hashlib.sha256(message.encode())
        texts = {
            "pk": f"T#{TENANT}#W",
            "sk": digest.hexdigest(),
            "tenant": TENANT,
            "queue": queue,
            "message": message,
            "group": envelope["endpoint"],
            "due_pk": f"D#deferred#{digest.digest()[0] % 16:02}",
        }
        numbers = {"v": 1, "rev": 1, "due_at": int(time.time() * 1000)}
        item = {**{k: {"S": v} for k, v in texts.items()}, **{k: {"N": str(v)} for k, v in numbers.items()}}
        self.emulator.client("dynamodb").put_item(TableName=self.settings["HOOKTIDE_TABLE"], Item=item)

    def batch(self, queue, envelopes):
        """The event of a batch, as Lambda hands it to the processor."""
        records = []
        for number, envelope in enumerate(envelopes):
            body = json.dumps(envelope)
            records.append(
                {
                    "messageId": f"00000000-0000-0000-0000-{number:012}",
                    "receiptHandle": f"handle-{number}",
                    "body": body,
                    "attributes": {
                        "ApproximateReceiveCount": "1",
                        "SentTimestamp": str(int(time.time() * 1000)),
                        "SenderId": ACCOUNT,
                        "ApproximateFirstReceiveTimestamp": str(int(time.time() * 1000)),
                    },
                    "messageAttributes": {},
                    "md5OfBody": hashlib.md5(body.encode()).hexdigest(),
                    "eventSource": "aws:sqs",
                    "eventSourceARN": queue_arn(self.queue(queue)),
                    "awsRegion": REGION,
                }
            )
        return {"Records": records}

    def records(self, area, prefix):
        """The tenant's records of one area whose keys begin so, as DynamoDB has them."""
        pages = self.emulator.client("dynamodb").get_paginator("query").paginate(
            TableName=self.settings["HOOKTIDE_TABLE"],
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": f"T#{TENANT}#{area}"}, ":prefix": {"S": prefix}},
        )
        return [item for page in pages for item in page["Items"]]

    def changes(self, entity):
        """What the feed says of a thing."""
        return [change for change in self.http.follow("/v1/changes") if change["entity"] == entity]

    def change(self, entity, within=WITHIN):
        """The first change of a thing; it is waited for."""
        return self.until(lambda: self.changes(entity), f"change of {entity}", within)[0]

    def activity(self, **wanted):
        """What the activity says, where it has these fields."""
        entries = self.http.follow("/v1/activity")
        return [entry for entry in entries if all(entry[name] == value for name, value in wanted.items())]

    def dead_letters(self, **wanted):
        """The dead letters that have these fields."""
        letters = self.http.items("/v1/dead-letters")
        return [letter for letter in letters if all(letter[name] == value for name, value in wanted.items())]

    def until(self, check, what, within=WITHIN):
        """Asks until there is something, or too much time has passed."""
        deadline = time.monotonic() + within
        while not (found := check()):
            if time.monotonic() > deadline:
                raise AssertionError(f"there was no {what} within {within} s{self.trouble()}")
            time.sleep(0.1)
        return found

    def trouble(self):
        """What may explain it: calls that were refused, what the functions complained of last, how notifications fared, and the
        last of the activity."""
        logs = (self.stack.logs(name).split("\n") for name in self.stack.functions())
        complaints = sorted(line for log in logs for line in log if re.search(r'"level":"(WARN|ERROR)"|panicked', line))
        sent = [f"{provider} {self.simulators[provider].state()['notifications']}" for provider in SIMULATED]
        activity = [json.dumps(entry) for entry in self.activity()[-20:]]
        said = (*self.enforcer.refused(), *complaints[-10:], *sent, *activity)
        return "".join(f"\n  {line[:600]}" for line in said)

    def objects(self, prefix):
        """The names of the objects in the bucket."""
        bucket = self.settings["HOOKTIDE_BUCKET"]
        listing = self.emulator.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [found["Key"] for found in listing.get("Contents", [])]

    def put_object(self, key, body):
        """Puts an object into the bucket."""
        self.emulator.client("s3").put_object(Bucket=self.settings["HOOKTIDE_BUCKET"], Key=key, Body=body)

    def secrets(self):
        """What nobody may be told: the root key, and the secret halves of tokens."""
        secret = self.stack.functions()["Api"]["Environment"]["Variables"]["HOOKTIDE_ROOT_KEYS"]
        value = self.emulator.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
        return {"the root key": json.loads(value)["first"], "a token": self.http.token.rpartition("_")[2]}


class Listener:
    """Hears what is published on a bus, through a rule and a queue of its own."""

    def __init__(self, emulator, bus):
        self.sqs, events = emulator.client("sqs"), emulator.client("events")
        self.queue = self.sqs.create_queue(QueueName="listener")["QueueUrl"]
        self.heard = []
        rule = events.put_rule(Name="listener", EventBusName=bus, EventPattern='{"source": ["hooktide"]}')["RuleArn"]
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn(self.queue),
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self.sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": policy})
        target = {"Id": "listener", "Arn": queue_arn(self.queue)}
        events.put_targets(Rule="listener", EventBusName=bus, Targets=[target])

    def changes(self, channel):
        """All changes that were published on a channel until now."""
        while messages := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.heard.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return [one for event in self.heard if event["detail-type"] == channel for one in event["detail"]["changes"]]


def inventory(emulator):
    """Everything of the kinds that the template makes that is there, as `kind name`."""

    def names(service, operation, key, name):
        pages = emulator.client(service).get_paginator(operation).paginate() if operation in PAGED else None
        answers = pages or [getattr(emulator.client(service), operation)()]
        found = [one for answer in answers for one in answer.get(key, [])]
        return {f"{service} {one if name is None else one[name]}" for one in found}

    return set().union(*(names(*kind) for kind in KINDS))


PAGED = {"list_tables", "list_queues", "list_functions", "list_roles", "describe_alarms"}
KINDS = (
    ("dynamodb", "list_tables", "TableNames", None),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("secretsmanager", "list_secrets", "SecretList", "Name"),
    ("sqs", "list_queues", "QueueUrls", None),
    ("events", "list_event_buses", "EventBuses", "Name"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    ("apigatewayv2", "get_apis", "Items", "ApiId"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("scheduler", "list_schedules", "Schedules", "Name"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
)
