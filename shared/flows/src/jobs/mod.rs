//! Jobs: a tenant's work on one resource, done step by step under a mark that one syncer at a time holds.
//!
//! A job begins with a mark, which has a time at which it is due. Whoever stores the mark [`announce`]s the job, so that its
//! message comes when the mark is due; where that is lost, or a run is cut off, [`due`] sends it again. The [`syncer`]
//! takes the message, holds the mark (`claim`) and looks up who does that kind of job ([`run`]), which gets a [`task`].
//! A step that goes on sends its own message on. How a run lets its mark go, whatever hints come meanwhile, is in `hold`.

pub mod announce;
mod claim;
pub mod due;
pub(crate) mod hold;
pub(crate) mod raise;
pub mod run;
pub mod syncer;
pub mod task;
