//! The functions of a host, run by their schedules and queues; each run may be cut off at any call.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use hooktide_flows::jobs::due;
use hooktide_flows::jobs::syncer::Syncer;
use hooktide_flows::process::Processor;
use hooktide_flows::receive::Receiver;
use hooktide_flows::watch::Renewer;
use hooktide_flows::{Ports, Settings};
use hooktide_store::ports::{QueueName, Source};
use http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};

use crate::seasons::queue::{Queues, SOURCES};

/// How many messages are taken at once.
const BATCH: usize = 25;
/// How long schedules rest, unless something is due.
const EVERY: SignedDuration = SignedDuration::from_mins(5);
/// How often the queues are gone through at once.
const MOST_ROUNDS: usize = 5_000;

/// The functions, without the memory of runs that were cut off.
pub struct Machine {
    ports: Ports,
    settings: Settings,
    queues: Arc<Queues>,
    receiver: Receiver,
    processor: Processor,
    syncer: Syncer,
    renewer: Renewer,
    /// When schedules ran last.
    ticked_at: Timestamp,
    /// How often something happened.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Machine {
    /// Functions over these ports.
    pub fn new(ports: Ports, settings: Settings, queues: Arc<Queues>) -> Self {
        Self {
            receiver: Receiver::new(ports.clone(), settings.clone()),
            processor: Processor::new(ports.clone(), settings.clone()),
            syncer: Syncer::new(ports.clone(), &settings),
            renewer: Renewer::new(ports.clone(), &settings, 1),
            ports,
            settings,
            queues,
            ticked_at: Timestamp::UNIX_EPOCH,
            counts: BTreeMap::new(),
        }
    }

    /// Begins anew where a run was cut off.
    fn renew(&mut self, is_cut_off: bool) {
        if is_cut_off {
            *self.counts.entry("fault: a run is cut off").or_default() += 1;
            let counts = std::mem::take(&mut self.counts);
            *self = Self { counts, ..Self::new(self.ports.clone(), self.settings.clone(), Arc::clone(&self.queues)) };
        }
    }

    /// Takes what a provider sends; the status that it gets, unless the run is cut off.
    pub fn receive(&mut self, request: Request<Bytes>, now: Timestamp) -> Option<StatusCode> {
        let answer = self.receiver.receive(request, "192.0.2.1", now).now_or_never();
        let status = answer.map(|answer| answer.status());
        self.renew(status.is_none());
        status
    }

    /// Runs what schedules and queues make run now; whether jobs are due is known.
    pub fn work(&mut self, is_due: bool, now: Timestamp) {
        if is_due || now >= self.ticked_at + EVERY {
            self.tick(now);
        }
        for _ in 0..MOST_ROUNDS {
            let mut took = false;
            for source in SOURCES {
                took |= self.take(source, now);
            }
            if !took {
                return;
            }
        }
    }

    fn tick(&mut self, now: Timestamp) {
        self.ticked_at = now;
        let ticked = self.renewer.tick(now, &|| false).now_or_never();
        self.renew(ticked.is_none());
        let swept = due::jobs(&self.ports, now).now_or_never();
        self.renew(swept.is_none());
        let deferred = due::deferred(&self.ports, now).now_or_never();
        self.renew(deferred.is_none());
    }

    /// Takes messages of a source; whether there were any.
    fn take(&mut self, source: Source, now: Timestamp) -> bool {
        let jobs = source == Source::Queue(QueueName::Jobs);
        let taken = self.queues.take(source, if jobs { 1 } else { BATCH });
        let (messages, handles): (Vec<_>, Vec<_>) =
            taken.into_iter().map(|(message, _)| (message.clone(), message.handle)).unzip();
        if handles.is_empty() {
            return false;
        }
        let failed = match jobs {
            true => self.syncer.run(messages, now).now_or_never(),
            false => self.processor.process(messages, now).now_or_never(),
        };
        match failed {
            None => self.renew(true),
            Some(failed) => {
                handles.iter().filter(|handle| !failed.contains(handle)).for_each(|handle| self.queues.delete(handle));
            }
        }
        true
    }
}
