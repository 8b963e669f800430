//! What must hold for every provider, checked against its own folder: no test here knows one provider from another.
//!
//! A rule is a function from a provider and its [`evidence`] to what breaks it ([`rule`]). Each rule is a test that
//! runs it on all providers and tells everything that it found. A rule that cannot fail is worth nothing, so
//! [`broken`] holds providers with one flaw each, and every rule must catch one of them.
//!
//! `tests/fixtures/sign.py` describes the form of a fixture. What the rules take for granted: the proof stands
//! where `# signature` says, and `# signed-at` is the time at which a fixture is checked.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at what cannot be")]

mod attempt;
mod bent;
mod broken;
mod covers;
mod evidence;
mod fit;
mod folder;
mod handshake;
mod identity;
mod keys;
mod money;
mod mutations;
mod parse;
mod places;
mod priority;
mod registration;
mod rule;
mod sample;
mod signature;
mod signer;
mod snapshots;
mod vectors;

use rule::rules;

rules! {
    has_a_readme_that_says_what_becomes_of_every_topic: folder::readme_lists_topics;
    has_a_fixture_of_every_topic: folder::topics_have_fixtures;
    says_of_every_fixture_where_it_is_from_and_what_signed_it: folder::fixtures_say_their_origin;
    keeps_no_snapshot_without_its_fixture: folder::snapshots_have_fixtures;

    covers_what_its_documentation_says: covers::as_documented;
    accepts_what_was_recorded: covers::accepts_the_recorded;
    binds_the_body_exactly_as_declared: covers::body;
    binds_the_address_exactly_as_declared: covers::url;
    binds_the_time_exactly_as_declared: covers::time;

    answers_each_handshake_as_recorded: handshake::as_recorded;
    takes_no_delivery_for_a_handshake: handshake::deliveries_are_none;

    refuses_a_missing_or_empty_signature: signature::missing;
    refuses_a_doubled_signature: signature::doubled;
    refuses_an_overlong_signature: signature::overlong;
    refuses_a_signature_that_is_not_ascii: signature::not_ascii;
    refuses_white_space_in_a_signature: signature::white_space;
    refuses_a_signature_that_is_not_encoded_strictly: signature::loosely_encoded;
    refuses_a_truncated_signature: signature::truncated;
    refuses_a_signature_changed_anywhere: signature::changed;

    refuses_a_signature_of_another_key: keys::another_key;
    refuses_everything_without_a_secret: keys::no_secret;
    refuses_what_an_empty_secret_signed: keys::empty_secret;
    refuses_a_secret_of_another_name: keys::another_name;
    refuses_a_secret_from_its_end_on: keys::retired;
    accepts_each_of_several_secrets_and_names_it: keys::several;

    gives_the_same_delivery_the_same_identity: identity::same_delivery;
    gives_another_delivery_another_identity: identity::another_delivery;
    knows_a_hint_again_by_what_was_signed: identity::same_hint;
    never_lets_an_unsigned_id_pass_a_new_body_off_as_a_repeat: identity::another_body;

    never_makes_more_of_a_body_than_its_own_topic_does: fit::topics_fit_bodies;
    takes_a_privacy_request_under_its_own_topic_only: fit::privacy_has_one_topic;
    ignores_a_topic_that_it_does_not_know: fit::unknown_topics;

    lets_what_tells_of_a_payment_overtake: priority::payments_overtake;

    finds_every_fixture_readable: parse::fixtures_are_readable;
    finds_a_body_nested_too_deep_unreadable: parse::deep_bodies_are_unreadable;
    reads_past_a_byte_order_mark: parse::byte_order_mark;
    survives_any_bytes: parse::any_bytes;
    survives_any_json: parse::any_json;
    survives_any_edit_of_a_fixture: parse::any_edit;
    survives_any_value_in_the_wrong_place: parse::any_value;
    survives_any_unsigned_header: parse::any_header;

    reads_every_delivery_whatever_type_a_field_has_that_is_not_needed: bent::fields;
    reads_each_item_though_another_is_odd: bent::items;
    takes_the_last_of_two_fields_of_one_name: bent::twice;

    samples_become_what_their_topics_declare: sample::become_as_declared;
    samples_that_tell_of_a_payment_overtake: sample::payments_overtake;
    samples_of_one_number_are_about_one_thing: sample::numbers_are_things;
    gives_an_earlier_sample_a_smaller_version: sample::earlier_is_smaller;
    has_secrets_that_sign_and_verify_its_samples: sample::secrets_suffice;
    has_no_sample_of_a_topic_that_it_does_not_know: sample::unknown_topics;
}
