"""Alarms, the dashboard and outputs; and that each receiver's section stands alone and can be left out."""

import json
import re
import tomllib
import unittest

import yaml
from emulator import CHECKOUT
from providers import PROVIDERS, RECEIVERS, logical
from template import Loader, load, of_type

TEXT = (CHECKOUT / "infra/template.yaml").read_text()


def section(name, title="receiver"):
    """The lines between a provider's markers."""
    found = re.findall(rf"^  # >>> {title}: {name}\n(.*?)^  # <<< {title}: {name}\n", TEXT, re.DOTALL | re.MULTILINE)
    return found[0] if len(found) == 1 else ""


def references(value):
    """Every logical id that a value refers to."""
    if isinstance(value, list):
        return {name for one in value for name in references(one)}
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, one in value.items():
        if key == "Ref":
            found.add(one)
        elif key == "Fn::GetAtt":
            found.add(one[0])
        elif key == "Fn::Sub":
            found |= set(re.findall(r"\$\{([\w:]+)", one if isinstance(one, str) else one[0]))
        if key not in ("Ref", "Fn::GetAtt"):
            found |= references(one)
    return found


class WatchingTest(unittest.TestCase):
    def setUp(self):
        self.template = load()
        alarms = of_type(self.template, "AWS::CloudWatch::Alarm")
        self.alarms = {name: alarm["Properties"] for name, alarm in alarms.items()}

    def watched(self, namespace, metric):
        """What the alarms on a metric watch: the values of their dimensions."""
        return {
            tuple(json.dumps(dimension["Value"]) for dimension in alarm["Dimensions"])
            for alarm in self.alarms.values()
            if (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric)
        }


class Alarms(WatchingTest):
    def test_every_function_has_one_for_errors_and_one_for_throttles(self):
        functions = {(json.dumps({"Ref": name}),) for name in of_type(self.template, "AWS::Serverless::Function")}
        self.assertEqual(self.watched("AWS/Lambda", "Errors"), functions)
        self.assertEqual(self.watched("AWS/Lambda", "Throttles"), functions)

    def test_every_queue_has_one_for_the_age_of_the_oldest_message(self):
        names = ("NoticesQueue", "PriorityQueue", "JobsQueue")
        queues = {(json.dumps({"Fn::GetAtt": [name, "QueueName"]}),) for name in names}
        self.assertEqual(self.watched("AWS/SQS", "ApproximateAgeOfOldestMessage"), queues)
        for alarm in self.alarms.values():
            if alarm["MetricName"] == "ApproximateAgeOfOldestMessage":
                # A message may be put off by as long as a queue can hold it back.
                self.assertGreater(alarm["Threshold"], 900)

    def test_dead_letters_are_seen_in_the_queue_and_in_what_the_processor_counts(self):
        queue = {(json.dumps({"Fn::GetAtt": ["DeadLettersQueue", "QueueName"]}),)}
        self.assertEqual(self.watched("AWS/SQS", "ApproximateNumberOfMessagesVisible"), queue)
        counted = {(json.dumps(provider), '"dead"') for provider in (*PROVIDERS, "hooktide", "unknown")}
        self.assertEqual(self.watched("Hooktide", "Messages"), counted)

    def test_an_outage_that_crashes_nothing_is_seen_by_what_is_answered_and_by_what_waits(self):
        failed = {(json.dumps(provider), '"failed"') for provider in PROVIDERS}
        self.assertEqual(self.watched("Hooktide", "Deliveries"), failed)
        notices = {(json.dumps({"Fn::GetAtt": ["NoticesQueue", "QueueName"]}),)}
        self.assertEqual(self.watched("AWS/SQS", "ApproximateNumberOfMessagesDelayed"), notices)

    def test_every_provider_has_one_for_the_share_accepted_after_three_seconds(self):
        accepted = {(json.dumps(provider), '"accepted"') for provider in PROVIDERS}
        self.assertEqual(self.watched("Hooktide", "AcceptanceTime"), accepted)
        for alarm in self.alarms.values():
            if alarm["MetricName"] == "AcceptanceTime":
                start, end = re.fullmatch(r"PR\((\d+):(\d+)\)", alarm["ExtendedStatistic"]).groups()
                self.assertEqual(int(start), 3_000)
                longest = max(self.template["Resources"][name]["Properties"]["Timeout"] for name in RECEIVERS)
                self.assertGreater(int(end), longest * 1000)

    def test_a_flood_is_seen_before_the_throttle_turns_providers_away(self):
        api = {(json.dumps({"Ref": "HttpApi"}),)}
        self.assertEqual(self.watched("AWS/ApiGateway", "Count"), api)
        self.assertEqual(self.watched("AWS/ApiGateway", "4xx"), api)
        parameters = self.template["Parameters"]
        self.assertEqual(self.alarms["RequestsAlarm"]["Threshold"], {"Ref": "RequestsAlarmPerMinute"})
        self.assertEqual(self.alarms["RefusedAlarm"]["Threshold"], {"Ref": "RefusedAlarmPerMinute"})
        prod = tomllib.loads((CHECKOUT / "infra/samconfig.toml").read_text())["prod"]["deploy"]["parameters"]
        for set_here in ({}, dict(one.split("=", 1) for one in prod["parameter_overrides"])):
            let_through, alarm = (
                int(set_here.get(name, parameters[name]["Default"])) for name in ("RequestsPerSecond", "RequestsAlarmPerMinute")
            )
            # Both are of all routes together, and the throttle is of each: no route comes near it unseen.
            self.assertEqual(alarm, let_through * 60 * 4 // 5)

    def test_silence_is_no_alarm_and_alarms_go_where_they_are_wanted(self):
        for name, alarm in self.alarms.items():
            with self.subTest(alarm=name):
                self.assertEqual(alarm["TreatMissingData"], "notBreaching")
                self.assertEqual(
                    alarm["AlarmActions"],
                    {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]},
                )
                self.assertGreater(len(alarm["AlarmDescription"]), 20)

    def test_own_metrics_are_those_that_the_functions_write(self):
        source = (CHECKOUT / "functions/src/metrics.rs").read_text()
        for alarm in self.alarms.values():
            if not alarm["Namespace"].startswith("AWS/"):
                self.assertIn(f'"{alarm["Namespace"]}"', source)
                self.assertIn(f'"{alarm["MetricName"]}"', source)
                self.assertEqual([one["Name"] for one in alarm["Dimensions"]], ["provider", "outcome"])


class Dashboards(WatchingTest):
    def test_the_dashboard_is_json_and_shows_what_the_alarms_are_about(self):
        (dashboard,) = of_type(self.template, "AWS::CloudWatch::Dashboard").values()
        body = dashboard["Properties"]["DashboardBody"]["Fn::Sub"]
        widgets = json.loads(re.sub(r"\$\{[\w:.]+}", "x", body))["widgets"]
        shown = json.dumps(widgets)
        for alarm in self.alarms.values():
            self.assertIn(alarm["MetricName"], shown)

    def test_no_two_widgets_cover_each_other(self):
        (dashboard,) = of_type(self.template, "AWS::CloudWatch::Dashboard").values()
        body = dashboard["Properties"]["DashboardBody"]["Fn::Sub"]
        taken = set()
        for widget in json.loads(re.sub(r"\$\{[\w:.]+}", "x", body))["widgets"]:
            self.assertLessEqual(widget["x"] + widget["width"], 24)
            for x in range(widget["x"], widget["x"] + widget["width"]):
                for y in range(widget["y"], widget["y"] + widget["height"]):
                    self.assertNotIn((x, y), taken)
                    taken.add((x, y))


class Outputs(WatchingTest):
    def test_they_say_where_everything_is(self):
        self.assertEqual(
            set(self.template["Outputs"]),
            {"ApiUrl", "DomainTarget", "ProcessorFunction", "SyncerFunction", "ApiFunction"}
            | {"RenewerFunction", "PollerFunction"}
            | {"TableName", "NoticesQueueUrl", "PriorityQueueUrl", "JobsQueueUrl", "DeadLettersQueueUrl"}
            | {"BusName", "BucketName", "RootKeysArn"}
            | {f"WebhookUrl{logical(provider)}" for provider in PROVIDERS}
            | {f"Receiver{logical(provider)}Function" for provider in PROVIDERS},
        )

    def test_they_hold_no_secret(self):
        outputs = TEXT.partition("\nOutputs:\n")[2]
        self.assertNotIn("resolve:secretsmanager", outputs)
        # Only the front reads one, into the header that proves it.
        self.assertEqual(TEXT.count("resolve:secretsmanager"), 1)


class Providers(WatchingTest):
    def test_every_provider_has_its_sections(self):
        for provider in PROVIDERS:
            with self.subTest(provider=provider):
                self.assertTrue(section(provider))
                self.assertTrue(section(provider, "outputs of the receiver"))
        self.assertEqual(sorted(re.findall(r"# >>> receiver: (\S+)", TEXT)), PROVIDERS)

    def test_a_section_has_all_of_a_receiver_and_nothing_else(self):
        for provider in PROVIDERS:
            name = f"Receiver{logical(provider)}"
            parts = ("", "Role", "Logs", "Integration", "Route", "Permission")
            parts += ("ErrorsAlarm", "ThrottlesAlarm", "FailedAlarm", "SlowAlarm")
            expected = {name + part for part in parts} | {f"DeadLetters{logical(provider)}Alarm"}
            self.assertEqual(set(yaml.load(section(provider), Loader)), expected)

    def test_a_section_stands_alone(self):
        everything = set(self.template["Resources"]) | set(self.template["Parameters"])
        for provider in PROVIDERS:
            inside = yaml.load(section(provider), Loader)
            others = {name: one for name, one in self.template["Resources"].items() if name not in inside}
            used = {name for name in references(inside) if not name.startswith("AWS::")}
            self.assertLessEqual(used, everything)
            self.assertEqual(references(others) & set(inside), set(), "nothing outside refers into it")

    def test_a_section_names_no_other_provider(self):
        for provider in PROVIDERS:
            for title in ("receiver", "outputs of the receiver"):
                text = section(provider, title)
                for other in set(PROVIDERS) - {provider}:
                    self.assertNotRegex(text, rf"\b{other}\b|[a-z]{logical(other)}(?![a-z])")

    def test_a_receiver_can_be_left_out_with_all_that_is_its_own(self):
        for provider in PROVIDERS:
            with self.subTest(provider=provider):
                wanted = f"Receives{logical(provider)}"
                self.assertEqual(
                    self.template["Conditions"][wanted], {"Fn::Equals": [{"Ref": f"Receive{logical(provider)}"}, "true"]}
                )
                self.assertEqual(self.template["Parameters"][f"Receive{logical(provider)}"]["Default"], "true")
                for title in ("receiver", "outputs of the receiver"):
                    for name, one in yaml.load(section(provider, title), Loader).items():
                        self.assertEqual(one["Condition"], wanted, name)


if __name__ == "__main__":
    unittest.main()
