//! The pure core of Hooktide.
//!
//! It knows providers and flows, and no AWS, database, environment, clock or socket: hosts plug those in through
//! [`ports`]. A webhook goes through it top to bottom: [`flows::receive`] checks a request ([`verified`], a provider
//! of [`providers`], [`signing`]) and puts it on a queue ([`envelope`]); [`flows::process`] takes it from there, folds
//! its notices ([`notice`]) into what is known ([`records`]) and publishes what really changed.

pub mod address;
pub mod bodies;
pub mod entropy;
pub mod envelope;
pub mod expression;
pub mod fault;
pub mod feed;
pub mod flows;
pub mod key;
pub mod metering;
pub mod names;
pub mod network;
pub mod notice;
pub mod payment;
pub mod ports;
pub mod problem;
pub mod product;
pub mod providers;
pub mod records;
pub mod sealing;
pub mod secret;
pub mod signing;
pub mod statement;
pub mod tenant;
pub mod verified;
