//! The facts of a page, as the commit takes them.

use std::sync::Arc;

use crate::commit::Fact;
use crate::commit::fact::{EntityFact, FactKind};
use crate::commit::origin::Origin;
use hooktide_model::fault::Fault;
use hooktide_model::names::{Outcome, Via};
use hooktide_model::notice::{Dated, Document, EntityNotice, State, What};
use hooktide_model::signing;
use hooktide_store::records::entity::Identity;

/// How many items that could not be read are named in the activity, of each page.
const MOST_ODD: usize = 5;

/// What the facts of a page have in common.
pub(super) struct Reader<'a> {
    /// The connection.
    pub(super) connection: &'a str,
    /// The origin of the page.
    pub(super) origin: Arc<Origin>,
    /// How its changes become known.
    pub(super) via: Via,
}

impl Reader<'_> {
    /// The facts of a page. Only the first few items that could not be read are named.
    pub(super) fn facts(&self, whats: Vec<What>) -> Result<Vec<Fact>, Fault> {
        let (mut facts, mut odd) = (Vec::with_capacity(whats.len()), 0);
        for (number, what) in whats.into_iter().enumerate() {
            let kind = match what {
                What::Entity(notice) => self.entity(notice)?,
                What::Ignored { reason } | What::Kept { reason, .. } => {
                    odd += 1;
                    if odd > MOST_ODD {
                        continue;
                    }
                    FactKind::Ignored { reason }
                }
                // An answer tells states; it asks for nothing.
                What::Hint { .. } | What::Privacy(_) => continue,
            };
            facts.push(self.fact(&number.to_string(), kind));
        }
        Ok(facts)
    }

    /// The fact that an entity is no longer there.
    pub(super) fn gone(&self, notice: EntityNotice) -> Result<Fact, Fault> {
        let id = format!("gone-{}", notice.id);
        Ok(self.fact(&id, self.entity(notice)?))
    }

    /// The fact that the sync ended.
    pub(super) fn ended(&self, outcome: Outcome, reason: String) -> Fact {
        self.fact("end", FactKind::Noted { outcome, reason })
    }

    /// The state of an entity. Nothing has to be asked because of it: this is the answer.
    fn entity(&self, notice: EntityNotice) -> Result<FactKind, Fault> {
        let state = match &notice.state {
            State::Present(document) => hash(document)?,
            State::Deleted => "deleted".to_owned(),
        };
        // A page that is read again, after its commit was cut off, may report another state.
        let text = format!("{}/{}/{}/{state}", self.origin.id, notice.id, notice.version);
        let identity = Identity::new(&self.origin.provider, self.connection, &text);
        // Whatever it is, it was there when this was asked.
        let restored = matches!(notice.state, State::Present(_)) && notice.dated == Dated::ByProvider;
        let notice = EntityNotice { source: None, restored, ..notice };
        Ok(FactKind::Entity(Box::new(EntityFact::new(notice, self.connection, identity, &self.origin)?)))
    }

    fn fact(&self, part: &str, what: FactKind) -> Fact {
        Fact {
            id: format!("{}-{part}", self.origin.id),
            origin: Arc::clone(&self.origin),
            via: self.via,
            connection: Some(self.connection.to_owned()),
            what,
            warning: None,
        }
    }
}

fn hash(document: &Document) -> Result<String, Fault> {
    Ok(signing::sha256_hex(&document.to_json()?))
}
