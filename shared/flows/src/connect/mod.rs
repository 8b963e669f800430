//! Connections and endpoints: made, changed, removed, and given new secrets. A route, the demo, the command line and a
//! simulation call the same functions.
//!
//! Every change is one transaction on the revisions that were read. Two that overlap are told apart by the loser's
//! [`Refusal::Conflict`]; a repeat under the same key ([`Repeat`]) returns what the first one made.

mod authorize;
mod callable;
mod change;
mod create;
mod endpoint;
mod fields;
mod granted;
mod lookup;
mod patched;
mod refusal;
mod release;
mod remove;
mod repeat;
mod rotate;
mod routing;
pub(crate) mod secrets;
mod wake;

use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Table, TransactFault, Write};
use hooktide_store::records;
use jiff::Timestamp;

pub use self::authorize::{Attempt, authorize, consent_url};
pub use self::change::{ConnectionChange, change};
pub use self::create::{NewConnection, create};
pub use self::endpoint::{EndpointChange, NewEndpoint, change_endpoint, create_endpoint, remove_endpoint};
pub use self::fields::{LONGEST_TEXT, account_of, provider_of, webhooks_of};
pub use self::lookup::{connection_of, endpoint_of, shared_endpoint_of, webhook_url};
pub use self::patched::Patched;
pub use self::refusal::Refusal;
pub use self::release::{Released, release};
pub use self::remove::{Removed, remove};
pub use self::repeat::{Repeat, id_for, other_request};
pub use self::rotate::{NewSecret, add_secret, add_secret_to_endpoint, remove_secret, remove_secret_of_endpoint};
pub use self::secrets::GivenSecrets;

pub use crate::asking::credentials::{Standing, standing};
use crate::{Ports, Settings};

/// The tenant that acts, when, and on which store.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The ports.
    pub ports: &'a Ports,
    /// The operator's settings.
    pub settings: &'a Settings,
    /// The tenant.
    pub tenant: &'a Tenant,
    /// The time of the request.
    pub now: Timestamp,
}

impl Context<'_> {
    pub(crate) fn table(&self) -> &dyn Table {
        &*self.ports.table
    }
}

/// The owner's consent that the tenant connects an account to a shared endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The endpoint.
    pub endpoint: String,
    /// The account.
    pub account: String,
}

/// Writes all, or refuses because a part of it exists or has changed.
async fn transact(context: Context<'_>, writes: Vec<Write>) -> Result<(), Refusal> {
    match context.table().transact(writes).await {
        Ok(()) => Ok(()),
        Err(TransactFault::Cancelled(reasons)) if records::exists(&reasons) => {
            Err(Refusal::conflict("It exists already, or somebody changed it at the same time; read it again."))
        }
        Err(fault) => Err(records::overtaken(fault).into()),
    }
}
