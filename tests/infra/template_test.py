"""What the template promises beyond what linters know: times that fit each other, and nothing public, lost or forgotten."""

import json
import re
import tomllib
import unittest

from emulator import CHECKOUT
from expansion import expanded
from providers import RECEIVERS
from template import load, of_type, retained

FUNCTIONS = {*RECEIVERS, "Processor", "Syncer", "Api", "Renewer", "Poller"}
# Settings of the operator that the template has a parameter for; the others are as they are by default.
SETTINGS = {
    "HOOKTIDE_DEBOUNCE_MILLISECONDS": "DebounceMilliseconds",
    "HOOKTIDE_POLL_FLOOR_SECONDS": "PollFloorSeconds",
    "HOOKTIDE_SILENCE_SECONDS": "SilenceSeconds",
}
QUEUES = {"NoticesQueue", "PriorityQueue", "JobsQueue", "DeadLettersQueue"}
KEPT = {"Table", "Bucket", "BucketPolicy", "RootKeys"}


def overrides(environment):
    """The parameters that `infra/samconfig.toml` sets."""
    configured = tomllib.loads((CHECKOUT / "infra/samconfig.toml").read_text())[environment]
    return dict(one.split("=", 1) for one in configured["deploy"]["parameters"]["parameter_overrides"])


def arn(name):
    """How the template refers to a resource's ARN."""
    return {"Fn::GetAtt": [name, "Arn"]}


class TemplateTest(unittest.TestCase):
    def setUp(self):
        self.template = load()

    def properties(self, name):
        return self.template["Resources"][name]["Properties"]

    def of_type(self, *kinds):
        return {name: one["Properties"] for name, one in of_type(self.template, *kinds).items()}


class Functions(TemplateTest):
    def test_there_are_these(self):
        self.assertEqual(set(self.of_type("AWS::Serverless::Function")), FUNCTIONS)

    def test_every_one_is_built_beforehand_for_al2023(self):
        shared = self.template["Globals"]["Function"]
        self.assertEqual((shared["Runtime"], shared["Handler"]), ("provided.al2023", "bootstrap"))
        self.assertEqual(shared["Architectures"], [{"Ref": "Architecture"}])
        for name, function in of_type(self.template, "AWS::Serverless::Function").items():
            with self.subTest(function=name):
                binary = "receiver" if name.startswith("Receiver") else name.lower()
                self.assertEqual(function["Properties"]["CodeUri"], f"../build/lambda/{binary}/")
                self.assertEqual(function["Metadata"], {"SkipBuild": True})

    def test_every_one_has_its_own_role_and_logs_that_are_kept_for_a_time(self):
        for name, function in self.of_type("AWS::Serverless::Function").items():
            with self.subTest(function=name):
                self.assertEqual(function["Role"], arn(f"{name}Role"))
                self.assertEqual(function["LoggingConfig"], {"LogGroup": {"Ref": f"{name}Logs"}})
                logged = self.properties(f"{name}Logs")["LogGroupName"]["Fn::Sub"]
                self.assertEqual(logged, f"/aws/lambda/{function['FunctionName']['Fn::Sub']}")
        for name, logs in self.of_type("AWS::Logs::LogGroup").items():
            with self.subTest(logs=name):
                self.assertEqual(logs["RetentionInDays"], {"Ref": "LogRetentionDays"})

    def test_they_are_told_all_that_they_read_from_the_environment(self):
        source = (CHECKOUT / "functions/src/environment.rs").read_text()
        read = set(re.findall(r'name: "(HOOKTIDE_\w+)"', source))
        self.assertEqual(set(self.variables()), read | set(SETTINGS) | set(self.apis()))
        for name, function in self.of_type("AWS::Serverless::Function").items():
            self.assertNotIn("Environment", function, f"{name} is told something that others are not")

    def variables(self):
        return self.template["Globals"]["Function"]["Environment"]["Variables"]

    def apis(self):
        """The variables that move a provider's API, or its consent, to another address."""
        return {name: told for name, told in self.variables().items() if name.endswith(("_API", "_OAUTH"))}

    def test_settings_have_the_bounds_and_defaults_that_the_functions_know(self):
        source = (CHECKOUT / "shared/flows/src/settings.rs").read_text()
        rows = re.findall(r'"(HOOKTIDE_\w+)" ([\d_]+) <= ([\d_]+) <= ([\d_]+),', source)
        known = {name: tuple(map(int, numbers)) for name, *numbers in rows}
        for variable, parameter in SETTINGS.items():
            with self.subTest(variable):
                self.assertEqual(self.variables()[variable], {"Ref": parameter})
                declared = self.template["Parameters"][parameter]
                self.assertEqual((declared["MinValue"], declared["Default"], declared["MaxValue"]), known[variable])

    def test_every_api_is_at_its_usual_address_unless_somebody_says_another(self):
        self.assertLessEqual({"HOOKTIDE_EBAY_API", "HOOKTIDE_SQUARE_OAUTH"}, set(self.apis()))
        for variable, told in self.apis().items():
            with self.subTest(variable):
                named = "".join(part.title() for part in variable.removeprefix("HOOKTIDE_").split("_"))
                self.assertEqual(told, {"Ref": named})
                self.assertEqual(self.template["Parameters"][named]["Default"], "")

    def test_no_private_host_is_ever_called(self):
        self.assertNotIn("HOOKTIDE_PRIVATE_HOSTS", json.dumps(self.template))

    def test_lambda_hands_our_lines_on_as_they_are_and_adds_none_to_a_run_that_went_well(self):
        logging = {"LogFormat": "JSON", "ApplicationLogLevel": "TRACE", "SystemLogLevel": {"Ref": "SystemLogLevel"}}
        functions = of_type(expanded(self.template), "AWS::Lambda::Function")
        self.assertEqual(set(functions), FUNCTIONS)
        for name, function in functions.items():
            expected = {**logging, "LogGroup": {"Ref": f"{name}Logs"}}
            self.assertEqual(function["Properties"]["LoggingConfig"], expected)
        self.assertEqual(self.template["Parameters"]["SystemLogLevel"]["Default"], "WARN")

    def test_concurrency_is_reserved_only_where_somebody_asks_for_it(self):
        own = {name: name for name in ("Processor", "Api", "Renewer")}
        for name, parameter in {**dict.fromkeys(RECEIVERS, "Receiver"), **own}.items():
            with self.subTest(function=name):
                chosen, reserved, otherwise = self.properties(name)["ReservedConcurrentExecutions"]["Fn::If"]
                self.assertEqual(reserved, {"Ref": f"{parameter}ReservedConcurrency"})
                self.assertEqual(otherwise, {"Ref": "AWS::NoValue"})
                self.assertEqual(self.template["Parameters"][f"{parameter}ReservedConcurrency"]["Default"], "")
                self.assertIn(reserved, self.template["Conditions"][chosen]["Fn::Not"][0]["Fn::Equals"])

    def test_production_keeps_concurrency_for_receivers_api_and_renewer_and_leaves_most_to_others(self):
        prod = overrides("prod")
        receivers, api = int(prod["ReceiverReservedConcurrency"]), int(prod["ApiReservedConcurrency"])
        renewer = int(prod["RenewerReservedConcurrency"])
        self.assertLessEqual(len(RECEIVERS) * receivers + api + renewer + int(prod["ProcessorConcurrency"]), 500)
        self.assertGreaterEqual(renewer, 2, "a run may still go on when the next begins")
        self.assertFalse([name for name in overrides("default") if name.endswith("ReservedConcurrency")])

    def test_poller_and_renewer_run_each_minute_and_do_not_try_again_before_the_next(self):
        for name in ("Poller", "Renewer"):
            with self.subTest(function=name):
                (schedule,) = self.properties(name)["Events"].values()
                self.assertEqual(schedule["Type"], "ScheduleV2")
                self.assertEqual(schedule["Properties"]["ScheduleExpression"], "rate(1 minute)")
                # Without a name of the stack's, two stacks of one account would have the same.
                self.assertEqual(schedule["Properties"]["Name"], {"Fn::Sub": f"${{AWS::StackName}}-{name.lower()}"})
                self.assertEqual(schedule["Properties"]["RetryPolicy"]["MaximumRetryAttempts"], 0)
                self.assertEqual(self.properties(name)["EventInvokeConfig"]["MaximumRetryAttempts"], 0)

    def test_the_renewer_takes_no_messages_so_that_no_flood_of_them_delays_it(self):
        self.assertEqual([event["Type"] for event in self.properties("Renewer")["Events"].values()], ["ScheduleV2"])


class Times(TemplateTest):
    def table(self):
        """The one table of times, by function: how long a run, its lease and the hiding of its messages last."""
        source = (CHECKOUT / "shared/store/src/times.rs").read_text()
        seconds = r"seconds\((\d+)\)"
        row = rf"const (\w+): Times =\s+Times {{ run: {seconds}, reserve: seconds\(\d+\), lease: {seconds}, visibility: {seconds}"
        return {name.title(): tuple(map(int, numbers)) for name, *numbers in re.findall(row, source)}

    def mappings(self, function):
        return {name: one["Properties"] for name, one in self.properties(function)["Events"].items()}

    def test_functions_and_their_queues_have_the_times_of_the_table(self):
        table = self.table()
        self.assertEqual(set(table), {"Processor", "Syncer"})
        served = set()
        for name, (run, lease, visibility) in table.items():
            self.assertEqual(self.properties(name)["Timeout"], run)
            self.assertLess(run, lease)
            self.assertLess(lease, visibility)
            for mapping in self.mappings(name).values():
                queue = mapping["Queue"]["Fn::GetAtt"][0]
                served.add(queue)
                with self.subTest(function=name, queue=queue):
                    self.assertEqual(self.properties(queue)["VisibilityTimeout"], visibility)
        self.assertEqual(served, QUEUES)
        self.assertLess(self.properties("Poller")["Timeout"], table["Processor"][1])
        # It holds marks as the syncer does, for as long.
        self.assertLess(self.properties("Renewer")["Timeout"], table["Syncer"][1])

    def test_a_message_stays_hidden_for_six_time_outs_and_the_batching_window(self):
        for name, (run, _, visibility) in self.table().items():
            for mapping in self.mappings(name).values():
                self.assertGreaterEqual(visibility, 6 * run + mapping["MaximumBatchingWindowInSeconds"])

    def test_a_message_that_waits_for_long_is_not_taken_for_a_loop(self):
        for name in ("Processor", "Syncer"):
            self.assertEqual(self.properties(name)["RecursiveLoop"], "Allow")

    def test_a_receiver_answers_or_ends_before_api_gateway_gives_up(self):
        # One that fetches keys may wait for them.
        times = {**dict.fromkeys(RECEIVERS, 10), "ReceiverEbay": 15}
        self.assertEqual({name: self.properties(name)["Timeout"] for name in RECEIVERS}, times)
        self.assertLessEqual(self.properties("Api")["Timeout"], 30)

    def test_dead_letters_are_kept_for_two_weeks_and_longer_than_what_they_came_from(self):
        dead = self.properties("DeadLettersQueue")["MessageRetentionPeriod"]
        self.assertEqual(dead, 14 * 24 * 3600)
        for name in QUEUES - {"DeadLettersQueue"}:
            self.assertLess(self.properties(name)["MessageRetentionPeriod"], dead)


class Queues(TemplateTest):
    def test_there_are_these(self):
        self.assertEqual(set(self.of_type("AWS::SQS::Queue")), QUEUES)

    def test_a_message_may_have_a_mebibyte(self):
        for name in QUEUES:
            self.assertEqual(self.properties(name)["MaximumMessageSize"], 1_048_576)

    def test_ten_receives_are_enough(self):
        for name in QUEUES - {"DeadLettersQueue"}:
            redrive = {"deadLetterTargetArn": arn("DeadLettersQueue"), "maxReceiveCount": 10}
            self.assertEqual(self.properties(name)["RedrivePolicy"], redrive)
        self.assertNotIn("RedrivePolicy", self.properties("DeadLettersQueue"))

    def test_only_these_queues_have_their_dead_letters_there(self):
        allowed = self.properties("DeadLettersQueue")["RedriveAllowPolicy"]
        self.assertEqual(allowed["redrivePermission"], "byQueue")
        prefix = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:"
        names = [self.properties(name)["QueueName"]["Fn::Sub"] for name in ("NoticesQueue", "PriorityQueue", "JobsQueue")]
        self.assertEqual(allowed["sourceQueueArns"], [{"Fn::Sub": prefix + name} for name in names])

    def test_processor_and_syncer_take_batches_as_the_design_says(self):
        def mapping(queue, size, window, concurrency):
            properties = {
                "Queue": arn(queue),
                "BatchSize": size,
                "MaximumBatchingWindowInSeconds": window,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            }
            if concurrency:
                properties["ScalingConfig"] = {"MaximumConcurrency": concurrency}
            return {"Type": "SQS", "Properties": properties}

        self.assertEqual(
            self.properties("Processor")["Events"],
            {
                "Notices": mapping("NoticesQueue", 25, 2, {"Ref": "ProcessorConcurrency"}),
                "Priority": mapping("PriorityQueue", 10, 0, None),
                "DeadLetters": mapping("DeadLettersQueue", 10, 0, 2),
            },
        )
        self.assertEqual(
            self.properties("Syncer")["Events"], {"Jobs": mapping("JobsQueue", 1, 0, {"Ref": "SyncerConcurrency"})}
        )

    def test_batches_over_ten_have_a_window(self):
        # Lambda refuses them otherwise, and no linter says so.
        for event in self.properties("Processor")["Events"].values():
            if event["Properties"]["BatchSize"] > 10:
                self.assertGreaterEqual(event["Properties"]["MaximumBatchingWindowInSeconds"], 1)


class HttpApi(TemplateTest):
    def test_webhooks_go_to_their_receiver_and_everything_else_to_the_api(self):
        targets = {}
        for name, route in self.of_type("AWS::ApiGatewayV2::Route").items():
            integration = re.fullmatch(r"integrations/\$\{(\w+)}", route["Target"]["Fn::Sub"])[1]
            targets[route["RouteKey"]] = self.properties(integration)["IntegrationUri"]
        receivers = {f"ANY /webhooks/{provider}/{{id}}": arn(name) for name, provider in RECEIVERS.items()}
        self.assertEqual(targets, {**receivers, "$default": arn("Api")})
        for integration in self.of_type("AWS::ApiGatewayV2::Integration").values():
            self.assertEqual((integration["IntegrationType"], integration["PayloadFormatVersion"]), ("AWS_PROXY", "2.0"))

    def test_cors_is_the_functions_own(self):
        self.assertNotIn("CorsConfiguration", self.properties("HttpApi"))

    def test_changes_are_deployed_and_bursts_are_bounded(self):
        stage = self.properties("Stage")
        self.assertEqual((stage["StageName"], stage["AutoDeploy"]), ("$default", True))
        self.assertEqual(
            stage["DefaultRouteSettings"],
            {"ThrottlingRateLimit": {"Ref": "RequestsPerSecond"}, "ThrottlingBurstLimit": {"Ref": "RequestsInBurst"}},
        )

    def test_the_access_log_has_no_query_and_no_header(self):
        log = json.loads(self.properties("Stage")["AccessLogSettings"]["Format"])
        self.assertEqual(log["path"], "$context.path")
        logged = {value.removeprefix("$context.") for value in log.values()}
        allowed = "requestId requestTimeEpoch identity.sourceIp routeKey httpMethod path status responseLatency"
        self.assertEqual(logged, {*allowed.split(), "responseLength", "integrationErrorMessage"})

    def test_a_domain_is_optional_and_then_is_what_providers_are_told(self):
        for name in ("Domain", "DomainMapping"):
            self.assertEqual(self.template["Resources"][name]["Condition"], "HasOwnDomain")
        front = {"Fn::Sub": "https://${FrontDistribution.DomainName}"}
        without = {"Fn::If": ["HasFront", front, {"Fn::GetAtt": ["HttpApi", "ApiEndpoint"]}]}
        address = {"Fn::If": ["HasDomain", {"Fn::Sub": "https://${DomainName}"}, without]}
        told = self.template["Globals"]["Function"]["Environment"]["Variables"]["HOOKTIDE_PUBLIC_URL"]
        self.assertEqual((told, self.template["Outputs"]["ApiUrl"]["Value"]), (address, address))


class Front(TemplateTest):
    """The distribution that may stand in front."""

    def distribution(self):
        return self.properties("FrontDistribution")["DistributionConfig"]

    def test_there_is_none_unless_somebody_asks_for_it(self):
        self.assertEqual(self.template["Parameters"]["Front"]["Default"], "none")
        named = {name: one["Condition"] for name, one in self.template["Resources"].items() if name.startswith("Front")}
        made = {"FrontSecret": "HasFront", "FrontDistribution": "HasFront", "FrontWebAcl": "MakesWebAcl"}
        self.assertEqual(named, made)

    def test_it_proves_itself_by_a_secret_that_the_functions_ask_for(self):
        (origin,) = self.distribution()["Origins"]
        (header,) = origin["OriginCustomHeaders"]
        source = (CHECKOUT / "functions/src/front.rs").read_text()
        self.assertIn(f'const PROOF: &str = "{header["HeaderName"]}";', source)
        value = "{{resolve:secretsmanager:${FrontSecret}:SecretString:current}}"
        self.assertEqual(header["HeaderValue"], {"Fn::Sub": value})
        told = self.template["Globals"]["Function"]["Environment"]["Variables"]["HOOKTIDE_FRONT_SECRET"]
        self.assertEqual(told, {"Fn::If": ["HasFront", {"Fn::GetAtt": ["FrontSecret", "Id"]}, ""]})
        self.assertGreaterEqual(self.properties("FrontSecret")["GenerateSecretString"]["PasswordLength"], 32)

    def test_it_hands_everything_on_as_it_came_and_remembers_nothing(self):
        behaviour = self.distribution()["DefaultCacheBehavior"]
        self.assertEqual(len(behaviour["AllowedMethods"]), 7)
        self.assertEqual(behaviour["CachePolicyId"], "4135ea2d-6df8-44a3-9df3-4b5a84be39ad")
        self.assertEqual(behaviour["OriginRequestPolicyId"], "b689b0a8-53d0-40ab-baf2-68738e2966ac")
        self.assertEqual((behaviour["Compress"], behaviour["ViewerProtocolPolicy"]), (False, "https-only"))
        (origin,) = self.distribution()["Origins"]
        self.assertEqual(origin["CustomOriginConfig"]["OriginProtocolPolicy"], "https-only")

    def test_an_address_that_sends_too_often_is_told_to_come_later(self):
        acl = self.properties("FrontWebAcl")
        self.assertEqual((acl["Scope"], acl["DefaultAction"]), ("CLOUDFRONT", {"Allow": {}}))
        (rule,) = acl["Rules"]
        limit = {"AggregateKeyType": "IP", "EvaluationWindowSec": 300, "Limit": {"Ref": "FrontRequestsPerAddress"}}
        self.assertEqual(rule["Statement"], {"RateBasedStatement": limit})
        self.assertEqual(rule["Action"], {"Block": {"CustomResponse": {"ResponseCode": 429}}})
        acls = ["MakesWebAcl", {"Fn::GetAtt": ["FrontWebAcl", "Arn"]}, {"Ref": "FrontWebAclArn"}]
        self.assertEqual(self.distribution()["WebACLId"], {"Fn::If": acls})

    def test_a_replaced_secret_reaches_it_by_a_parameter(self):
        self.assertIn("${FrontSecretRotation}", self.distribution()["Comment"]["Fn::Sub"])


class Budget(TemplateTest):
    def test_it_is_there_only_with_somebody_who_is_told(self):
        self.assertEqual(self.template["Resources"]["Budget"]["Condition"], "HasBudget")
        for parameter in ("MonthlyBudget", "BudgetEmail"):
            self.assertEqual(self.template["Parameters"][parameter]["Default"], "")
            given = {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}
            self.assertIn(given, self.template["Conditions"]["HasBudget"]["Fn::And"])
        for told in self.properties("Budget")["NotificationsWithSubscribers"]:
            self.assertEqual(told["Subscribers"], [{"SubscriptionType": "EMAIL", "Address": {"Ref": "BudgetEmail"}}])


class Storage(TemplateTest):
    def test_what_cannot_be_made_again_stays_when_the_stack_goes(self):
        self.assertEqual(retained(self.template), KEPT)
        for name in KEPT:
            self.assertEqual(self.template["Resources"][name]["UpdateReplacePolicy"], "Retain")

    def test_what_stays_has_no_name_that_would_be_in_the_way_of_the_next_stack(self):
        for name, key in {"Table": "TableName", "Bucket": "BucketName", "RootKeys": "Name"}.items():
            self.assertNotIn(key, self.properties(name))

    def test_the_table_is_as_the_records_need_it(self):
        table = self.properties("Table")
        keys = {one["AttributeName"]: one["KeyType"] for one in table["KeySchema"]}
        self.assertEqual(keys, {"pk": "HASH", "sk": "RANGE"})
        (index,) = table["GlobalSecondaryIndexes"]
        self.assertEqual((index["IndexName"], index["Projection"]), ("due", {"ProjectionType": "ALL"}))
        keys = {one["AttributeName"]: one["KeyType"] for one in index["KeySchema"]}
        self.assertEqual(keys, {"due_pk": "HASH", "due_at": "RANGE"})
        types = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
        self.assertEqual(types, {"pk": "S", "sk": "S", "due_pk": "S", "due_at": "N"})
        self.assertEqual(table["TimeToLiveSpecification"], {"AttributeName": "expires_at", "Enabled": True})
        self.assertEqual(table["BillingMode"], "PAY_PER_REQUEST")

    def test_the_table_can_be_taken_back_to_any_moment_of_the_last_weeks(self):
        recovery = self.properties("Table")["PointInTimeRecoverySpecification"]
        self.assertEqual(recovery, {"PointInTimeRecoveryEnabled": True})

    def test_productions_table_is_not_deleted_by_mistake(self):
        chosen = {"Fn::If": ["IsTableProtected", True, False]}
        self.assertEqual(self.properties("Table")["DeletionProtectionEnabled"], chosen)
        self.assertEqual(self.template["Conditions"]["IsTableProtected"], {"Fn::Equals": [{"Ref": "ProtectTable"}, "true"]})
        self.assertEqual(overrides("prod")["ProtectTable"], "true")

    def test_bodies_expire_later_than_what_refers_to_them_and_documents_stay(self):
        rules = self.properties("Bucket")["LifecycleConfiguration"]["Rules"]
        self.assertTrue(all(rule["Status"] == "Enabled" for rule in rules))
        days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
        self.assertEqual(days, {"claims/": 30, "kept/": 120, "seen/": 30})
        source = (CHECKOUT / "shared/flows/src/settings.rs").read_text()
        records = {int(found) for found in re.findall(r"keep_(?:dead_letters|held): (\d+) \* DAY", source)}
        self.assertGreater(days["kept/"], max(records))

    def test_the_root_keys_are_never_made_anew(self):
        # Any change of these lines puts a new secret in the place of the one that everything is sealed with.
        self.assertEqual(
            self.properties("RootKeys")["GenerateSecretString"],
            {
                "SecretStringTemplate": '{"rotated":[]}',
                "GenerateStringKey": "first",
                "PasswordLength": 64,
                "ExcludePunctuation": True,
            },
        )


class Access(TemplateTest):
    def denials(self, policy):
        """What a resource's policy denies to everybody who comes without TLS."""
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement.get("Effect") == "Deny":
                self.assertEqual(statement["Principal"], "*")
                self.assertEqual(statement["Condition"], {"Bool": {"aws:SecureTransport": "false"}})
                yield statement

    def test_every_queue_is_encrypted_and_reached_by_tls_only(self):
        denied = {}
        for policy in self.of_type("AWS::SQS::QueuePolicy").values():
            (queue,) = policy["Queues"]
            (statement,) = self.denials(policy)
            denied[queue["Ref"]] = (statement["Action"], statement["Resource"])
        self.assertEqual(denied, {name: ("sqs:*", arn(name)) for name in QUEUES})
        for name in QUEUES:
            self.assertIs(self.properties(name)["SqsManagedSseEnabled"], True)

    def test_every_bucket_is_encrypted_and_reached_by_tls_only_and_by_nobody_from_outside(self):
        self.assertEqual(set(self.of_type("AWS::S3::Bucket")), {"Bucket"})
        bucket = self.properties("Bucket")
        (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        self.assertEqual(encryption, {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}})
        self.assertEqual(len(bucket["PublicAccessBlockConfiguration"]), 4)
        self.assertTrue(all(bucket["PublicAccessBlockConfiguration"].values()))
        (statement,) = self.denials(self.properties("BucketPolicy"))
        self.assertEqual(statement["Action"], "s3:*")
        self.assertEqual(statement["Resource"], [arn("Bucket"), {"Fn::Sub": "${Bucket.Arn}/*"}])

    def test_the_table_is_encrypted(self):
        # Always, by a key that AWS owns, unless another one is named.
        self.assertNotIn("SSESpecification", self.properties("Table"))

    def test_only_the_http_api_invokes_functions_and_only_by_its_own_routes(self):
        paths = {}
        for permission in self.of_type("AWS::Lambda::Permission").values():
            self.assertEqual(permission["Principal"], "apigateway.amazonaws.com")
            self.assertEqual(permission["Action"], "lambda:InvokeFunction")
            start, path = permission["SourceArn"]["Fn::Sub"].split("${HttpApi}")
            self.assertEqual(start, "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:")
            paths[permission["FunctionName"]["Ref"]] = path
        receivers = {name: f"/*/*/webhooks/{provider}/*" for name, provider in RECEIVERS.items()}
        self.assertEqual(paths, {**receivers, "Api": "/*/$default"})

    def test_nothing_is_allowed_to_everybody(self):
        for name, policy in self.of_type("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy").items():
            for statement in policy["PolicyDocument"]["Statement"]:
                if "Fn::If" in statement:
                    chosen, statement, otherwise = statement["Fn::If"]
                    self.assertEqual((chosen, otherwise), ("HasShopifyPartner", {"Ref": "AWS::NoValue"}))
                if statement["Effect"] == "Allow":
                    with self.subTest(policy=name, statement=statement["Sid"]):
                        self.assertEqual(statement["Principal"], {"Service": "events.amazonaws.com"})
                        self.assertEqual(
                            statement["Condition"], {"ArnEquals": {"aws:SourceArn": arn("ShopifyPartnerRule")}}
                        )
        for kind in ("AWS::Lambda::Url", "AWS::Events::EventBusPolicy", "AWS::SecretsManager::ResourcePolicy"):
            self.assertEqual(self.of_type(kind), {})
        for function in self.of_type("AWS::Serverless::Function").values():
            self.assertNotIn("FunctionUrlConfig", function)

    def test_shopifys_partner_source_is_off_unless_it_is_named(self):
        self.assertEqual(self.template["Parameters"]["ShopifyPartnerEventBus"]["Default"], "")
        self.assertEqual(self.template["Resources"]["ShopifyPartnerRule"]["Condition"], "HasShopifyPartner")
        rule = self.properties("ShopifyPartnerRule")
        self.assertEqual(rule["EventPattern"]["source"], [rule["EventBusName"]])
        self.assertEqual([target["Arn"] for target in rule["Targets"]], [arn("NoticesQueue")])

    def test_what_comes_by_shopifys_partner_source_says_whose_it_is(self):
        (target,) = self.properties("ShopifyPartnerRule")["Targets"]
        text = target["InputTransformer"]["InputTemplate"]["Fn::Sub"]
        # Not in quotes: EventBridge puts the event there as JSON.
        event = json.dumps({"detail-type": "shopifyWebhook"})
        message = text.replace("<aws.events.event.json>", event).replace("${ShopifyPartnerEndpoint}", "an endpoint")
        self.assertEqual(
            json.loads(message),
            {"provider": "shopify", "endpoint": "an endpoint", "event": {"detail-type": "shopifyWebhook"}},
        )
        (rule,) = [one for name, one in self.template["Rules"].items() if name.startswith("Partner")]
        given = [{"Fn::Not": [{"Fn::Equals": [{"Ref": f"ShopifyPartner{name}"}, ""]}]} for name in ("EventBus", "Endpoint")]
        self.assertEqual([rule["RuleCondition"], rule["Assertions"][0]["Assert"]], given)


if __name__ == "__main__":
    unittest.main()
