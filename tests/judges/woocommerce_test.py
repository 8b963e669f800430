"""WooCommerce's own client against the simulator of a store. Over plain HTTP it signs each request."""

import base64
import datetime
import hashlib
import hmac

from simulated import Simulated
from woocommerce import API

KEY = "ck_0000000000000000000000000000000000sample"
SECRET = "cs_0000000000000000000000000000000000sample"


class WooCommerce(Simulated):
    provider = "woocommerce"

    def setUp(self):
        super().setUp()
        self.api = API(url=self.url, consumer_key=KEY, consumer_secret=SECRET, version="wc/v3", timeout=20)

    def ask(self, method, path, *body, expected=200, **parameters):
        answer = getattr(self.api, method)(path, *body, params=parameters)
        self.assertEqual(answer.status_code, expected, answer.text)
        return answer

    def listed(self, path, **parameters):
        """All pages, as many as the header says."""
        pages, page = [], 1
        while True:
            answer = self.ask("get", path, page=page, **parameters)
            pages.append(answer.json())
            if page >= int(answer.headers["x-wp-totalpages"]):
                items = [item for page in pages for item in page]
                self.assertEqual(len(items), int(answer.headers["x-wp-total"]))
                return pages, items
            page += 1

    def test_products_and_variations_are_listed_page_by_page(self):
        pages, products = self.listed("products", per_page=3, orderby="id", order="asc", status="any")
        self.assertEqual([len(page) for page in pages], [3, 3, 1])
        self.assertEqual([one["id"] for one in products], sorted(one["id"] for one in products))
        variable = next(one for one in products if one["type"] == "variable")
        _, variations = self.listed(f"products/{variable['id']}/variations", per_page=10)
        self.assertEqual(sorted(one["id"] for one in variations), sorted(variable["variations"]))
        one = self.ask("get", f"products/{variable['id']}", _fields="id,name").json()
        self.assertEqual(one, {"id": variable["id"], "name": variable["name"]})
        self.assertEqual(len(self.listed("products", status="trash")[1]), 1)
        missing = self.ask("get", "products/999999", expected=404).json()
        self.assertEqual(missing["code"], "woocommerce_rest_product_invalid_id")

    def test_changes_are_found_by_date(self):
        since = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)
        question = {"modified_after": since.strftime("%Y-%m-%dT%H:%M:%S"), "dates_are_gmt": "true"}
        before = {one["id"] for one in self.listed("products", **question)[1]}
        edited = self.edit("product", {"name": "Gyokuro"})
        after = {one["id"]: one["name"] for one in self.listed("products", **question)[1]}
        self.assertEqual(set(after) - before, {int(edited)})
        self.assertEqual(after[int(edited)], "Gyokuro")

    def test_a_product_is_written_and_deleted(self):
        tea = {"name": "Tea", "sku": "JUDGE-1", "regular_price": "9.90"}
        made = self.ask("post", "products", tea, expected=201).json()
        self.assertEqual((made["price"], made["status"]), ("9.90", "publish"))
        again = self.ask("post", "products", tea, expected=400).json()
        self.assertEqual(again["code"], "product_invalid_sku")
        path = f"products/{made['id']}"
        changed = self.ask("put", path, {"stock_quantity": 4, "manage_stock": True}).json()
        self.assertEqual(changed["stock_quantity"], 4)
        self.assertEqual(self.ask("delete", path, force=True).json()["id"], made["id"])
        self.ask("get", path, expected=404)

    def test_a_webhook_is_made_listed_told_and_deleted(self):
        wanted = {"name": "Judge", "topic": "product.updated", "delivery_url": self.address, "secret": "ours"}
        made = self.ask("post", "webhooks", wanted, expected=201).json()
        self.assertEqual((made["status"], made["resource"], made["event"]), ("active", "product", "updated"))
        [(_, ping)] = self.notifications(1)
        self.assertEqual(ping, f"webhook_id={made['id']}".encode())
        self.assertEqual([one["id"] for one in self.listed("webhooks")[1]], [made["id"]])
        product = self.listed("products", status="publish")[1][0]
        self.edit("product", {"name": "Gyokuro"}, product["id"])
        headers, body = self.notifications(2)[1]
        proof = base64.b64encode(hmac.digest(b"ours", body, hashlib.sha256)).decode()
        self.assertEqual((headers["x-wc-webhook-signature"], headers["x-wc-webhook-topic"]), (proof, "product.updated"))
        path = f"webhooks/{made['id']}"
        self.assertEqual(self.ask("put", path, {"status": "paused"}).json()["status"], "paused")
        self.ask("delete", path, expected=501)
        self.ask("delete", path, force=True)
        self.ask("get", path, expected=404)

    def test_a_key_that_does_not_count_is_refused(self):
        for key, secret in ((KEY, "cs_other"), ("ck_other", SECRET)):
            self.api = API(url=self.url, consumer_key=key, consumer_secret=secret, version="wc/v3")
            refused = self.ask("get", "products", expected=401).json()
            self.assertEqual(refused["code"], "woocommerce_rest_authentication_error")
