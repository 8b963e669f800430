"""Shopify's own client against the simulator of a shop, with the operations that Hooktide sends."""

import contextlib
import io
import json

import shopify
from graphql import FieldNode, InlineFragmentNode, parse
from operations import operations
from simulated import Simulated

VERSION = "2026-10"
SHOP = "demo.myshopify.com"
OPERATIONS = operations()


class Shopify(Simulated):
    provider = "shopify"

    def setUp(self):
        super().setUp()
        self.authorise("hush-shopify-access-token")

    def authorise(self, token):
        """Opens a session. Its address alone is another than that of the shop."""
        session = shopify.Session(SHOP, VERSION, token)
        shopify.ShopifyResource.activate_session(session)
        shopify.ShopifyResource.set_site(session.site.replace(f"https://{SHOP}", self.url))
        self.addCleanup(shopify.ShopifyResource.clear_session)

    def answer(self, name, **variables):
        return json.loads(shopify.GraphQL().execute(OPERATIONS[name], variables, name))

    def ask(self, name, **variables):
        """The data, which has every field that the document selects, and no other."""
        answer = self.answer(name, **variables)
        self.assertNotIn("errors", answer)
        cost = answer["extensions"]["cost"]
        self.assertLessEqual(cost["actualQueryCost"], cost["requestedQueryCost"])
        [operation] = parse(OPERATIONS[name]).definitions
        self.assertEqual(list(differences(operation.selection_set, answer["data"], name)), [])
        return answer["data"]

    def pages(self, name, connection, **variables):
        nodes, after = [], None
        while True:
            page = self.ask(name, after=after, **variables)[connection]
            nodes += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return nodes
            after = page["pageInfo"]["endCursor"]

    def products(self, **variables):
        return self.pages("HooktideProducts", "products", **{"sort": "ID", "variants": 10, "images": 5} | variables)

    def test_products_are_listed_and_read(self):
        products = self.products(first=3)
        self.assertEqual(len(products), len(self.products(first=40)))
        self.assertGreater(len(products), 3)
        one = self.ask("HooktideProduct", id=f"gid://shopify/Product/{products[0]['id']}", variants=10, images=5)
        self.assertEqual(one["product"].pop("variants_count"), {"count": len(products[0]["variants"]["nodes"])})
        self.assertEqual(one["product"], products[0])
        gone = self.ask("HooktideProduct", id="gid://shopify/Product/1", variants=10, images=5)
        self.assertIsNone(gone["product"])

    def test_the_variants_of_a_product_are_read_page_by_page(self):
        product = next(one for one in self.products(first=40) if len(one["variants"]["nodes"]) > 2)
        gid = f"gid://shopify/Product/{product['id']}"
        first = self.ask("HooktideProduct", id=gid, variants=1, images=5)["product"]["variants"]
        nodes, after = first["nodes"], first["pageInfo"]["endCursor"]
        while after:
            page = {"id": gid, "variants": 1, "after": after}
            variants = self.ask("HooktideVariants", **page)["product"]["variants"]
            end = self.ask("HooktideVariantsEnd", **page)["product"]["variants"]
            self.assertEqual(end["pageInfo"], variants["pageInfo"])
            nodes += variants["nodes"]
            after = end["pageInfo"]["endCursor"] if end["pageInfo"]["hasNextPage"] else None
        self.assertEqual(nodes, product["variants"]["nodes"])

    def test_changes_and_deletions_are_found(self):
        edited, deleted = [product["id"] for product in self.products(first=40)][:2]
        self.edit("product", {"title": "Gyokuro"}, edited)
        self.edit("product", None, deleted)
        found = self.ask(
            "HooktideChanges",
            first=10,
            query=f"id:{edited}",
            variants=10,
            images=5,
            events=10,
            erased="action:destroy AND subject_type:PRODUCT",
        )
        self.assertEqual([one["id"] for one in found["products"]["nodes"]], [edited])
        self.assertEqual([one["subjectId"].rsplit("/", 1)[-1] for one in found["events"]["nodes"]], [deleted])

    def test_levels_are_read_by_location_and_by_variant(self):
        locations = self.pages("HooktideStock", "locations", first=1, levels=2, query=None, inactive=True)
        self.assertGreater(len(locations), 1)
        location = next(one for one in locations if one["inventoryLevels"]["pageInfo"]["hasNextPage"])
        place = f"gid://shopify/Location/{location['id']}"
        levels, after = location["inventoryLevels"]["nodes"], location["inventoryLevels"]["pageInfo"]["endCursor"]
        rest = self.ask("HooktideLevels", location=place, levels=90, after=after, query=None, inactive=True)
        levels += rest["location"]["inventoryLevels"]["nodes"]
        variant = levels[0]["item"]["variants"]["nodes"][0]["id"]
        one = self.ask("HooktideLevel", variant=f"gid://shopify/ProductVariant/{variant}", location=place)
        level = one["productVariant"]["inventoryItem"]["inventoryLevel"]
        self.assertEqual(level["quantities"], levels[0]["quantities"])
        item = f"gid://shopify/InventoryItem/{levels[0]['item']['id']}"
        of_item = self.ask("HooktideItemLevel", item=item, location=place)["inventoryItem"]
        self.assertEqual(of_item.pop("inventoryLevel"), level)
        self.assertEqual(of_item, levels[0]["item"])
        behind = f"inventory_item_id:>{levels[0]['item']['id']}"
        rest = self.ask("HooktideLevels", location=place, levels=90, after=None, query=behind, inactive=True)
        self.assertEqual(rest["location"]["inventoryLevels"]["nodes"], levels[1:])

    def test_a_subscription_is_made_listed_and_deleted(self):
        wanted = {"topic": "PRODUCTS_UPDATE", "subscription": {"uri": self.address, "format": "JSON"}}
        made = self.ask("HooktideSubscribe", **wanted)["webhookSubscriptionCreate"]
        one = made["webhookSubscription"]
        self.assertEqual((one["topic"], one["uri"], made["userErrors"]), ("PRODUCTS_UPDATE", self.address, []))
        [again] = self.answer("HooktideSubscribe", **wanted)["data"]["webhookSubscriptionCreate"]["userErrors"]
        self.assertEqual(again["message"], "Address for this topic has already been taken")
        self.assertEqual(self.pages("HooktideSubscriptions", "webhookSubscriptions", first=5), [one])
        self.assertEqual(self.ask("HooktideSubscription", id=one["id"]), {"webhookSubscription": one})
        product = self.products(first=1)[0]
        self.edit("product", {"title": "Gyokuro"}, product["id"])
        [(headers, body)] = self.notifications(1)
        self.assertEqual((headers["x-shopify-topic"], str(json.loads(body)["id"])), ("products/update", product["id"]))
        ended = self.ask("HooktideUnsubscribe", id=one["id"])["webhookSubscriptionDelete"]
        self.assertEqual((ended["deletedWebhookSubscriptionId"], ended["userErrors"]), (one["id"], []))
        self.assertEqual(self.ask("HooktideSubscription", id=one["id"]), {"webhookSubscription": None})

    def test_what_is_wrong_or_too_much_is_an_error_beside_the_data(self):
        for variables in ({"id": "7"}, {"id": "gid://shopify/Order/7"}):
            self.assertIn("errors", self.answer("HooktideProduct", variants=10, images=5, **variables))
        dear = self.answer("HooktideProducts", first=250, variants=250, images=250, sort="ID")
        self.assertEqual(dear["errors"][0]["extensions"]["code"], "MAX_COST_EXCEEDED")
        self.control("faults", {"quota": 0})
        throttled = self.answer("HooktideProduct", id="gid://shopify/Product/1", variants=10, images=5)
        self.assertEqual(throttled["errors"][0]["extensions"]["code"], "THROTTLED")
        self.assertIn("throttleStatus", throttled["extensions"]["cost"])

    def test_expired_credentials_are_refused(self):
        self.control("faults", {"expire_credentials": True})
        # The client prints what it cannot read.
        with contextlib.redirect_stdout(io.StringIO()), self.assertRaisesRegex(Exception, "401"):
            self.answer("HooktideProduct", id="gid://shopify/Product/1", variants=10, images=5)


def differences(selected, value, path):
    """Where an answer has fields that nobody selected, or lacks some, as texts."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from differences(selected, item, f"{path}[{number}]")
    elif isinstance(value, dict) and selected:
        fields, maybe = {}, False
        for node in selected.selections:
            if isinstance(node, InlineFragmentNode):
                maybe = True
                fields |= {name_of(below): below.selection_set for below in node.selection_set.selections}
            elif isinstance(node, FieldNode):
                fields[name_of(node)] = node.selection_set
        if set(value) - set(fields) or (set(fields) - set(value) and not (maybe and not value)):
            yield f"{path} has {sorted(value)}, and {sorted(fields)} are selected"
        for name, item in value.items():
            yield from differences(fields.get(name), item, f"{path}.{name}")
    elif selected and value is not None:
        yield f"{path} is no object: {value!r}"
    elif not selected and isinstance(value, dict):
        yield f"{path} is an object of which nothing is selected"


def name_of(field):
    return field.alias.value if field.alias else field.name.value
