//! The start of a client: what the journal holds (section 8).

use std::collections::VecDeque;
use std::time::Duration;

use litemap::LiteMap;

use super::{Client, order};
use crate::channel::ChannelStage;
use crate::clock::Now;
use crate::ids::TaskIds;
use crate::input::{Journal, Stored};
use crate::record::{self, Loaded, Rules, Unreadable};
use crate::request::{Arrival, DAY, Progress, Request, Run};
use crate::settings::Settings;
use crate::verdicts::{StoredVerdict, Verdicts};

/// How long an ended request is kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// 0.1's record of channels that nobody asked for.
const UNREQUESTED_CHANNELS: &str = "unrequested-channels";

/// Length of the names of a request's record, and of a peer's.
const REQUEST_NAME: usize = 32;
const PEER_NAME: usize = 66;

/// In boxes, so that to make room for one moves no others but as pointers.
type InOrder = Vec<Box<Loaded>>;

impl<J: Journal> Client<J> {
    /// A client with the requests that `records` hold. Each is announced by an `Output::Changed`.
    pub fn new(settings: Settings, journal: J, now: Now, records: Vec<Stored>) -> Self {
        let mut client = Self {
            settings,
            journal,
            requests: LiteMap::new(),
            peers: LiteMap::new(),
            verdicts: Verdicts::default(),
            fetches: Vec::new(),
            preflights: Vec::new(),
            cancels: Vec::new(),
            wakes: LiteMap::new(),
            unwritten: Vec::new(),
            unwritten_peers: Vec::new(),
            foreign_peers: Vec::new(),
            tasks: TaskIds::default(),
            last_order: 0,
            last_created_at_millis: 0,
            is_closed: false,
            outputs: VecDeque::new(),
        };
        let mut loaded = InOrder::new();
        for stored in records {
            client.read(now, stored, &mut loaded);
        }
        client.take_over(now, loaded);
        client.write_unwritten();
        client
    }

    /// Requests go to `loaded`, the newest last, as when they were fetched.
    fn read(&mut self, now: Now, stored: Stored, loaded: &mut InOrder) {
        let Stored { name, content } = stored;
        let Some(content) = content else {
            return self.journal.set_aside(&name, None);
        };
        let read = match name.len() {
            REQUEST_NAME => {
                let rules = Rules {
                    network: self.settings.network,
                    allow_private_hosts: self.settings.allow_private_hosts,
                };
                record::read(&name, &content, rules, now).map(|read| {
                    // Each at its place: no sort for the phone to carry.
                    let created_at = |read: &Loaded| read.record.created_at_millis;
                    let at = loaded.partition_point(|other| created_at(other) <= created_at(&read));
                    loaded.insert(at, Box::new(read));
                })
            }
            PEER_NAME => record::read_verdicts(&name, &content).map(|channels| {
                for known in channels {
                    self.verdicts.add(&name, known, |_| false);
                }
            }),
            _ if name == UNREQUESTED_CHANNELS => self.read_unrequested_channels(&content),
            _ => Ok(()),
        };
        match read {
            Err(Unreadable::NotNow) if name.len() == PEER_NAME => {
                self.foreign_peers.push(name);
            }
            Ok(()) | Err(Unreadable::NotNow) => {}
            Err(Unreadable::Obsolete) => self.journal.remove(&name),
            Err(Unreadable::Damaged) => {
                let redacted = record::redacted(&content);
                self.journal.set_aside(&name, Some(&redacted));
            }
        }
    }

    fn read_unrequested_channels(&mut self, content: &[u8]) -> Result<(), Unreadable> {
        for (peer_id, channel_id) in record::read_unrequested_channels(content)? {
            self.remember(&peer_id, channel_id, StoredVerdict::Unrequested);
        }
        if self.unwritten_peers.is_empty() {
            self.journal.remove(UNREQUESTED_CHANNELS);
        }
        Ok(())
    }

    fn take_over(&mut self, now: Now, loaded: InOrder) {
        for loaded in loaded {
            let Loaded {
                record,
                needs_writing,
                verdicts,
            } = *loaded;
            let peer_id = record.offer.peer.node_id.clone();
            for known in verdicts {
                self.remember(&peer_id, known.channel_id, known.verdict);
            }
            self.last_created_at_millis = self.last_created_at_millis.max(record.created_at_millis);
            self.last_order = self.last_order.max(order(&record.progress));
            if is_over(&record.progress, now) {
                for channel_id in channel_ids(&record.progress) {
                    self.remember(&peer_id, channel_id, StoredVerdict::Unrequested);
                }
                // Its channels are kept first: otherwise an old one is taken for a new one after a crash.
                if !self.unwritten_peers.contains(&peer_id) {
                    self.journal.remove(&record.id.to_string());
                }
                continue;
            }
            if needs_writing {
                self.unwritten.push(record.id);
            }
            // The node may have kept the peer since it was told to connect in an earlier run.
            let holds_peer = matches!(
                record.progress,
                Progress::Asked(_) | Progress::Arrived { .. }
            );
            self.insert(Request {
                record,
                run: Run {
                    was_accepted: true,
                    holds_peer,
                    ..Run::default()
                },
            });
        }
    }
}

/// It ended so long ago that nothing is kept of it; or the user agreed a day ago, and nobody was asked.
fn is_over(progress: &Progress, now: Now) -> bool {
    match progress {
        Progress::Offered | Progress::Declined { .. } => true,
        Progress::Accepted { at } => at.age(now) >= DAY,
        Progress::Asked(_) => false,
        Progress::Arrived { arrival, at, .. } => {
            let is_final = match arrival {
                Arrival::Funded { channel, .. } => channel.stage == ChannelStage::Ready,
                Arrival::HostedOffered { .. } | Arrival::HostedExists { .. } => true,
            };
            is_final && at.age(now) >= KEPT
        }
        Progress::Refused { refusal, .. } => refusal.at.age(now) >= KEPT,
        Progress::Cancelled { at, .. } => at.age(now) >= KEPT,
    }
}

/// The channels of a request that is forgotten: no newer one may take them.
fn channel_ids(progress: &Progress) -> Vec<String> {
    let arrived = match progress {
        Progress::Arrived {
            arrival: Arrival::Funded { channel, .. },
            ..
        } => channel.channel_id.clone(),
        _ => None,
    };
    let wanted = progress.contact().and_then(|contact| contact.funded());
    let lost = wanted.into_iter().flat_map(|wanted| &wanted.lost);
    let lost = lost.filter_map(|(channel, _)| channel.channel_id.clone());
    arrived.into_iter().chain(lost).collect()
}
