"""What requests to AWS need, by examples as SDKs send them."""

import json
import unittest

from calls import Request, needs_of

ACCOUNT = "000000000000"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/things"


def signed(service, key="ASIAEXAMPLE"):
    scope = f"{key}/20261125/us-east-1/{service}/aws4_request"
    return {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}


def json_needs(service, target, **body):
    request = Request("POST", "/", {**signed(service), "x-amz-target": target}, json.dumps(body).encode())
    return needs_of(request, ACCOUNT)


def s3_needs(method, target, body=b"", **headers):
    request = Request(method, target, {**signed("s3"), **{k.replace("_", "-"): v for k, v in headers.items()}}, body)
    return [(need.action, need.resource, need.context) for need in needs_of(request, ACCOUNT)]


def key(partition):
    return {"pk": {"S": partition}, "sk": {"S": "s"}}


def summary(needs):
    return [(need.action, need.resource, need.context.get("dynamodb:LeadingKeys")) for need in needs]


class DynamoDb(unittest.TestCase):
    def needs(self, operation, **body):
        return summary(json_needs("dynamodb", f"DynamoDB_20120810.{operation}", **body))

    def test_single_items_need_the_action_of_their_name_with_their_partition_key(self):
        for operation, part in (("GetItem", "Key"), ("PutItem", "Item"), ("UpdateItem", "Key"), ("DeleteItem", "Key")):
            needs = self.needs(operation, TableName="things", **{part: key("E#shopify#a")})
            self.assertEqual(needs, [(f"dynamodb:{operation}", TABLE, ("E#shopify#a",))])

    def test_a_transaction_needs_what_each_of_its_writes_needs(self):
        writes = [{"Put": {"TableName": "things", "Item": key("a")}}]
        writes += [{kind: {"TableName": "things", "Key": key("b")}} for kind in ("Update", "Delete", "ConditionCheck")]
        needs = self.needs("TransactWriteItems", TransactItems=writes)
        self.assertEqual(
            needs,
            [
                ("dynamodb:PutItem", TABLE, ("a",)),
                ("dynamodb:UpdateItem", TABLE, ("b",)),
                ("dynamodb:DeleteItem", TABLE, ("b",)),
                ("dynamodb:ConditionCheckItem", TABLE, ("b",)),
            ],
        )

    def test_a_batch_has_the_leading_keys_of_all_its_items(self):
        needs = self.needs("BatchGetItem", RequestItems={"things": {"Keys": [key("a"), key("b"), key("a")]}})
        self.assertEqual(needs, [("dynamodb:BatchGetItem", TABLE, ("a", "b"))])

    def test_a_query_names_its_partition_and_one_of_an_index_is_about_the_index(self):
        base = {"TableName": "things", "ExpressionAttributeValues": {":p": {"S": "a"}, ":s": {"S": "s"}}}
        needs = self.needs("Query", **base, KeyConditionExpression="pk = :p AND begins_with(sk, :s)")
        self.assertEqual(needs, [("dynamodb:Query", TABLE, ("a",))])
        named = {**base, "ExpressionAttributeNames": {"#0": "due_pk", "#1": "due_at"}}
        needs = self.needs("Query", **named, IndexName="due", KeyConditionExpression="#0=:p AND #1 <= :s")
        self.assertEqual(needs, [("dynamodb:Query", f"{TABLE}/index/due", ("a",))])

    def test_a_table_may_be_named_by_its_arn(self):
        self.assertEqual(self.needs("GetItem", TableName=TABLE, Key=key("a")), [("dynamodb:GetItem", TABLE, ("a",))])


class OtherJsonServices(unittest.TestCase):
    def test_sending_in_batches_is_sending(self):
        url = f"http://localhost:4566/{ACCOUNT}/notices"
        for operation in ("SendMessage", "SendMessageBatch"):
            (need,) = json_needs("sqs", f"AmazonSQS.{operation}", QueueUrl=url)
            queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:notices"
            self.assertEqual((need.action, need.resource), ("sqs:SendMessage", queue))

    def test_events_are_put_on_each_bus_that_is_named_by_name_or_arn_or_not_at_all(self):
        bus = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/"
        entries = [{"EventBusName": "ours", "Source": "a"}, {"EventBusName": bus + "ours", "Source": "b"}, {}]
        needs = json_needs("events", "AWSEvents.PutEvents", Entries=entries)
        self.assertEqual([need.resource for need in needs], [bus + "ours", bus + "default"])
        self.assertEqual(needs[0].context["events:source"], ("a", "b"))

    def test_a_secret_is_meant_by_its_arn(self):
        secret = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:keys-a1b2c3"
        (need,) = json_needs("secretsmanager", "secretsmanager.GetSecretValue", SecretId=secret)
        self.assertEqual((need.action, need.resource), ("secretsmanager:GetSecretValue", secret))

    def test_what_is_not_known_needs_what_nobody_has(self):
        for service, target in (("dynamodb", "DynamoDB_20120810.Scan"), ("kms", "TrentService.Decrypt")):
            (need,) = json_needs(service, target, TableName="things")
            self.assertTrue(need.action.startswith("unknown:"), need)


class S3(unittest.TestCase):
    def test_objects_are_read_written_and_deleted(self):
        for method, action in (("GET", "Get"), ("HEAD", "Get"), ("PUT", "Put"), ("DELETE", "Delete")):
            needs = s3_needs(method, "/bucket/claims/shopify/a%20b")
            self.assertEqual(needs, [(f"s3:{action}Object", "arn:aws:s3:::bucket/claims/shopify/a b", {})])

    def test_an_upload_in_parts_is_a_write(self):
        for method, query in (("POST", "uploads"), ("PUT", "partNumber=1&uploadId=u"), ("POST", "uploadId=u")):
            self.assertEqual(s3_needs(method, f"/b/k?{query}"), [("s3:PutObject", "arn:aws:s3:::b/k", {})])
        self.assertEqual(s3_needs("DELETE", "/b/k?uploadId=u")[0][0], "s3:AbortMultipartUpload")

    def test_a_copy_reads_its_source_as_well(self):
        needs = s3_needs("PUT", "/b/kept/1", x_amz_copy_source="/b/claims/1")
        read, write = ("s3:GetObject", "arn:aws:s3:::b/claims/1"), ("s3:PutObject", "arn:aws:s3:::b/kept/1")
        self.assertEqual([need[:2] for need in needs], [read, write])

    def test_a_listing_says_its_prefix(self):
        needs = s3_needs("GET", "/bucket?list-type=2&prefix=documents%2Facme%2F")
        self.assertEqual(needs, [("s3:ListBucket", "arn:aws:s3:::bucket", {"s3:prefix": ("documents/acme/",)})])

    def test_a_bulk_deletion_deletes_each_object(self):
        objects = b"".join(b"<Object><Key>%c</Key></Object>" % key for key in b"ab")
        body = b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">%s</Delete>' % objects
        needs = s3_needs("POST", "/bucket?delete", body)
        self.assertEqual([need[:2] for need in needs], [("s3:DeleteObject", f"arn:aws:s3:::bucket/{k}") for k in "ab"])

    def test_what_is_not_known_needs_what_nobody_has(self):
        for method, target in (("GET", "/bucket?policy"), ("GET", "/bucket/key?acl"), ("PUT", "/bucket")):
            self.assertTrue(s3_needs(method, target)[0][0].startswith("unknown:"), target)


class Callers(unittest.TestCase):
    def test_the_caller_is_known_by_the_access_key(self):
        self.assertEqual(Request("GET", "/", signed("s3", "ASIA1"), b"").access_key, "ASIA1")

    def test_an_unsigned_request_has_no_caller(self):
        self.assertIsNone(Request("GET", "/", {}, b"").access_key)


if __name__ == "__main__":
    unittest.main()
