"""Square's own client against the simulator of Square."""

import datetime
import json
import uuid

import httpx
from pydantic import BaseModel
from simulated import Simulated
from square import Square as Client
from square.core.api_error import ApiError
from square.utils.webhooks_helper import verify_signature


# Square's documented examples have it, and its client does not.
UNMODELLED = {"created_at"}


class Square(Simulated):
    provider = "square"

    def setUp(self):
        super().setUp()
        self.connections = self.enterContext(httpx.Client())
        self.seller = self.client("hush-square-access-token")
        self.application = self.client("hush-square-application-token")

    def client(self, token):
        return Client(token=token, base_url=self.url, httpx_client=self.connections)

    def known(self, answer):
        """An answer of which the client knows every field, each of its type."""
        self.assertEqual(unknown(answer), [])
        type(answer).model_validate(answer.model_dump())
        return answer

    def refused(self, status, code, ask):
        """The client raises what Square answers."""
        with self.assertRaises(ApiError) as raised:
            ask()
        self.assertEqual((raised.exception.status_code, raised.exception.errors[0].code), (status, code))

    def catalog(self, **question):
        """All pages of a search."""
        pages, cursor = [], {}
        while True:
            page = self.known(self.seller.catalog.search(**question, **cursor))
            pages.append(page)
            if not page.cursor:
                return pages
            cursor = {"cursor": page.cursor}

    def test_the_catalog_is_searched_page_by_page_and_by_date(self):
        pages = self.catalog(object_types=["ITEM"], include_related_objects=True, limit=3)
        items = [item for page in pages for item in page.objects]
        self.assertEqual((len(pages), len(items)), (3, 7))
        self.assertTrue(all(image.type == "IMAGE" for page in pages for image in page.related_objects))
        sencha = next(item for item in items if item.item_data.name == "Sencha")
        [variation] = sencha.item_data.variations
        price = variation.item_variation_data.price_money
        self.assertEqual((price.amount, price.currency, sencha.is_deleted), (990, "USD", False))
        since = max(page.latest_time for page in pages)
        edited = self.edit("product", {"name": "Gyokuro"}, sencha.id)
        deleted = self.edit("product", None, items[0].id)
        changed = self.catalog(object_types=["ITEM"], include_deleted_objects=True, begin_time=since)
        changed = {item.id: item.is_deleted for page in changed for item in page.objects}
        self.assertEqual(changed, {edited: False, deleted: True})
        self.refused(400, "INVALID_CURSOR", lambda: self.seller.catalog.search(object_types=["ITEM"], cursor="odd"))

    def test_one_object_is_read_written_and_deleted(self):
        item = self.catalog(object_types=["ITEM"])[0].objects[0]
        objects = self.seller.catalog.object
        one = self.known(objects.get(object_id=item.id, include_related_objects=True))
        self.assertEqual(one.object.item_data, item.item_data)
        body = json.loads(one.object.model_dump_json(exclude_none=True))
        body["item_data"]["name"] = "Another tea"
        written = self.known(objects.upsert(idempotency_key=str(uuid.uuid4()), object=body))
        self.assertGreater(written.catalog_object.version, one.object.version)
        self.refused(
            400, "VERSION_MISMATCH", lambda: objects.upsert(idempotency_key=str(uuid.uuid4()), object=body)
        )
        self.known(objects.delete(object_id=item.id))
        self.refused(404, "NOT_FOUND", lambda: objects.get(object_id=item.id))

    def test_counts_are_read_by_item_and_by_date(self):
        counts = list(self.seller.inventory.batch_get_counts(limit=2))
        self.assertGreater(len(counts), 8)
        self.assertTrue(all(unknown(count) == [] and count.state == "IN_STOCK" for count in counts))
        one = counts[0]
        found = self.seller.inventory.batch_get_counts(
            catalog_object_ids=[one.catalog_object_id], location_ids=[one.location_id]
        )
        self.assertEqual(list(found), [one])
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        self.edit("stock", {"quantity": "2.5"}, one.catalog_object_id)
        changed = list(self.seller.inventory.batch_get_counts(updated_after=now))
        changed = [(count.catalog_object_id, count.quantity) for count in changed]
        self.assertEqual(changed, [(one.catalog_object_id, "2.5")])

    def test_a_subscription_is_made_listed_changed_and_deleted_and_signs_with_its_key(self):
        subscriptions = self.application.webhooks.subscriptions
        wanted = {"name": "Judge", "event_types": ["inventory.count.updated"], "notification_url": self.address}
        made = self.known(subscriptions.create(subscription=wanted, idempotency_key="once")).subscription
        again = subscriptions.create(subscription=wanted, idempotency_key="once").subscription
        self.assertEqual(made, again)
        self.assertEqual([one.id for one in subscriptions.list(include_disabled=True)], [made.id])
        self.assertTrue(self.known(subscriptions.get(subscription_id=made.id)).subscription.enabled)
        one = next(iter(self.seller.inventory.batch_get_counts()))
        self.edit("stock", {"quantity": "7"}, one.catalog_object_id)
        [(headers, body)] = self.notifications(1)
        proof = {
            "request_body": body.decode(),
            "signature_header": headers["x-square-hmacsha256-signature"],
            "notification_url": self.address,
        }
        self.assertTrue(verify_signature(signature_key=made.signature_key, **proof))
        key = self.known(subscriptions.update_signature_key(subscription_id=made.id)).signature_key
        self.assertFalse(verify_signature(signature_key=key, **proof))
        changed = self.known(subscriptions.update(subscription_id=made.id, subscription={"enabled": False}))
        self.assertFalse(changed.subscription.enabled)
        self.assertEqual(list(subscriptions.list()), [])
        self.known(subscriptions.delete(subscription_id=made.id))
        self.refused(404, "NOT_FOUND", lambda: subscriptions.get(subscription_id=made.id))
        own = self.seller.webhooks.subscriptions
        self.refused(401, "UNAUTHORIZED", lambda: list(own.list()))

    def test_expired_credentials_are_renewed(self):
        self.control("faults", {"expire_credentials": True})
        self.refused(401, "ACCESS_TOKEN_EXPIRED", lambda: self.seller.catalog.search(object_types=["ITEM"]))
        renewed = self.known(
            self.application.o_auth.obtain_token(
                client_id="sq0idp-sample",
                client_secret="hush-square-client-secret",
                grant_type="refresh_token",
                refresh_token="hush-square-refresh-token",
            )
        )
        self.seller = self.client(renewed.access_token)
        self.assertTrue(self.catalog(object_types=["ITEM"]))


def unknown(model, path=""):
    """The fields of an answer that the client's model does not have."""
    found = []
    if isinstance(model, BaseModel):
        found += [f"{path}.{name}" for name in set(model.model_extra or {}) - UNMODELLED]
        for name in type(model).model_fields:
            found += unknown(getattr(model, name), f"{path}.{name}")
    elif isinstance(model, list):
        for number, item in enumerate(model):
            found += unknown(item, f"{path}[{number}]")
    return found
