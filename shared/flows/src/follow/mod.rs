//! Followers: effects of changes, such as blocks in other calendars.
//!
//! The commit of a change raises the mark of each follower of its connection, and names the entity: whatever crashes, the
//! follower looks at it. A follower acts on the entity as it is when it looks, so neither the order of changes nor how many they
//! were is of importance; where a mark names no entities any more, since they are many, it looks at all of them.

pub mod busy;

use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::Kind;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Item, Key};

/// All followers.
pub(crate) static FOLLOWERS: &[&Follower] = &[&busy::FOLLOWER];

/// A follower of the entities of a kind.
pub(crate) struct Follower {
    /// The job that follows a connection's entities.
    pub(crate) kind: JobKind,
    /// The kind of these entities.
    pub(crate) of: Kind,
    /// The key of the record that says whether it follows those of a connection.
    pub(crate) rule: fn(&Tenant, &str) -> Key,
    /// Whether it does, by that record.
    pub(crate) follows: fn(Item) -> Result<bool, Fault>,
}
