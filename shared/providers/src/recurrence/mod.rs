//! Recurrence: the instances that an event has within a window, whatever the provider.
//!
//! A series of Google's has the lines of its rules, and its exceptions are entries of their own. One that was read from
//! iCalendar has its exceptions within. One of Microsoft's has no rules: its provider lists its occurrences. All are expanded
//! here, by the clock of the event's own time zone, in a bounded number of steps.

mod expansion;
mod instances;
mod interval;
mod lines;
mod moment;
mod ranges;
mod rule;
mod series;
mod starts;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use self::moment::text;
#[cfg(test)]
pub(crate) use self::rule::READ;
pub(crate) use self::rule::Rule;
pub(crate) use self::series::Series;
pub(crate) use self::starts::Bounds;
pub(crate) use self::value::Value;

pub use self::instances::{Instance, Instances, instances};
