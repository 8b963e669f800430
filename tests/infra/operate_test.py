"""What `make deploy` asks of the account, and that root keys are added without losing one."""

import json
import sys
import tempfile
import threading
import tomllib
import unittest
import unittest.mock
from types import SimpleNamespace

from botocore.exceptions import ClientError
from emulator import CHECKOUT, Emulator
from providers import PROVIDERS, logical

sys.path.insert(0, str(CHECKOUT / "scripts"))
import concurrency
import operate

PROD = tomllib.loads((CHECKOUT / "infra/samconfig.toml").read_text())["prod"]["deploy"]["parameters"]
OVERRIDES = dict(one.split("=", 1) for one in PROD["parameter_overrides"])


def refused(code):
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "an operation")


class Account:
    """An account: Lambda and Service Quotas, as far as they are asked."""

    def __init__(self, limit, unreserved, held=(), pending=()):
        self.limits = {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": unreserved}
        self.held, self.pending = dict(held), list(pending)

    def get_account_settings(self):
        return {"AccountLimit": self.limits}

    def get_function_concurrency(self, FunctionName):
        if FunctionName not in self.held:
            raise refused("ResourceNotFoundException")
        return {"ReservedConcurrentExecutions": self.held[FunctionName]}

    def list_requested_service_quota_change_history_by_quota(self, ServiceCode, QuotaCode):
        return {"RequestedQuotas": [{"Status": "CASE_OPENED", "DesiredValue": value} for value in self.pending]}

    def objection(self, overrides=OVERRIDES):
        reserved = concurrency.wanted(overrides, operate.receivers())
        return concurrency.objection(self, self, "hooktide-prod", reserved, "eu-central-1")


class Concurrency(unittest.TestCase):
    def test_each_receiver_that_is_deployed_reserves_its_share_and_so_do_api_and_renewer(self):
        self.assertEqual(
            operate.receivers(), {f"receiver-{provider}": f"Receive{logical(provider)}" for provider in PROVIDERS}
        )
        reserved = concurrency.wanted(OVERRIDES, operate.receivers())
        receivers = {f"receiver-{provider}": 25 for provider in PROVIDERS}
        self.assertEqual(reserved, {**receivers, "api": 50, "renewer": 2})
        fewer = concurrency.wanted({**OVERRIDES, "ReceiveMeta": "false"}, operate.receivers())
        self.assertEqual(reserved.keys() - fewer.keys(), {"receiver-meta"})
        self.assertEqual(concurrency.wanted({}, operate.receivers()), {})

    def test_an_account_with_the_usual_limit_can_reserve_what_production_reserves(self):
        self.assertIsNone(Account(1000, 1000).objection())

    def test_a_new_account_is_told_what_it_lacks_and_what_to_do(self):
        told = Account(10, 10).objection()
        for part in ("reserve 327", "can give 0 in eu-central-1", "limit is 10", "--quota-code L-B99A9384",
                     "--desired-value 1000", "RESERVE=no", "Receive<Provider>=false"):
            self.assertIn(part, told)

    def test_what_others_reserve_counts_and_what_is_asked_for_is_enough(self):
        told = Account(1000, 300).objection()
        self.assertIn("others reserve 700", told)
        self.assertIn("--desired-value 1127", told)
        self.assertIsNone(Account(1127, 427).objection())

    def test_what_the_deployment_holds_already_is_not_counted_twice(self):
        held = {f"hooktide-prod-{name}": 25 for name in operate.receivers()}
        held |= {"hooktide-prod-api": 50, "hooktide-prod-renewer": 2}
        self.assertIsNone(Account(427, 100, held).objection())
        self.assertIn("others reserve 1", Account(427, 99, held).objection())

    def test_who_has_asked_for_more_is_told_to_wait(self):
        told = Account(10, 10, pending=[1000.0]).objection()
        self.assertIn("You asked for 1000", told)
        self.assertNotIn("request-service-quota-increase", told)

    def test_who_may_not_ask_deploys_all_the_same(self):
        account = Account(10, 10)
        account.get_account_settings = lambda: (_ for _ in ()).throw(refused("AccessDeniedException"))
        self.assertIsNone(account.objection())

    def test_the_check_comes_before_the_deployment_and_can_be_done_without(self):
        asked, run = [], []
        boto3 = SimpleNamespace(client=lambda _: SimpleNamespace(
            get_account_settings=lambda: asked.append(1) or {"AccountLimit": Account(10, 10).limits},
            get_function_concurrency=Account(10, 10).get_function_concurrency,
            list_requested_service_quota_change_history_by_quota=lambda **_: {"RequestedQuotas": []},
            meta=SimpleNamespace(region_name="eu-central-1"),
        ))
        subprocess = SimpleNamespace(run=lambda command, **_: run.append(command) or SimpleNamespace(returncode=0))
        with unittest.mock.patch.multiple(operate, boto3=boto3, subprocess=subprocess):
            with self.assertRaisesRegex(SystemExit, "reserve 327"):
                operate.deploy("prod", "x86_64")
            self.assertEqual((len(asked), run), (1, []))
            self.assertEqual(operate.deploy("prod", "x86_64", "no"), 0)
            self.assertEqual(operate.deploy("default", "x86_64"), 0)
        self.assertEqual(len(asked), 1)
        self.assertFalse([part for command in run for part in command if "Reserved" in str(part)])
        self.assertIn("RequestsPerSecond=2000", run[0])


class RootKeys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.emulator = cls.enterClassContext(Emulator(folder))

    def setUp(self):
        self.client = self.emulator.client("secretsmanager")
        text = json.dumps({"rotated": [], "first": "0123456789abcdefABCDEF" * 3})
        self.secret = self.client.create_secret(Name=self.id(), SecretString=text)["ARN"]

    def rotated(self):
        return json.loads(self.client.get_secret_value(SecretId=self.secret)["SecretString"])["rotated"]

    def versions(self):
        """The labels of the versions that have any, sorted."""
        described = self.client.describe_secret(SecretId=self.secret)["VersionIdsToStages"]
        return sorted(label for labels in described.values() for label in labels)

    def test_a_key_is_added_and_nothing_else_is_changed(self):
        before = json.loads(self.client.get_secret_value(SecretId=self.secret)["SecretString"])
        keys = operate.add_root_key(self.client, self.secret)
        self.assertEqual(len(keys["rotated"]), 1)
        self.assertEqual(self.rotated(), keys["rotated"])
        self.assertEqual(keys["first"], before["first"])
        self.assertEqual(self.versions(), ["AWSCURRENT", "AWSPREVIOUS"])

    def test_of_two_that_rotate_at_once_neither_loses_the_others_key(self):
        other = []

        class Interrupted:
            """A client amid whose first rotation somebody else does a whole one."""

            exceptions = self.client.exceptions
            get_secret_value, update_secret_version_stage = (
                self.client.get_secret_value, self.client.update_secret_version_stage)

            def put_secret_value(_, **what):
                if not other:
                    other.extend(operate.add_root_key(self.client, self.secret)["rotated"])
                return self.client.put_secret_value(**what)

        mine = operate.add_root_key(Interrupted(), self.secret)["rotated"]
        self.assertEqual(len(other), 1)
        self.assertEqual(mine[0], other[0])
        self.assertEqual(self.rotated(), mine)
        self.assertEqual(len(mine), 2)

    def test_of_many_that_rotate_at_once_every_key_stays(self):
        done = []
        def rotate():
            done.append(operate.add_root_key(self.emulator.client("secretsmanager"), self.secret, tries=50)["rotated"][-1])
        threads = [threading.Thread(target=rotate) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(done), 4)
        self.assertEqual(sorted(self.rotated()), sorted(done))

    def test_who_never_gets_in_adds_nothing_and_says_so(self):
        client = SimpleNamespace(
            exceptions=self.client.exceptions,
            get_secret_value=lambda **_: {**self.client.get_secret_value(SecretId=self.secret), "VersionId": "x" * 36},
            put_secret_value=self.client.put_secret_value,
            update_secret_version_stage=self.refusing,
        )
        with self.assertRaisesRegex(SystemExit, "nothing was added"):
            operate.add_root_key(client, self.secret, tries=2)
        self.assertEqual((self.rotated(), self.versions()), ([], ["AWSCURRENT"]))

    def refusing(self, **what):
        if what["VersionStage"] == "AWSCURRENT":
            raise self.client.exceptions.InvalidParameterException({"Error": {}}, "UpdateSecretVersionStage")
        return self.client.update_secret_version_stage(**what)


if __name__ == "__main__":
    unittest.main()
