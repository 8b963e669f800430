"""The template deployed to an emulated AWS with the real functions, their roles enforced, and driven over HTTP.

What the emulator cannot do is in infra/README.md, with what is done instead.
"""

import base64
import json
import os
import random
import unittest
import uuid

from blocking import Blocking
from providers import PROVIDERS
from samples import Sample, of_provider, sample_of
from shop import compressed, trace_of
from syncing import Syncing
from template import load, retained
from unused import UNUSED
from world import TENANT, World, inventory

MEBIBYTE = 1024 * 1024
SECRET = f"hush-{uuid.uuid4()}"


class Emulated(Syncing, Blocking, unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.world = cls.enterClassContext(World())
        cls.connect()
        cls.shop = cls.world.shop("First", SECRET)
        cls.deferred = {queue: cls.shop.envelope(cls.shop.body()) for queue in ("notices", "priority")}
        for queue, envelope in cls.deferred.items():
            cls.world.defer(queue, envelope)
        cls.world.defer("jobs", unknown_job())

    def problem(self, answer, status, kind):
        self.assertEqual((answer.status, answer.headers["content-type"]), (status, "application/problem+json"), answer)
        self.assertEqual(answer.json()["type"], f"urn:hooktide:problem:{kind}")

    def accept(self, shop, body, headers=None):
        answer = shop.deliver(body, headers)
        self.assertEqual((answer.status, answer.body), (200, b""), answer)

    def test_a_delivery_is_a_change_with_one_trace_in_feed_activity_bus_and_logs(self):
        body, delivery = self.shop.body("A jug"), str(uuid.uuid4())
        self.accept(self.shop, body, self.shop.signed(body, delivery=delivery))
        change = self.world.change(self.shop.entity(body))
        self.assertEqual((change["op"], change["document"]["title"], change["via"]), ("created", "A jug", "webhook"))
        (entry,) = self.world.activity(delivery=delivery)
        self.assertEqual((entry["outcome"], entry["trace"]), ("processed", change["trace"]))
        (told,) = self.world.until(lambda: self.published(self.shop.entity(body)), "change on the bus")
        self.assertEqual(told, change)
        for function in ("ReceiverShopify", "Processor"):
            self.assertIn(change["trace"], self.world.stack.logs(function))

    def published(self, entity):
        return [change for change in self.world.bus.changes("product-updates") if change["entity"] == entity]

    def test_a_duplicate_is_recorded_and_not_published(self):
        body = self.shop.body()
        headers = self.shop.signed(body)
        self.accept(self.shop, body, headers)
        self.world.change(self.shop.entity(body))
        self.accept(self.shop, body, headers)
        entries = self.world.until(lambda: self.both(headers["x-shopify-webhook-id"]), "second entry")
        self.assertEqual(sorted(entry["outcome"] for entry in entries), ["duplicate", "processed"])
        self.assertEqual(len(self.published(self.shop.entity(body))), 1)
        self.assertEqual(len(self.world.changes(self.shop.entity(body))), 1)

    def both(self, delivery):
        entries = self.world.activity(delivery=delivery)
        return entries if len(entries) > 1 else None

    def test_what_is_tampered_with_is_refused(self):
        body = self.shop.body()
        self.problem(self.shop.deliver(body.replace(b"A mug", b"A jug"), self.shop.signed(body)), 401, "unauthorized")
        unsigned = {"content-type": "application/json", "x-shopify-topic": "products/update"}
        self.problem(self.shop.deliver(body, unsigned), 401, "unauthorized")
        self.assertEqual(self.world.changes(self.shop.entity(body)), [])

    def test_every_receiver_accepts_its_providers_samples_and_refuses_them_without_proof_or_tampered_with(self):
        for provider in PROVIDERS:
            with self.subTest(provider):
                connection = self.world.connected(provider)
                address = "/webhooks/" + connection["webhook_url"].partition("/webhooks/")[2]
                refused, accepted = (202, 202) if provider == "microsoft-graph" else (401, 200)
                answer = self.world.http.call("POST", address, b"{}", {"content-type": "application/json"})
                self.assertEqual(answer.status, refused, answer)
                samples = self.samples(provider, connection)
                for headers, body, tampered in samples:
                    if tampered:
                        self.problem(self.world.http.call("POST", address, tampered, headers), 401, "unauthorized")
                    answer = self.world.http.call("POST", address, body, headers)
                    self.assertEqual((answer.status, answer.body), (accepted, b""), (body, answer))
                told = self.world.until(lambda: self.told_of(connection, len(samples)), "activity of all samples")
                self.assertNotIn("dead", {entry["outcome"] for entry in told})

    def test_an_operator_may_queue_a_delivery_that_nobody_signed_large_and_urgent_ones_too(self):
        connection = self.world.connected("paysafe")
        _, body = self.world.signed("paysafe", "PAYMENT_COMPLETED", connection)
        large = {**json.loads(body), "noise": os.urandom(400 * 1024).hex()}
        before = set(self.world.objects("claims/paysafe/"))
        self.world.operator.done("POST", f"/test/webhooks/paysafe/{connection['id']}", large)
        self.assertEqual(len(set(self.world.objects("claims/paysafe/")) - before), 1)
        (told,) = self.world.until(lambda: self.told_of(connection, 1), "activity of the delivery")
        self.assertEqual((told["outcome"], told["topic"]), ("processed", "PAYMENT_COMPLETED"))

    def test_an_operator_may_queue_a_delivery_that_is_in_no_hurry(self):
        shop = self.world.shop("Tried out", SECRET)
        body = shop.body()
        self.world.operator.done("POST", f"/test/webhooks/shopify/{shop.connection}", json.loads(body))
        (told,) = self.world.until(lambda: self.told_of({"id": shop.connection}, 1), "activity of the delivery")
        self.assertEqual(told["provider"], "shopify")

    def samples(self, provider, connection):
        """Headers and body of each sample, signed for a connection; and where the body is signed, another one."""
        known = sample_of(provider)
        if not known["secrets"]:
            # Its tokens are derived from the root keys, which only the functions have.
            return [(*self.world.signed(provider, topic, connection), None) for topic in known["topics"]]
        url, secrets = connection["webhook_url"], known["secrets"]
        samples = [Sample(path) for path in of_provider(provider)]
        return [
            (one.signed(url, secrets), one.body, one.body + b" " if one.signs_body(url, secrets) else None)
            for one in samples
        ]

    def told_of(self, connection, count):
        """All activity of a connection, if it is as much as was accepted."""
        entries = self.world.activity(connection=connection["id"])
        return entries if len(entries) >= count else None

    def test_404_and_405_are_ours(self):
        call, ask = self.world.http.call, self.world.http.ask
        self.problem(call("POST", "/webhooks/shopify/aaaaaaaaaaaaaaaaaaaaaa", b"{}"), 404, "not-found")
        self.problem(call("POST", "/webhooks/nobody/aaaaaaaaaaaaaaaaaaaaaa", b"{}"), 404, "not-found")
        self.problem(call("GET", "/nowhere"), 404, "not-found")
        self.problem(ask("PUT", "/v1/changes"), 405, "method-not-allowed")
        answer = call("GET", self.shop.address)
        self.problem(answer, 405, "method-not-allowed")
        self.assertEqual(answer.headers["allow"], "POST")
        self.problem(call("GET", "/v1/changes"), 401, "unauthorized")

    def test_a_body_of_a_mebibyte_goes_by_claim_check(self):
        body = filled(self.shop.body("x"))
        self.assertEqual(len(body), MEBIBYTE)
        before = set(self.world.objects("claims/shopify/"))
        self.accept(self.shop, body)
        self.assertEqual(len(set(self.world.objects("claims/shopify/")) - before), 1)
        change = self.world.change(self.shop.entity(body))
        self.assertEqual(change["document"]["title"], json.loads(body)["title"])
        self.assertEqual(len(self.world.objects(f"documents/{TENANT}/{self.shop.connection}/")), 1)

    def test_a_message_on_the_priority_queue_is_processed(self):
        envelope = self.shop.envelope(self.shop.body())
        self.world.send("priority", envelope)
        self.assertEqual(self.world.change(self.shop.entity(envelope["body"]))["trace"], trace_of(envelope))

    def test_an_answer_is_fresh_then_unchanged_and_fresh_again_after_a_signed_payment(self):
        connection = self.world.connected("paysafe")
        path = f"/v1/transactions?connection={connection['id']}"
        first = self.world.http.ask("GET", path)
        self.assertEqual((first.status, first.json()["items"]), (200, []), first)
        known = {"authorization": f"Bearer {self.world.http.token}", "if-none-match": first.headers["etag"]}
        unchanged = self.world.http.call("GET", path, b"", known)
        self.assertEqual((unchanged.status, unchanged.body), (304, b""), unchanged)
        headers, body = self.world.signed("paysafe", "PAYMENT_COMPLETED", connection)
        address = "/webhooks/" + connection["webhook_url"].partition("/webhooks/")[2]
        self.assertEqual(self.world.http.call("POST", address, body, headers).status, 200)
        fresh = lambda: [answer for answer in [self.world.http.call("GET", path, b"", known)] if answer.status == 200]
        (answer,) = self.world.until(fresh, "a fresh answer after the payment")
        (listed,) = answer.json()["items"]
        payment = json.loads(body)["payload"]
        self.assertEqual((listed["id"], listed["amount_minor"]), (payment["id"], payment["amount"]))
        self.assertNotEqual(answer.headers["etag"], first.headers["etag"])

    def test_a_poison_message_is_alone_in_the_dead_letters_and_replayed_from_there(self):
        poison = self.shop.envelope(b"\x7bnot a product", kind="unreadable")
        healthy = [self.shop.envelope(self.shop.body()) for _ in range(4)]
        self.world.send("notices", *healthy[:2], poison, *healthy[2:])
        first = self.dead(poison["id"])
        self.assertEqual((first["class"], first["connection"]), ("unreadable", self.shop.connection))
        for envelope in healthy:
            self.world.change(self.shop.entity(envelope["body"]))
            self.assertEqual(self.world.dead_letters(id=envelope["id"]), [])
        wanted = {"filter": {"id": poison["id"]}}
        counted = self.world.http.done("POST", "/v1/dead-letters/replay", {**wanted, "dry_run": True})
        self.assertEqual(counted, {"replay": None, "matched": 1})
        self.replay(poison["id"])
        self.dies_again(first)
        self.assertEqual([one["outcome"] for one in self.world.activity(trace=trace_of(poison))], ["dead", "dead"])
        self.world.http.done("DELETE", f"/v1/dead-letters/{poison['id']}")
        self.assertEqual(self.world.dead_letters(id=poison["id"]), [])

    def dead(self, envelope):
        return self.world.until(lambda: self.world.dead_letters(id=envelope), f"dead letter {envelope}")[0]

    def dies_again(self, letter):
        self.world.until(lambda: self.world.dead_letters(id=letter["id"])[:1] not in ([], [letter]), "second death")

    def replay(self, envelope):
        answer = self.world.http.done("POST", "/v1/dead-letters/replay", {"filter": {"id": envelope}})
        self.assertEqual(answer["matched"], 1)

    def test_what_the_queue_gave_up_on_is_a_dead_letter_and_is_processed_when_replayed(self):
        envelope = self.shop.envelope(self.shop.body())
        self.world.send("dead", envelope)
        self.assertEqual(self.dead(envelope["id"])["class"], "queue-gave-up")
        self.assertEqual(self.world.changes(self.shop.entity(envelope["body"])), [])
        self.replay(envelope["id"])
        self.assertEqual(self.world.change(self.shop.entity(envelope["body"]))["trace"], trace_of(envelope))
        self.world.until(lambda: not self.world.dead_letters(id=envelope["id"]), "end of the dead letter")

    def test_a_large_body_that_nobody_can_read_is_kept_whole(self):
        body = filled(b'{"x": "x"')
        headers = self.shop.signed(body)
        self.accept(self.shop, body, headers)
        letter = self.world.until(lambda: self.letters_of(headers), "dead letter of the large body")[0]
        self.assertIn(f"kept/{TENANT}/{letter['id']}", self.world.objects(f"kept/{TENANT}/"))
        whole = self.world.http.done("GET", f"/v1/dead-letters/{letter['id']}")
        self.assertEqual((whole["body_encoding"], whole["body"].encode()), ("utf-8", body))
        self.replay(letter["id"])
        self.dies_again(letter)

    def letters_of(self, headers):
        traces = {entry["id"] for entry in self.world.activity(delivery=headers["x-shopify-webhook-id"])}
        return [letter for letter in self.world.dead_letters() if f"{letter['id']}-dead" in traces]

    def test_a_lost_claim_check_is_told_apart_from_one_that_cannot_be_had(self):
        body = self.shop.body()
        claim = f"claims/shopify/{uuid.uuid4().hex[:26]}"
        envelope = self.shop.envelope(body, encoding="zstd", blob=claim)
        del envelope["body"]
        self.world.send("notices", envelope)
        self.assertEqual(self.dead(envelope["id"])["class"], "body-lost")
        self.assertIsNone(self.world.http.done("GET", f"/v1/dead-letters/{envelope['id']}")["body"])
        self.world.put_object(claim, compressed(body))
        self.replay(envelope["id"])
        self.assertEqual(self.world.change(self.shop.entity(body))["trace"], trace_of(envelope))

    def test_a_large_message_of_somebody_else_is_kept_for_the_operator(self):
        message = "nobody's " + noise(400 * 1024)
        self.world.send("notices", message)
        system = self.world.as_tenant("system")
        (letter,) = self.world.until(lambda: system.items("/v1/dead-letters"), "dead letter of the system")
        whole = system.done("GET", f"/v1/dead-letters/{letter['id']}")
        self.assertEqual((letter["class"], whole["body"]), ("unreadable", message))

    def test_a_message_of_newer_code_waits_on_its_queue(self):
        for queue in ("notices", "priority"):
            self.world.send(queue, self.shop.envelope(self.shop.body(), v=99))
            self.world.until(lambda: self.world.waiting(queue), f"message that waits on {queue}")

    def test_a_job_of_a_kind_that_nobody_knows_waits_on_its_queue_wherever_it_comes(self):
        for queue in ("jobs", "notices"):
            self.world.send(queue, unknown_job())
            self.world.until(lambda: self.world.waiting("jobs"), f"job from {queue} that waits")

    def test_a_batch_of_25_is_processed_as_one(self):
        envelopes = [self.shop.envelope(self.shop.body()) for _ in range(25)]
        event = self.world.batch("notices", envelopes)
        self.assertEqual(self.world.stack.invoke("Processor", event), {"batchItemFailures": []})
        feed = {change["trace"] for change in self.world.http.follow("/v1/changes")}
        self.assertLessEqual({trace_of(envelope) for envelope in envelopes}, feed)

    def test_what_came_before_its_account_was_connected_is_released(self):
        shared = self.world.shop("App", SECRET, of="endpoints")
        body = shared.body()
        headers = shared.signed(body)
        self.accept(shared, body, headers)
        delivery = headers["x-shopify-webhook-id"]
        self.world.until(lambda: self.world.activity(delivery=delivery, outcome="ignored"), "held delivery")
        account = headers["x-shopify-shop-domain"]
        new = {"provider": "shopify", "account": account, "endpoint": shared.connection}
        connection = self.world.http.done("POST", "/v1/connections", new)
        self.world.change(f"product/{connection['id']}/{json.loads(body)['id']}")

    def test_what_waits_in_the_queues_is_told(self):
        queues = {queue["name"]: queue for queue in self.world.http.done("GET", "/v1/queues")["items"]}
        self.assertEqual(set(queues), {"notices", "priority", "jobs", "dead"})
        self.assertTrue(all(isinstance(queue["depth"], int) for queue in queues.values()), queues)

    def test_an_erased_connection_leaves_no_document(self):
        shop = self.world.shop("Short-lived", SECRET)
        body = shop.body(noise(200 * 1024))
        self.accept(shop, body)
        self.world.change(shop.entity(body))
        self.assertEqual(len(self.world.objects(f"documents/{TENANT}/{shop.connection}/")), 1)
        erased = self.world.http.done("DELETE", f"/v1/connections/{shop.connection}")
        self.assertFalse(erased["remaining"], erased)
        self.assertEqual(self.world.objects(f"documents/{TENANT}/{shop.connection}/"), [])

    def test_what_shopify_asks_to_erase_is_gone_with_its_objects(self):
        shop = self.world.shop("To be erased", SECRET)
        product, unreadable = shop.body(noise(200 * 1024)), filled(b'{"x": "x"')
        self.accept(shop, product)
        self.world.change(shop.entity(product))
        headers = shop.signed(unreadable)
        self.accept(shop, unreadable, headers)
        letter = self.world.until(lambda: self.letters_of(headers), "dead letter of the large body")[0]
        places = (f"documents/{TENANT}/{shop.connection}/", f"kept/{TENANT}/{letter['id']}")
        self.assertEqual([len(self.world.objects(place)) for place in places], [1, 1])
        request = json.dumps({"shop_id": 954889, "shop_domain": headers["x-shopify-shop-domain"]}).encode()
        self.accept(shop, request, shop.signed(request, topic="shop/redact"))
        self.world.until(lambda: not any(map(self.world.objects, places)), "end of what was held about the shop")

    def test_a_large_delivery_by_shopifys_event_source_is_the_change_that_a_webhook_would_be(self):
        body = self.shop.body(noise(400 * 1024))
        before = set(self.world.objects("claims/shopify/"))
        self.world.send("notices", self.shop.event(body))
        change = self.world.change(self.shop.entity(body))
        self.assertEqual(change["document"]["title"], json.loads(body)["title"])
        self.assertEqual(len(set(self.world.objects("claims/shopify/")) - before), 1)

    def test_the_stack_deployed_again_changes_nothing(self):
        stack = self.world.stack
        before, code = stack.resources(), {name: one["CodeSha256"] for name, one in stack.functions().items()}
        updated = stack.describe().get("LastUpdatedTime")
        self.assertIn("No changes to deploy", stack.deploy())
        self.assertEqual(stack.resources(), before)
        self.assertEqual({name: one["CodeSha256"] for name, one in stack.functions().items()}, code)
        self.assertEqual(stack.describe().get("LastUpdatedTime"), updated)

    def test_deferred_messages_come_back_by_the_schedule(self):
        for queue, envelope in self.deferred.items():
            with self.subTest(queue):
                change = self.world.change(self.shop.entity(envelope["body"]), within=90)
                self.assertEqual(change["trace"], trace_of(envelope))

    # What follows looks back at all of the above; it stands last and runs last, after the tests of syncs.

    def test_no_secret_is_in_a_log_or_an_answer(self):
        logs = "\n".join(self.world.stack.logs(name) for name in self.world.stack.functions())
        said = logs + self.world.emulator.log.read_text(errors="replace")
        said += "".join(answer.body.decode(errors="replace") for answer in self.world.http.answers)
        self.assertIn("processed", said)
        for name, secret in {"a client secret": SECRET, **self.world.secrets(), **self.credentials()}.items():
            self.assertFalse(secret in said, f"{name} was told")

    def test_every_call_is_allowed_by_the_role_of_its_function(self):
        self.assertEqual(self.world.enforcer.refused(), [])
        self.assertEqual(set(self.world.enforcer.used()), set(self.world.stack.functions()))

    def test_permissions_that_no_call_used_are_known_with_their_reasons(self):
        used, unused = self.world.enforcer.used(), set()
        for function, policy in self.world.stack.policies().items():
            for grant in policy.grants() - used.get(function, set()):
                unused.add((function, grant.action, self.world.stack.plain(grant.resource)))
        print("\npermissions that the emulated run did not use:", *sorted(map(" ".join, unused)), sep="\n  ")
        self.assertEqual(unused, set(UNUSED))

    def test_the_stack_deleted_leaves_only_what_is_retained(self):
        resources, kept = self.world.stack.resources(), retained(load())
        kept -= set(self.world.stack.of_type("AWS::S3::BucketPolicy"))  # that is a part of its bucket
        names = {resources[logical][1] for logical in kept}
        self.world.stack.rest()
        self.world.stack.delete()
        left = inventory(self.world.emulator) - self.world.before
        left = {one.partition(" ")[2] for one in left if not one.endswith("/listener")}
        self.assertEqual(left, names)
        table = self.world.settings["HOOKTIDE_TABLE"]
        self.assertGreater(self.world.emulator.client("dynamodb").scan(TableName=table)["Count"], 0)


def unknown_job():
    """A job of newer code."""
    return {
        "v": 3,
        "kind": "job",
        "id": f"full-count-{uuid.uuid4()}",
        "received_at": "2026-11-25T08:02:00Z",
        "tenant": TENANT,
        "job": "full-count",
        "resource": "stock/c",
        "endpoint": TENANT,
    }


def noise(size):
    """Text that hardly compresses."""
    return base64.b64encode(random.randbytes(size)).decode()[:size]


def filled(body):
    """The body with its first `"x"` grown until all of it is one mebibyte."""
    return body.replace(b'"x"', b'"%s"' % noise(MEBIBYTE - len(body) + 1).encode(), 1)


def load_tests(_loader, _tests, _pattern):
    """In the order in which they stand: the stack is looked back at, deployed again and deleted after all else."""
    named = lambda one: [name for name in vars(one) if name.startswith("test_")]
    syncing, blocking, others = map(named, (Syncing, Blocking, Emulated))
    looks_back = others.index("test_no_secret_is_in_a_log_or_an_answer")
    return unittest.TestSuite(map(Emulated, [*others[:looks_back], *syncing, *blocking, *others[looks_back:]]))


if __name__ == "__main__":
    unittest.main()
