"""What `policy.py` decides, against examples of IAM's documentation."""

import unittest

from policy import Grant, Need, Policy, Unsupported

TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/things"


def policy(*statements):
    return Policy([{"Version": "2012-10-17", "Statement": list(statements)}])


def allow(action, resource, **conditions):
    return {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": conditions}


def leading(*keys):
    return {"dynamodb:LeadingKeys": list(keys)}


class Deciding(unittest.TestCase):
    def test_what_nothing_allows_is_denied(self):
        decision = policy(allow("dynamodb:GetItem", TABLE)).decide(Need("dynamodb:PutItem", TABLE))
        self.assertFalse(decision.allowed)
        self.assertEqual(decision.why, "nothing allows it")

    def test_what_a_statement_allows_is_allowed_and_the_grant_is_named(self):
        role = policy(allow(["dynamodb:GetItem", "dynamodb:PutItem"], [TABLE, TABLE + "/index/due"]))
        decision = role.decide(Need("dynamodb:PutItem", TABLE))
        self.assertEqual((decision.allowed, decision.grants), (True, (Grant("dynamodb:PutItem", TABLE),)))
        self.assertEqual(len(role.grants()), 4)

    def test_the_right_action_on_another_resource_is_denied(self):
        role = policy(allow("dynamodb:GetItem", TABLE))
        self.assertFalse(role.decide(Need("dynamodb:GetItem", TABLE + "2")).allowed)

    def test_a_table_is_not_its_index(self):
        role = policy(allow("dynamodb:Query", TABLE))
        self.assertFalse(role.decide(Need("dynamodb:Query", TABLE + "/index/due")).allowed)

    def test_a_deny_wins_wherever_it_stands(self):
        deny = {"Sid": "NotThis", "Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}
        for statements in ((deny, allow("*", "*")), (allow("*", "*"), deny)):
            decision = policy(*statements).decide(Need("dynamodb:GetItem", TABLE))
            self.assertEqual((decision.allowed, decision.why), (False, "NotThis denies it"))

    def test_a_deny_counts_only_where_its_condition_holds(self):
        deny = {**allow("*", "*", StringEquals={"s3:prefix": "a"}), "Effect": "Deny"}
        role = policy(allow("*", "*"), deny)
        self.assertTrue(role.decide(Need("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": ("b",)})).allowed)
        self.assertFalse(role.decide(Need("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": ("a",)})).allowed)

    def test_wildcards_reach_over_slashes_and_mark_single_characters(self):
        role = policy(allow("s3:Get?bject", "arn:aws:s3:::bucket/claims/*"))
        self.assertTrue(role.decide(Need("s3:GetObject", "arn:aws:s3:::bucket/claims/shopify/1")).allowed)
        self.assertFalse(role.decide(Need("s3:GetObject", "arn:aws:s3:::bucket/kept/1")).allowed)
        self.assertFalse(role.decide(Need("s3:GetBobject", "arn:aws:s3:::bucket/claims/1")).allowed)

    def test_actions_ignore_case_and_resources_do_not(self):
        role = policy(allow("SQS:sendmessage", "arn:aws:sqs:us-east-1:000000000000:Queue"))
        self.assertTrue(role.decide(Need("sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:Queue")).allowed)
        self.assertFalse(role.decide(Need("sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:queue")).allowed)

    def test_other_characters_of_a_pattern_stand_for_themselves(self):
        role = policy(allow("s3:GetObject", "arn:aws:s3:::a.b/[x]"))
        self.assertTrue(role.decide(Need("s3:GetObject", "arn:aws:s3:::a.b/[x]")).allowed)
        self.assertFalse(role.decide(Need("s3:GetObject", "arn:aws:s3:::aXb/x")).allowed)


class Conditions(unittest.TestCase):
    ENDPOINTS = allow("dynamodb:GetItem", TABLE, **{"ForAllValues:StringLike": leading("E#shopify#*")})

    def allowed(self, statement, context):
        return policy(statement).decide(Need(statement["Action"], statement["Resource"], context)).allowed

    def test_every_leading_key_must_fit(self):
        self.assertTrue(self.allowed(self.ENDPOINTS, leading("E#shopify#a")))
        self.assertFalse(self.allowed(self.ENDPOINTS, leading("E#square#a")))
        self.assertFalse(self.allowed(self.ENDPOINTS, leading("E#shopify#a", "K#token")))

    def test_for_all_values_holds_of_no_values(self):
        self.assertTrue(self.allowed(self.ENDPOINTS, {}))
        self.assertTrue(self.allowed(self.ENDPOINTS, leading()))

    def test_for_any_value_fails_of_no_values(self):
        statement = allow("dynamodb:GetItem", TABLE, **{"ForAnyValue:StringEquals": leading("a", "b")})
        self.assertFalse(self.allowed(statement, {}))
        self.assertTrue(self.allowed(statement, leading("c", "b")))
        self.assertFalse(self.allowed(statement, leading("c")))

    def test_a_key_that_is_absent_fails_unless_the_operator_says_if_exists(self):
        self.assertFalse(self.allowed(allow("a:b", "*", StringLike={"s3:prefix": "documents/*"}), {}))
        self.assertTrue(self.allowed(allow("a:b", "*", StringLikeIfExists={"s3:prefix": "documents/*"}), {}))

    def test_null_asks_whether_a_key_is_there(self):
        absent, present = (allow("a:b", "*", Null={"s3:prefix": text}) for text in ("true", "false"))
        self.assertTrue(self.allowed(absent, {}))
        self.assertFalse(self.allowed(absent, {"s3:prefix": ("x",)}))
        self.assertTrue(self.allowed(present, {"s3:prefix": ("x",)}))
        self.assertFalse(self.allowed(present, {}))

    def test_several_wanted_values_are_alternatives_and_none_of_a_negated_one_may_fit(self):
        like = allow("a:b", "*", StringLike={"s3:prefix": ["documents/*", "kept/*"]})
        unlike = allow("a:b", "*", StringNotLike={"s3:prefix": ["documents/*", "kept/*"]})
        for prefix, expected in (("kept/1", True), ("claims/1", False)):
            self.assertEqual(self.allowed(like, {"s3:prefix": (prefix,)}), expected)
            self.assertEqual(self.allowed(unlike, {"s3:prefix": (prefix,)}), not expected)

    def test_all_conditions_must_hold_and_keys_ignore_case(self):
        both = allow("a:b", "*", StringEquals={"S3:Prefix": "x"}, Bool={"aws:SecureTransport": "true"})
        self.assertTrue(self.allowed(both, {"s3:prefix": ("x",), "aws:securetransport": ("True",)}))
        self.assertFalse(self.allowed(both, {"s3:prefix": ("x",), "aws:securetransport": ("false",)}))

    def test_several_values_without_a_quantifier_are_not_allowed_by_chance(self):
        statement = allow("dynamodb:BatchGetItem", TABLE, StringLike=leading("E#shopify#*"))
        self.assertFalse(self.allowed(statement, leading("E#shopify#a", "E#shopify#b")))


class Refusing(unittest.TestCase):
    def test_what_is_not_evaluated_here_is_an_error(self):
        for statement in (
            {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"},
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"},
            {"Effect": "allow", "Action": "s3:*", "Resource": "*"},
            {"Effect": "Allow", "Action": "s3:*", "Resource": {"Fn::GetAtt": ["Table", "Arn"]}},
            {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}"},
        ):
            with self.subTest(statement), self.assertRaises(Unsupported):
                policy(statement)

    def test_an_unknown_operator_is_an_error_and_not_a_guess(self):
        role = policy(allow("a:b", "*", NumericLessThan={"s3:max-keys": "10"}))
        with self.assertRaises(Unsupported):
            role.decide(Need("a:b", "*", {"s3:max-keys": ("1",)}))


if __name__ == "__main__":
    unittest.main()
