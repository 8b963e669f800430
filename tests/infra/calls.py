"""What a request to AWS needs: which IAM actions on which resources, with what conditions may ask about.

From the request alone, as the Service Authorization Reference has it: an API call is not always an action of its
name. A transaction needs the permission of each write in it, a batch of messages that of sending, and a bulk deletion
that of each object. A call that is not known here needs `unknown:<call>`, which no role allows.
"""

import json
import re
import urllib.parse
import xml.etree.ElementTree as ElementTree

from policy import Need

# The partition key of the table and of its index, by the index's name; what leading keys are taken from.
PARTITION_KEYS = {None: "pk", "due": "due_pk"}
TRANSACTION_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}

# What a listing of a bucket may ask; with anything else, it is another call.
LISTING = {
    "list-type",
    "prefix",
    "delimiter",
    "max-keys",
    "continuation-token",
    "start-after",
    "encoding-type",
    "x-id",
}


class Request:
    """A request as it arrived: method, target (path and query), headers in lower case, body."""

    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        credential = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", headers.get("authorization", ""))
        self.access_key, self.region, self.service = credential.groups() if credential else (None, None, None)

    @property
    def operation(self):
        """The operation of a JSON protocol, without the version in front."""
        return self.headers.get("x-amz-target", "").rpartition(".")[2]

    def json(self):
        return json.loads(self.body or b"{}")


def needs_of(request, account):
    """All that a request needs; all of it must be allowed."""
    of_service = {
        "dynamodb": dynamodb_needs,
        "sqs": sqs_needs,
        "events": events_needs,
        "secretsmanager": secret_needs,
        "s3": s3_needs,
    }.get(request.service)
    return (of_service and of_service(request, account)) or [
        Need(f"unknown:{request.service} {request.method} {request.operation or request.target}", "*")
    ]


def arn(request, account, rest):
    return f"arn:aws:{request.service}:{request.region}:{account}:{rest}"


def dynamodb_needs(request, account):
    operation, body = request.operation, request.json()

    def need(action, table, keys, index=None, **context):
        table = table.rpartition("/")[2]  # a table may be named by its ARN
        rest = f"table/{table}" + (f"/index/{index}" if index else "")
        leading = {"dynamodb:LeadingKeys": tuple(dict.fromkeys(keys))}
        return Need(f"dynamodb:{action}", arn(request, account, rest), {**leading, **context})

    if operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem"):
        return [need(operation, body["TableName"], [leading_key_of(body)])]
    if operation == "Query":
        index = body.get("IndexName")
        return [need(operation, body["TableName"], queried_keys(body, index), index)]
    if operation == "BatchGetItem":
        asked = {table: one["Keys"] for table, one in body["RequestItems"].items()}
        return [need(operation, table, map(leading_key, keys)) for table, keys in asked.items()]
    if operation == "BatchWriteItem":
        return [
            need(operation, table, [leading_key_of(write) for one in ones for write in one.values()])
            for table, ones in body["RequestItems"].items()
        ]
    if operation in ("TransactWriteItems", "TransactGetItems"):
        enclosing = {"dynamodb:EnclosingOperation": (operation,)}
        return [
            need(TRANSACTION_ACTIONS[kind], one["TableName"], [leading_key_of(one)], **enclosing)
            for item in body["TransactItems"]
            for kind, one in item.items()
        ]
    return None


def leading_key(item):
    """The partition key of an item, as text."""
    return text_of(item[PARTITION_KEYS[None]])


def leading_key_of(one):
    """The partition key of what a read or a write is about."""
    return leading_key(one.get("Key") or one.get("Item"))


def text_of(attribute):
    """The value of `{"S": value}`."""
    return next(iter(attribute.values()))


def queried_keys(body, index):
    """The partition key that a query's key condition names; none if it names none, which IAM then has to judge."""
    names, values = body.get("ExpressionAttributeNames", {}), body.get("ExpressionAttributeValues", {})
    compared = re.findall(r"(#?\w+)\s*=\s*(:\w+)", body.get("KeyConditionExpression", ""))
    return [text_of(values[value]) for name, value in compared if names.get(name, name) == PARTITION_KEYS[index]]


def sqs_needs(request, account):
    body = request.json()
    action = {
        "SendMessageBatch": "SendMessage",
        "DeleteMessageBatch": "DeleteMessage",
        "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    }.get(request.operation, request.operation)
    queue = body.get("QueueName") or body.get("QueueUrl", "").rpartition("/")[2]
    return [Need(f"sqs:{action}", arn(request, account, queue))] if action and queue else None


def events_needs(request, account):
    if request.operation != "PutEvents":
        return None
    needs = {}
    for entry in request.json()["Entries"]:
        bus = entry.get("EventBusName", "default").rpartition("/")[2]
        needs.setdefault(bus, ([], []))
        needs[bus][0].append(entry.get("Source", ""))
        needs[bus][1].append(entry.get("DetailType", ""))
    return [
        Need(
            "events:PutEvents",
            arn(request, account, f"event-bus/{bus}"),
            {"events:source": tuple(dict.fromkeys(sources)), "events:detail-type": tuple(dict.fromkeys(types))},
        )
        for bus, (sources, types) in needs.items()
    ]


def secret_needs(request, account):
    secret = request.json().get("SecretId", "")
    if request.operation != "GetSecretValue":
        return None
    # By name, the resource would be the ARN with six characters that only the service knows.
    resource = secret if secret.startswith("arn:") else arn(request, account, f"secret:{secret}-??????")
    return [Need("secretsmanager:GetSecretValue", resource, {"secretsmanager:SecretId": (secret,)})]


def s3_needs(request, _account):
    """Path style: `/bucket/key?query`."""
    path, _, query = request.target.partition("?")
    bucket, _, key = urllib.parse.unquote(path).lstrip("/").partition("/")
    asked = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    whole, thing = f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/{key}"
    if not key:
        return bucket_needs(request, whole, asked)
    writes = [Need("s3:PutObject", thing)]
    upload = {"uploadId", "uploads", "partNumber"} & set(asked)
    if upload:
        action = {"DELETE": "s3:AbortMultipartUpload", "GET": "s3:ListMultipartUploadParts"}.get(request.method)
        return [Need(action, thing)] if action else writes
    if set(asked) - {"x-id"}:
        return None
    if request.method == "PUT" and "x-amz-copy-source" in request.headers:
        source = urllib.parse.unquote(request.headers["x-amz-copy-source"]).lstrip("/").partition("?")[0]
        return [Need("s3:GetObject", f"arn:aws:s3:::{source}"), *writes]
    if request.method == "PUT" and "x-amz-tagging" in request.headers:
        return [*writes, Need("s3:PutObjectTagging", thing)]
    if request.method == "PUT":
        return writes
    action = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "DELETE": "s3:DeleteObject"}.get(request.method)
    return [Need(action, thing)] if action else None


def bucket_needs(request, bucket, asked):
    if request.method == "POST" and "delete" in asked:
        nodes = ElementTree.fromstring(request.body).iter()
        keys = [node.text for node in nodes if node.tag.rpartition("}")[2] == "Key"]
        return [Need("s3:DeleteObject", f"{bucket}/{key}") for key in keys]
    if request.method == "HEAD" or (request.method == "GET" and set(asked) <= LISTING):
        context = {f"s3:{name}": (asked[name],) for name in ("prefix", "delimiter", "max-keys") if name in asked}
        return [Need("s3:ListBucket", bucket, context)]
    return None
