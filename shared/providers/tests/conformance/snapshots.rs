//! What each recorded request tells, kept beside it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::notice::Notice;
use serde::Serialize;

use crate::evidence::{Evidence, folder};
use crate::rule::{self, Failure, tell};

/// `insta` shows the differences; `INSTA_UPDATE=always` takes them over.
#[test]
fn tells_what_its_snapshots_say() {
    let mut failures = Vec::new();
    for provider in rule::all() {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder(provider.id()).join("snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for fixture in Evidence::of(provider.id()).fixtures {
            let told = Told::from(fixture.attempt().notices(provider));
            let assertion = || insta::assert_compact_json_snapshot!(fixture.name.as_str(), told);
            if catch_unwind(AssertUnwindSafe(|| settings.bind(assertion))).is_err() {
                failures.push(Failure::new(provider, fixture.name, "differs from its snapshot"));
            }
        }
    }
    tell("tells_what_its_snapshots_say", &failures);
}

/// What is kept: notices, or the sort of a fault without its words.
#[derive(Serialize)]
#[serde(untagged)]
enum Told {
    Notices(Vec<Notice>),
    Unreadable { permanent: ErrorClass },
    Unexpected { unexpected: String },
}

impl From<Result<Vec<Notice>, Fault>> for Told {
    fn from(read: Result<Vec<Notice>, Fault>) -> Self {
        match read {
            Ok(notices) => Self::Notices(notices),
            Err(Fault::Permanent { class, .. }) => Self::Unreadable { permanent: class },
            Err(fault @ (Fault::Retryable { .. } | Fault::Failed { .. })) => {
                Self::Unexpected { unexpected: fault.to_string() }
            }
        }
    }
}
