"""The proxy in front of a stand-in for AWS: what it lets through, refuses and records."""

import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from emulator import ACCOUNT, REGION
from enforcer import Enforcer
from policy import Policy

TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/things"
QUEUE = f"http://localhost/{ACCOUNT}/notices"
ROLE = [
    {
        "Effect": "Allow",
        "Action": ["dynamodb:GetItem", "dynamodb:PutItem"],
        "Resource": TABLE,
        "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["E#shopify#*"]}},
    },
    {"Effect": "Allow", "Action": "s3:*Object", "Resource": "arn:aws:s3:::bucket/claims/*"},
]


class Upstream(BaseHTTPRequestHandler):
    """Answers everything; keeps what is put, and gives it back."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append(self.headers)
        if self.command == "PUT":
            self.server.kept[self.path] = body
        status, answer = 200, b"" if self.command == "PUT" else self.server.kept.get(self.path, b"{}")
        if "absent" in self.path:
            status, answer = 404, b"<Error><Code>NoSuchKey</Code></Error>"
        if "forbidden" in self.path:
            status, answer = 403, b"<Error><Code>AccessDenied</Code></Error>"
        self.send_response(status)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"%x\r\n%s\r\n" % (len(answer), answer) if answer else b"")
            self.wfile.write(b"0\r\n\r\n")

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer

    def log_message(self, *_):
        pass


class Enforcing(unittest.TestCase):
    def setUp(self):
        upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        upstream.daemon_threads = True
        upstream.seen, upstream.kept = [], {}
        self.seen = upstream.seen
        threading.Thread(target=upstream.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.addCleanup(upstream.server_close)
        self.addCleanup(upstream.shutdown)
        self.enforcer = self.enterContext(Enforcer(ACCOUNT))
        self.enforcer.pass_on_to(upstream.server_address[1])
        self.enforcer.enforce({"ASIARECEIVER": ("receiver", Policy([{"Statement": ROLE}]))})

    def client(self, service, access_key="ASIARECEIVER", **settings):
        settings = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, proxies={}, **settings)
        return boto3.client(
            service,
            endpoint_url=self.enforcer.url,
            region_name=REGION,
            aws_access_key_id=access_key,
            aws_secret_access_key="secret",
            config=settings,
        )

    def refusal(self, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        return caught.exception.response

    def get(self, partition):
        return dict(TableName="things", Key={"pk": {"S": partition}, "sk": {"S": "endpoint"}})

    def test_what_the_role_allows_goes_on_and_is_recorded_with_its_grant(self):
        self.client("dynamodb").get_item(**self.get("E#shopify#a"))
        self.assertEqual(len(self.seen), 1)
        self.assertEqual(self.enforcer.refused(), [])
        (grant,) = self.enforcer.used()["receiver"]
        self.assertEqual((grant.action, grant.resource), ("dynamodb:GetItem", TABLE))

    def test_another_partition_is_refused_as_dynamodb_refuses_and_does_not_arrive(self):
        answer = self.refusal(self.client("dynamodb").get_item, **self.get("K#token"))
        self.assertEqual(answer["Error"]["Code"], "AccessDeniedException")
        self.assertIn("dynamodb:GetItem", answer["Error"]["Message"])
        self.assertEqual(self.seen, [])
        (refused,) = self.enforcer.refused()
        self.assertTrue(refused.startswith("receiver: dynamodb GetItem: dynamodb:GetItem on"), refused)

    def test_one_forbidden_write_forbids_the_transaction(self):
        item = {"TableName": "things", "Item": {"pk": {"S": "E#shopify#a"}, "sk": {"S": "s"}}}
        check = {"TableName": "things", "Key": item["Item"], "ConditionExpression": "attribute_exists(pk)"}
        writes = [{"Put": item}, {"ConditionCheck": check}]
        self.client("dynamodb").transact_write_items(TransactItems=writes[:1])
        self.refusal(self.client("dynamodb").transact_write_items, TransactItems=writes)
        self.assertEqual(len(self.seen), 1)

    def test_queues_and_buckets_refuse_in_their_own_words(self):
        answer = self.refusal(self.client("sqs").send_message, QueueUrl=QUEUE, MessageBody="x")
        self.assertEqual(answer["Error"]["Code"], "AccessDenied")
        answer = self.refusal(self.client("s3").put_object, Bucket="bucket", Key="kept/1", Body=b"x")
        self.assertEqual((answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]), ("AccessDenied", 403))

    def test_a_caller_without_a_role_is_refused(self):
        self.refusal(self.client("dynamodb", "ASIASTRANGER").get_item, **self.get("E#shopify#a"))
        self.assertIn("ASIASTRANGER", self.enforcer.refused()[0])

    def test_what_the_emulator_itself_refuses_is_a_refusal_too(self):
        answer = self.refusal(self.client("s3").get_object, Bucket="bucket", Key="claims/forbidden")
        self.assertEqual(answer["Error"]["Code"], "AccessDenied")
        self.assertIn("by the emulator", self.enforcer.refused()[0])

    def test_calls_are_passed_on_as_if_they_had_come_by_tls(self):
        self.client("dynamodb").get_item(**self.get("E#shopify#a"))
        self.assertEqual(self.seen[0]["x-forwarded-proto"], "https")

    def test_a_missing_object_is_a_403_for_who_may_not_list(self):
        s3 = self.client("s3")
        answer = self.refusal(s3.get_object, Bucket="bucket", Key="claims/absent")
        self.assertEqual(answer["Error"]["Code"], "AccessDenied")
        self.assertEqual(self.refusal(s3.head_object, Bucket="bucket", Key="claims/absent")["Error"]["Code"], "403")
        listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket"}
        self.enforcer.enforce({"ASIARECEIVER": ("receiver", Policy([{"Statement": [*ROLE, listing]}]))})
        answer = self.refusal(s3.get_object, Bucket="bucket", Key="claims/absent")
        self.assertEqual(answer["Error"]["Code"], "NoSuchKey")

    def test_large_bodies_pass_unchanged_both_ways(self):
        body = bytes(range(256)) * 4096
        s3 = self.client("s3", request_checksum_calculation="when_required")
        s3.put_object(Bucket="bucket", Key="claims/1", Body=body)
        self.assertEqual(s3.get_object(Bucket="bucket", Key="claims/1")["Body"].read(), body)
        self.assertEqual(self.enforcer.refused(), [])

    def test_many_calls_at_once_are_all_answered(self):
        with ThreadPoolExecutor(16) as pool:
            client = self.client("dynamodb")
            list(pool.map(lambda n: client.get_item(**self.get(f"E#shopify#{n}")), range(200)))
        self.assertEqual((len(self.seen), len(self.enforcer.calls)), (200, 200))


if __name__ == "__main__":
    unittest.main()
