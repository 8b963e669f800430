//! The course of a connection: whether webhooks report its changes where they can, it is polled alone, or it is not synced.

use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::names::{ModeSource, ResourceMode, SyncMode};
use hooktide_model::tenant::Tenant;
use hooktide_store::records;
use hooktide_store::records::connection::Connection;
use hooktide_store::records::mode_switch::{self, ModeSwitch};

/// The course of a connection, and who decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Course {
    /// How its changes are found.
    pub(crate) mode: SyncMode,
    /// Who says so.
    pub(crate) by: ModeSource,
    /// Whether they are found at all.
    pub(crate) is_on: bool,
}

/// The switches that a tenant's connections follow: the operator's, and the tenant's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Switches {
    operator: Option<ModeSwitch>,
    tenant: Option<ModeSwitch>,
}

impl Switches {
    /// Reads them.
    pub(crate) async fn read(ports: &Ports, tenant: &Tenant) -> Result<Self, Fault> {
        let read = async |tenant: &Tenant| {
            let stored = records::get::<ModeSwitch>(&*ports.table, &mode_switch::key(tenant)).await?;
            Ok::<_, Fault>(stored.map(|stored| stored.record))
        };
        Ok(Self { operator: read(&Tenant::system()).await?, tenant: read(tenant).await? })
    }

    /// How many of a hundred connections are polled because of the operator's switch, and because of the tenant's.
    pub(crate) fn percents(&self) -> (u8, u8) {
        let of = |switch: &Option<ModeSwitch>| switch.as_ref().map_or(0, |switch| switch.polling_percent);
        (of(&self.operator), of(&self.tenant))
    }

    /// The course of a connection. Its own setting wins, whatever is switched.
    pub(crate) fn course(&self, connection: &Connection) -> Course {
        let covers = |switch: &Option<ModeSwitch>| switch.as_ref().is_some_and(|switch| switch.covers(&connection.id));
        let (mode, by) = match connection.settings.mode {
            Some(mode) => (mode, ModeSource::Connection),
            None if covers(&self.operator) => (SyncMode::Polling, ModeSource::Operator),
            None if covers(&self.tenant) => (SyncMode::Polling, ModeSource::Tenant),
            None => (SyncMode::Auto, ModeSource::Default),
        };
        Course { mode, by, is_on: connection.rules.realtime_sync_enabled }
    }
}

impl Course {
    /// The mode of all resources, where their subscriptions have no say.
    pub(crate) fn fixed(self) -> Option<ResourceMode> {
        match (self.is_on, self.mode) {
            (false, _) => Some(ResourceMode::Off),
            (true, SyncMode::Polling) => Some(ResourceMode::Polling),
            (true, SyncMode::Auto) => None,
        }
    }

    /// Whether a resource in this mode does not follow it yet: one that may rely on webhooks and does not is looked at.
    pub(crate) fn is_against(self, mode: ResourceMode) -> bool {
        mode != self.fixed().unwrap_or(ResourceMode::Webhook)
    }
}

/// The course of a connection.
pub(crate) async fn of(ports: &Ports, tenant: &Tenant, connection: &Connection) -> Result<Course, Fault> {
    // Whoever says it itself needs no switch to be read.
    let switches = match connection.settings.mode {
        Some(_) => Switches::default(),
        None => Switches::read(ports, tenant).await?,
    };
    Ok(switches.course(connection))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hooktide_model::settings::connection::ConnectionSettings;
    use hooktide_model::settings::rules::Rules;
    use jiff::Timestamp;

    fn connection(mode: Option<SyncMode>, is_on: bool) -> Connection {
        Connection {
            id: "c".into(),
            provider: "p".into(),
            name: "n".into(),
            account: None,
            endpoint: "c".into(),
            credentials: Vec::new(),
            settings: ConnectionSettings { mode, ..ConnectionSettings::default() },
            rules: Rules { realtime_sync_enabled: is_on, ..Rules::default() },
            created_at: Timestamp::UNIX_EPOCH,
            request: None,
            deleted_at: None,
        }
    }

    fn switch(polling_percent: u8) -> Option<ModeSwitch> {
        Some(ModeSwitch { polling_percent, since: Timestamp::UNIX_EPOCH, after: None, changed: 0 })
    }

    #[test]
    fn a_connections_own_mode_wins_then_either_switch_and_who_is_off_stays_off() {
        use ModeSource as By;
        let cases = [
            (None, true, None, None, SyncMode::Auto, By::Default, None),
            (None, true, None, switch(100), SyncMode::Polling, By::Tenant, Some(ResourceMode::Polling)),
            (None, true, switch(100), switch(0), SyncMode::Polling, By::Operator, Some(ResourceMode::Polling)),
            (None, true, switch(0), switch(0), SyncMode::Auto, By::Default, None),
            (Some(SyncMode::Auto), true, switch(100), switch(100), SyncMode::Auto, By::Connection, None),
            (Some(SyncMode::Polling), true, None, None, SyncMode::Polling, By::Connection, Some(ResourceMode::Polling)),
            (None, false, None, switch(100), SyncMode::Polling, By::Tenant, Some(ResourceMode::Off)),
        ];
        for (own, is_on, operator, tenant, mode, by, fixed) in cases {
            let course = Switches { operator, tenant }.course(&connection(own, is_on));
            assert_eq!((course.mode, course.by, course.fixed()), (mode, by, fixed), "{own:?} {is_on}");
        }
    }
}
