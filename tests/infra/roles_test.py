"""What each role may do, as one table that must say the same as the template."""

import copy
import re
import unittest

from emulator import CHECKOUT
from expansion import expanded
from policy import Need, Policy
from providers import RECEIVERS
from template import load, of_type


def receiver(name, provider):
    """What a receiver may: nothing of another provider's."""
    return {
        ("dynamodb:GetItem", "Table", f"ForAllValues:StringLike dynamodb:LeadingKeys E#{provider}#*"),
        ("secretsmanager:GetSecretValue", "RootKeys", ""),
        ("secretsmanager:GetSecretValue", "FrontSecret", "HasFront"),
        ("sqs:SendMessage", "NoticesQueue", ""),
        ("sqs:SendMessage", "PriorityQueue", ""),
        ("s3:PutObject", f"Bucket/claims/{provider}/*", ""),
        ("logs:CreateLogStream", f"{name}Logs", ""),
        ("logs:PutLogEvents", f"{name}Logs", ""),
    }


# Tenants' data, endpoints and routes: all but the partitions of tokens, K#.
NO_TOKENS = "ForAllValues:StringLike dynamodb:LeadingKeys T#* E#* R#*"
# What the renewer works on: endpoints; of tenants job marks, connections, the journal, access tokens of providers, budgets of
# calls, resources and subscriptions.
WATCHED = (
    "ForAllValues:StringLike dynamodb:LeadingKeys "
    "E#* T#*#B T#*#C T#*#J#* T#*#authorizations T#*#budgets T#*#resources T#*#subscriptions"
)
# Whether a share of all connections is polled, and which calendars are read.
CHOICES = "ForAllValues:StringLike dynamodb:LeadingKeys T#*#calendars T#*#switches"
# What connections are called, which answers depend on.
CONNECTIONS = "ForAllValues:StringLike dynamodb:LeadingKeys T#*#G#connections"
# Messages that wait longer than a queue can hold them back.
DEFERRED = "ForAllValues:StringLike dynamodb:LeadingKeys T#*#W"

# For each function: action, on what, under which condition. `Table/index/due` is the index alone, without the table.
ROLES = {
    **{name: receiver(name, provider) for name, provider in RECEIVERS.items()},
    "Processor": {
        ("dynamodb:BatchGetItem", "Table", NO_TOKENS),
        ("dynamodb:ConditionCheckItem", "Table", NO_TOKENS),
        ("dynamodb:GetItem", "Table", NO_TOKENS),
        ("dynamodb:PutItem", "Table", NO_TOKENS),
        ("dynamodb:Query", "Table", NO_TOKENS),
        ("dynamodb:UpdateItem", "Table", NO_TOKENS),
        ("sqs:DeleteMessage", "NoticesQueue", ""),
        ("sqs:DeleteMessage", "PriorityQueue", ""),
        ("sqs:DeleteMessage", "DeadLettersQueue", ""),
        ("sqs:GetQueueAttributes", "NoticesQueue", ""),
        ("sqs:GetQueueAttributes", "PriorityQueue", ""),
        ("sqs:GetQueueAttributes", "DeadLettersQueue", ""),
        ("sqs:ReceiveMessage", "NoticesQueue", ""),
        ("sqs:ReceiveMessage", "PriorityQueue", ""),
        ("sqs:ReceiveMessage", "DeadLettersQueue", ""),
        ("sqs:SendMessage", "NoticesQueue", ""),
        ("sqs:SendMessage", "PriorityQueue", ""),
        ("sqs:SendMessage", "JobsQueue", ""),
        ("events:PutEvents", "Bus", ""),
        ("s3:GetObject", "Bucket/claims/*", ""),
        ("s3:GetObject", "Bucket/documents/*", ""),
        ("s3:GetObject", "Bucket/kept/*", ""),
        ("s3:PutObject", "Bucket/claims/foreign/*", ""),
        ("s3:PutObject", "Bucket/claims/shopify/*", ""),
        ("s3:PutObject", "Bucket/documents/*", ""),
        ("s3:PutObject", "Bucket/kept/*", ""),
        ("s3:ListBucket", "Bucket", ""),
        ("logs:CreateLogStream", "ProcessorLogs", ""),
        ("logs:PutLogEvents", "ProcessorLogs", ""),
    },
    "Syncer": {
        ("dynamodb:BatchGetItem", "Table", NO_TOKENS),
        ("dynamodb:DeleteItem", "Table", NO_TOKENS),
        ("dynamodb:GetItem", "Table", NO_TOKENS),
        ("dynamodb:PutItem", "Table", NO_TOKENS),
        ("dynamodb:Query", "Table", NO_TOKENS),
        ("dynamodb:UpdateItem", "Table", NO_TOKENS),
        ("secretsmanager:GetSecretValue", "RootKeys", ""),
        ("sqs:DeleteMessage", "JobsQueue", ""),
        ("sqs:GetQueueAttributes", "JobsQueue", ""),
        ("sqs:ReceiveMessage", "JobsQueue", ""),
        ("sqs:SendMessage", "NoticesQueue", ""),
        ("sqs:SendMessage", "JobsQueue", ""),
        ("events:PutEvents", "Bus", ""),
        ("s3:GetObject", "Bucket/documents/*", ""),
        ("s3:GetObject", "Bucket/kept/*", ""),
        ("s3:GetObject", "Bucket/seen/*", ""),
        ("s3:PutObject", "Bucket/documents/*", ""),
        ("s3:PutObject", "Bucket/seen/*", ""),
        ("s3:DeleteObject", "Bucket/documents/*", ""),
        ("s3:DeleteObject", "Bucket/kept/*", ""),
        ("s3:DeleteObject", "Bucket/seen/*", ""),
        ("s3:ListBucket", "Bucket", ""),
        ("logs:CreateLogStream", "SyncerLogs", ""),
        ("logs:PutLogEvents", "SyncerLogs", ""),
    },
    "Api": {
        ("dynamodb:BatchGetItem", "Table", ""),
        ("dynamodb:DeleteItem", "Table", ""),
        ("dynamodb:GetItem", "Table", ""),
        ("dynamodb:PutItem", "Table", ""),
        ("dynamodb:Query", "Table", ""),
        ("dynamodb:UpdateItem", "Table", CONNECTIONS),
        ("secretsmanager:GetSecretValue", "RootKeys", ""),
        ("secretsmanager:GetSecretValue", "FrontSecret", "HasFront"),
        ("sqs:SendMessage", "NoticesQueue", ""),
        ("sqs:SendMessage", "PriorityQueue", ""),
        ("sqs:SendMessage", "JobsQueue", ""),
        ("sqs:GetQueueAttributes", "NoticesQueue", ""),
        ("sqs:GetQueueAttributes", "PriorityQueue", ""),
        ("sqs:GetQueueAttributes", "JobsQueue", ""),
        ("sqs:GetQueueAttributes", "DeadLettersQueue", ""),
        ("s3:GetObject", "Bucket/claims/*", ""),
        ("s3:GetObject", "Bucket/documents/*", ""),
        ("s3:GetObject", "Bucket/kept/*", ""),
        ("s3:PutObject", "Bucket/claims/*", ""),
        ("s3:DeleteObject", "Bucket/documents/*", ""),
        ("s3:ListBucket", "Bucket", ""),
        ("logs:CreateLogStream", "ApiLogs", ""),
        ("logs:PutLogEvents", "ApiLogs", ""),
    },
    "Renewer": {
        ("dynamodb:GetItem", "Table", CHOICES),
        ("dynamodb:Query", "Table/index/due", ""),
        ("dynamodb:DeleteItem", "Table", WATCHED),
        ("dynamodb:GetItem", "Table", WATCHED),
        ("dynamodb:PutItem", "Table", WATCHED),
        ("dynamodb:Query", "Table", WATCHED),
        ("dynamodb:UpdateItem", "Table", WATCHED),
        ("secretsmanager:GetSecretValue", "RootKeys", ""),
        ("sqs:SendMessage", "JobsQueue", ""),
        ("logs:CreateLogStream", "RenewerLogs", ""),
        ("logs:PutLogEvents", "RenewerLogs", ""),
    },
    "Poller": {
        ("dynamodb:Query", "Table/index/due", ""),
        ("dynamodb:DeleteItem", "Table", DEFERRED),
        ("sqs:SendMessage", "NoticesQueue", ""),
        ("sqs:SendMessage", "PriorityQueue", ""),
        ("sqs:SendMessage", "JobsQueue", ""),
        ("logs:CreateLogStream", "PollerLogs", ""),
        ("logs:PutLogEvents", "PollerLogs", ""),
    },
    # Not functions, but what starts them.
    "PollerSchedule": {
        ("lambda:InvokeFunction", "Poller", ""),
    },
    "RenewerSchedule": {
        ("lambda:InvokeFunction", "Renewer", ""),
    },
}

# Who may take a role on.
TAKEN_BY = {name: "lambda.amazonaws.com" for name in ROLES} | dict.fromkeys(
    ("PollerSchedule", "RenewerSchedule"), "scheduler.amazonaws.com StringEquals aws:SourceAccount AWS::AccountId"
)


def as_list(value):
    """IAM lets a list of one be written without brackets."""
    return value if isinstance(value, list) else [value]


def resource_name(value):
    """A resource as the table writes it: its logical id, and what follows in its ARN."""
    match value:
        case {"Ref": name}:
            return name
        case {"Fn::GetAtt": [name, "Arn" | "Id"]}:
            return name
        case {"Fn::Sub": str(text)}:
            return text.replace(".Arn}", "").replace("${", "")
    return str(value)


def condition_text(condition):
    """A condition on one line."""
    texts = (
        f"{operator} {key} {' '.join(map(resource_name, as_list(wanted)))}"
        for operator, keys in sorted((condition or {}).items())
        for key, wanted in sorted(keys.items())
    )
    return ", ".join(texts)


def rows(policy):
    """The table's rows that a policy comes to. What is no plain permission is a row that no table has."""
    for statement in as_list(policy["PolicyDocument"]["Statement"]):
        chosen = ""
        match statement:
            case {"Fn::If": [str(chosen), statement, {"Ref": "AWS::NoValue"}]}:
                pass
        strange = set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition"}
        if strange or statement.get("Effect") != "Allow" or not statement.get("Sid"):
            yield (f"a statement that is no plain permission: {statement}", "", "")
            continue
        for action in as_list(statement["Action"]):
            for resource in as_list(statement["Resource"]):
                conditions = (chosen, condition_text(statement.get("Condition")))
                yield (action, resource_name(resource), ", ".join(filter(None, conditions)))


def roles_of(template):
    """Each role's rows, by what it is the role of."""
    roles = of_type(template, "AWS::IAM::Role")
    return {
        name.removesuffix("Role"): {row for policy in role["Properties"].get("Policies", []) for row in rows(policy)}
        for name, role in roles.items()
    }


def differences(template):
    """In what the template's roles differ from the table, in both directions, and by what else they would be wider."""
    found, written = [], roles_of(template)
    for name in sorted(ROLES.keys() | written.keys()):
        for row in sorted(written.get(name, set()) - ROLES.get(name, set())):
            found.append(f"{name} may, and the table does not say so: {row}")
        for row in sorted(ROLES.get(name, set()) - written.get(name, set())):
            found.append(f"{name} may not, and the table says it may: {row}")
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for more in role["Properties"].keys() - {"AssumeRolePolicyDocument", "Policies"}:
            found.append(f"{name} has {more}")
        takers = [
            f"{resource_name(statement['Principal'].get('Service'))} {condition_text(statement.get('Condition'))}".strip()
            for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        ]
        if takers != [TAKEN_BY.get(name.removesuffix("Role"))]:
            found.append(f"{name} may be taken on by {takers}")
    for name in of_type(template, "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
        found.append(f"{name} is a policy outside of the roles")
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        if function["Properties"].get("Role") != {"Fn::GetAtt": [f"{name}Role", "Arn"]}:
            found.append(f"{name} does not have its own role")
        for more in function["Properties"].keys() & {"Policies", "ManagedPolicyArns", "AssumeRolePolicyDocument"}:
            found.append(f"{name} has {more} beside its role")
    return found


def told_in_the_readme():
    """The table of `infra/README.md`, as this file writes it."""
    text = (CHECKOUT / "infra/README.md").read_text()
    table = text.split("| who | may | on | if |\n|---|---|---|---|\n")[1].split("\n\n")[0]
    told, who = {}, None
    for line in table.splitlines():
        name, actions, resources, condition = (re.findall("`([^`]+)`", cell) for cell in line.split("|")[1:-1])
        who = name[0] if name else who
        told.setdefault(who, set()).update(
            (action, resource, "".join(condition)) for action in actions for resource in resources
        )
    # What it says of any receiver, it says of each.
    any_receiver = told.pop("Receiver<Provider>")
    for name, provider in RECEIVERS.items():
        its = (("<Provider>", name.removeprefix("Receiver")), ("<provider>", provider))
        told[name] = {tuple(replaced(cell, its) for cell in row) for row in any_receiver}
    return told


def replaced(text, pairs):
    for old, new in pairs:
        text = text.replace(old, new)
    return text


class Roles(unittest.TestCase):
    def setUp(self):
        self.template = load()

    def statements(self, name):
        """The statements of a function's role, to be changed."""
        return self.template["Resources"][f"{name}Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]

    def statement(self, name, sid):
        return next(one for one in self.statements(name) if one.get("Sid") == sid)

    def assert_reported(self, *parts):
        found = differences(self.template)
        self.assertTrue(any(all(part in line for part in parts) for line in found), found)

    def test_the_roles_say_what_the_table_says(self):
        self.assertEqual(differences(self.template), [])

    def test_the_readme_says_what_the_table_says(self):
        self.assertEqual(told_in_the_readme(), ROLES)

    def test_sam_adds_no_role_of_its_own(self):
        self.assertEqual(roles_of(expanded(self.template)), roles_of(self.template))

    def test_a_role_that_sam_adds_is_seen(self):
        del self.template["Resources"]["Poller"]["Properties"]["Events"]["EachMinute"]["Properties"]["RoleArn"]
        self.assertNotEqual(roles_of(expanded(self.template)), roles_of(self.template))

    def test_no_action_and_no_resource_is_everything(self):
        for name, role in roles_of(self.template).items():
            for action, resource, _ in role:
                with self.subTest(role=name, action=action, resource=resource):
                    self.assertNotIn("*", action)
                    self.assertIn(resource.split("/")[0], self.template["Resources"])

    def test_a_function_writes_only_its_own_logs(self):
        for name in of_type(self.template, "AWS::Serverless::Function"):
            logs = {resource for action, resource, _ in roles_of(self.template)[name] if action.startswith("logs:")}
            self.assertEqual(logs, {f"{name}Logs"})

    def test_only_who_opens_or_seals_secrets_reads_the_root_keys(self):
        may = {name for name, role in ROLES.items() if any(action.startswith("secretsmanager:") for action, _, _ in role)}
        self.assertEqual(may, {"Api", "Renewer", "Syncer", *RECEIVERS})

    # That the comparison can fail.

    def test_an_action_more_is_reported(self):
        statement = self.statement("Api", "EraseDocuments")
        statement["Action"] = [statement["Action"], "s3:PutObject"]
        self.assert_reported("Api may", "does not say so", "s3:PutObject")

    def test_a_resource_more_is_reported(self):
        statement = self.statement("Api", "BeginJobs")
        statement["Resource"] = [statement["Resource"], {"Fn::GetAtt": ["DeadLettersQueue", "Arn"]}]
        self.assert_reported("Api may", "does not say so", "DeadLettersQueue")

    def test_a_wider_resource_is_reported_in_both_directions(self):
        self.statement("ReceiverShopify", "PutLargeBodies")["Resource"] = {"Fn::Sub": "${Bucket.Arn}/*"}
        self.assert_reported("ReceiverShopify may", "Bucket/*")
        self.assert_reported("ReceiverShopify may not", "Bucket/claims/shopify/*")

    def test_a_lost_condition_is_reported(self):
        del self.statement("ReceiverShopify", "ReadItsEndpoints")["Condition"]
        self.assert_reported("ReceiverShopify may", "does not say so", "dynamodb:GetItem")

    def test_what_is_allowed_only_sometimes_is_told_apart_from_what_always_is(self):
        statements = self.statements("Api")
        (at,) = [at for at, one in enumerate(statements) if "Fn::If" in one]
        statements[at] = statements[at]["Fn::If"][1]
        self.assert_reported("Api may", "does not say so", "FrontSecret")
        self.assert_reported("Api may not", "FrontSecret", "HasFront")

    def test_nobody_but_the_api_writes_tokens_and_poller_and_renewer_write_what_is_theirs_only(self):
        own = {"Poller": "RemoveWhatWasSent", "Renewer": "KeepSubscriptions"}

        def decide(name, action, key):
            condition = self.statement(name, own.get(name, "ReadAndCommit"))["Condition"]
            statement = {"Effect": "Allow", "Action": f"dynamodb:{action}", "Resource": "*", "Condition": condition}
            need = Need(f"dynamodb:{action}", "table", {"dynamodb:LeadingKeys": (key,)})
            return Policy([{"Statement": [statement]}]).decide(need).allowed

        # How `shared/store/src/key.rs` writes partitions.
        for key, processor, poller, renewer in [
            ("T#acme#N#conn#07", True, False, False),
            ("T#acme#L", True, False, False),
            ("T#acme#W", True, True, False),
            ("T#acme#B", True, False, True),
            ("T#acme#J#00", True, False, True),
            ("T#acme#subscriptions", True, False, True),
            # What was chosen for calendars, and blocks in them.
            ("T#acme#calendars", True, False, False),
            ("T#acme#blocks", True, False, False),
            ("T#acme#block-names", True, False, False),
            ("E#shopify#aaaa", True, False, True),
            ("R#shopify#aaaa#product#1", True, False, False),
            ("T#acme#K", True, False, False),
            ("K#aaaa", False, False, False),
            ("K#T#acme#W", False, False, False),
            ("K#T#acme#B", False, False, False),
        ]:
            with self.subTest(key=key):
                self.assertEqual(decide("Processor", "PutItem", key), processor)
                self.assertEqual(decide("Syncer", "PutItem", key), processor)
                self.assertEqual(decide("Poller", "DeleteItem", key), poller)
                self.assertEqual(decide("Renewer", "PutItem", key), renewer)

    def test_a_permission_less_is_reported(self):
        self.statements("Processor").remove(self.statement("Processor", "Publish"))
        self.assert_reported("Processor may not", "events:PutEvents")

    def test_what_is_allowed_by_exclusion_is_reported(self):
        self.statements("Poller").append(
            {"Sid": "Most", "Effect": "Allow", "NotAction": "iam:*", "Resource": {"Fn::GetAtt": ["Table", "Arn"]}}
        )
        self.assert_reported("Poller may", "no plain permission")

    def test_a_managed_policy_is_reported(self):
        role = self.template["Resources"]["PollerRole"]["Properties"]
        role["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/AdministratorAccess"]
        self.assert_reported("PollerRole has ManagedPolicyArns")

    def test_policies_of_sam_are_reported(self):
        self.template["Resources"]["Poller"]["Properties"]["Policies"] = ["AmazonDynamoDBFullAccess"]
        self.assert_reported("Poller has Policies beside its role")

    def test_somebody_elses_role_is_reported(self):
        self.template["Resources"]["Poller"]["Properties"]["Role"] = {"Fn::GetAtt": ["ProcessorRole", "Arn"]}
        self.assert_reported("Poller does not have its own role")

    def test_a_wider_trust_is_reported(self):
        role = self.template["Resources"]["PollerScheduleRole"]["Properties"]
        del role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
        self.assert_reported("PollerScheduleRole may be taken on by")

    def test_a_role_more_is_reported(self):
        self.template["Resources"]["SpareRole"] = copy.deepcopy(self.template["Resources"]["ProcessorRole"])
        self.assert_reported("Spare may", "dynamodb:PutItem")


if __name__ == "__main__":
    unittest.main()
