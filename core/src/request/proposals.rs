//! Proposals (`open_channel`) to a request, in memory only: they cost the peer nothing, and are gone
//! with the connection (5b).

use std::collections::VecDeque;
use std::time::Duration;

use crate::channel::IncomingChannel;

/// How long a proposal stands.
const LIFE: Duration = Duration::from_secs(10 * 60);

/// Proposals since the request was asked last, from which on a standing one is not replaced.
const MAX_REPLACING: u32 = 4;

/// Ids of former proposals that are known.
const MAX_FORMER: usize = 16;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposals {
    standing: Option<Box<Standing>>,
    /// Ids, newest last.
    former: VecDeque<String>,
    since_asked: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Standing {
    channel: IncomingChannel,
    ends_at: Duration,
}

impl Proposals {
    pub fn standing(&self) -> Option<&IncomingChannel> {
        self.standing.as_ref().map(|standing| &standing.channel)
    }

    pub fn ends_at(&self) -> Option<Duration> {
        self.standing.as_ref().map(|standing| standing.ends_at)
    }

    /// Whether `channel` is the standing one: the same id, and no field that both tell differs.
    pub fn is_standing(&self, channel: &IncomingChannel) -> bool {
        let Some(standing) = self.standing() else {
            return false;
        };
        standing.channel_id.is_some()
            && standing.channel_id == channel.channel_id
            && agree(&standing.capacity_sat, &channel.capacity_sat)
            && agree(&standing.push_msat, &channel.push_msat)
            && agree(&standing.is_announced, &channel.is_announced)
            && agree(&standing.is_zero_conf, &channel.is_zero_conf)
    }

    pub fn has_room(&self) -> bool {
        self.standing.is_none() || self.since_asked < MAX_REPLACING
    }

    pub fn is_standing_id(&self, id: &str) -> bool {
        let standing = self
            .standing()
            .and_then(|channel| channel.channel_id.as_deref());
        standing == Some(id)
    }

    pub fn is_former_id(&self, id: &str) -> bool {
        self.former.iter().any(|known| known == id)
    }

    /// Take `channel` as the standing one.
    pub fn stand(&mut self, channel: IncomingChannel, now: Duration) {
        self.end();
        self.since_asked = self.since_asked.saturating_add(1);
        self.standing = Some(Box::new(Standing {
            channel,
            ends_at: now + LIFE,
        }));
    }

    /// The standing one becomes a former one; false if there was none.
    pub fn end(&mut self) -> bool {
        let Some(standing) = self.standing.take() else {
            return false;
        };
        if let Some(id) = standing.channel.channel_id {
            self.former.retain(|known| *known != id);
            self.former.push_back(id);
            if self.former.len() > MAX_FORMER {
                self.former.pop_front();
            }
        }
        true
    }

    /// The request is asked anew.
    pub fn asked(&mut self) {
        self.since_asked = 0;
    }
}

fn agree<T: PartialEq>(known: &Option<T>, told: &Option<T>) -> bool {
    match (known, told) {
        (Some(known), Some(told)) => known == told,
        _ => true,
    }
}
