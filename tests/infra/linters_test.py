"""What the tools say of the template. All of them work offline."""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

import yaml
from emulator import CHECKOUT
from expansion import expanded
from template import load

INFRA = CHECKOUT / "infra"
TOOLS = Path(sys.executable).parent


def run(*command):
    """Runs a tool of the virtual environment in the checkout: its exit code, and what it wrote."""
    environment = {
        **os.environ,
        "PATH": f"{TOOLS}:{os.environ['PATH']}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAM_CLI_TELEMETRY": "0",
    }
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )
    return done.returncode, done.stdout, done.stderr


class Linters(unittest.TestCase):
    def test_sam_finds_the_template_valid(self):
        code, out, errors = run("sam", "validate", "--lint", "--template-file", "infra/template.yaml")
        self.assertEqual(code, 0, out + errors)

    def test_cfn_lint_finds_nothing(self):
        # Not in the template either: what cfn-lint is told to overlook would stand there.
        code, out, errors = run("cfn-lint", "infra/template.yaml")
        self.assertEqual((code, out), (0, ""), errors)
        self.assertNotIn("ignore_checks", (INFRA / "template.yaml").read_text())

    def lint_expanded(self, template):
        """What cfn-lint says of the template as CloudFormation sees it: of SAM's own resources it knows little."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "template.json")
            path.write_text(json.dumps(expanded(template)))
            return run("cfn-lint", str(path))

    def test_cfn_lint_finds_nothing_in_what_sam_makes_of_it(self):
        code, out, errors = self.lint_expanded(load())
        self.assertEqual((code, out), (0, ""), errors)

    def test_cfn_lint_finds_what_is_wrong(self):
        template = load()
        template["Resources"]["Processor"]["Properties"]["Timeout"] = 3000
        code, out, _ = self.lint_expanded(template)
        self.assertNotEqual(code, 0)
        self.assertIn("3000 is greater than the maximum", out)

    def checkov(self, template):
        """The ids of checkov's findings that failed, and of those that the template skips."""
        _, out, errors = run("checkov", "--config-file", "infra/checkov.yaml", "-f", template, "-o", "json")
        self.assertTrue(out.strip(), errors)
        results = json.loads(out)["results"]
        self.assertEqual(results.get("parsing_errors", []), [])
        self.assertGreater(len(results["passed_checks"]), 50)
        return [
            sorted({(one["check_id"], one["resource"]) for one in results[part]})
            for part in ("failed_checks", "skipped_checks")
        ]

    def test_checkov_finds_nothing_that_is_not_skipped_with_a_reason(self):
        failed, skipped = self.checkov("infra/template.yaml")
        self.assertEqual(failed, [])
        self.assertEqual(
            skipped,
            [
                ("CKV_AWS_119", "AWS::DynamoDB::Table.Table"),
                ("CKV_AWS_149", "AWS::SecretsManager::Secret.RootKeys"),
                ("CKV_AWS_18", "AWS::S3::Bucket.Bucket"),
                ("CKV_AWS_192", "AWS::WAFv2::WebACL.FrontWebAcl"),
                ("CKV_AWS_21", "AWS::S3::Bucket.Bucket"),
            ],
        )

    def test_checkov_finds_what_is_wrong(self):
        with tempfile.TemporaryDirectory() as folder:
            wrong = Path(folder, "template.yaml")
            text = (INFRA / "template.yaml").read_text()
            wrong.write_text(text.replace("BlockPublicPolicy: true", "BlockPublicPolicy: false"))
            failed, _ = self.checkov(str(wrong))
        self.assertEqual(failed, [("CKV_AWS_54", "AWS::S3::Bucket.Bucket")])

    def test_every_skip_says_why(self):
        for name, resource in load()["Resources"].items():
            for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
                with self.subTest(resource=name, check=skip["id"]):
                    self.assertGreater(len(skip.get("comment", "")), 20)
        text = (INFRA / "checkov.yaml").read_text()
        lines = text.splitlines()
        for check in yaml.safe_load(text)["skip-check"]:
            with self.subTest(check=check):
                self.assertTrue(lines[lines.index(f"  - {check}") - 1].startswith("  # "))


class Configurations(unittest.TestCase):
    def setUp(self):
        self.configurations = tomllib.loads((INFRA / "samconfig.toml").read_text())
        del self.configurations["version"]

    def test_there_is_one_for_trying_out_and_one_for_production(self):
        self.assertEqual(set(self.configurations), {"default", "prod"})
        names = {one["global"]["parameters"]["stack_name"] for one in self.configurations.values()}
        self.assertEqual(len(names), 2, "the one must not overwrite the other")
        self.assertTrue(self.configurations["prod"]["deploy"]["parameters"]["confirm_changeset"])

    def test_they_set_parameters_that_there_are(self):
        parameters = load()["Parameters"]
        for name, configuration in self.configurations.items():
            for override in configuration["deploy"]["parameters"]["parameter_overrides"]:
                key, _, value = override.partition("=")
                with self.subTest(configuration=name, parameter=key):
                    self.assertIn(key, parameters)
                    self.assertIn(value, map(str, parameters[key].get("AllowedValues", [value])))

    def test_they_name_no_account_no_region_and_no_profile(self):
        for configuration in self.configurations.values():
            for command in configuration.values():
                self.assertFalse(command["parameters"].keys() & {"region", "profile", "s3_bucket", "role_arn"})

    def test_they_need_no_more_rights_than_to_make_roles(self):
        for configuration in self.configurations.values():
            self.assertEqual(configuration["deploy"]["parameters"]["capabilities"], "CAPABILITY_IAM")


if __name__ == "__main__":
    unittest.main()
