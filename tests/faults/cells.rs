//! The cells, as data: the files below it hold those of one sort of fault each.

mod answers;
mod connection;
mod redirects;
mod resolution;
mod storage;
mod waiting;
mod wallet_code;

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;

use lnurl_channel::ChannelRequestState::{
    self, Arrived, Awaiting, Cancelled, Offered, Opening, OutcomeUnknown, Refused,
};
use lnurl_channel::{
    ChannelClient, ChannelRequest, ChannelRequestSnapshot, ChannelStage, ChannelVerdict,
    IncomingChannel, LnurlChannelError,
};

use super::certificates::Flaw;
use super::disk::DiskFault;
use super::names::NameFault;
use super::proxy::ProxyFault;
use super::runner::{
    Cell, Damage, End, Inject, Kind, Meanwhile, Point, Stage, Unusable,
    another_process_holds_the_folder,
};
use super::service::{Fault, PEER_ID, Seen, answer};
use super::support::block_on;
use super::support::plain::{expected, wrong_visibility};
use super::support::scene::ask_again;
use super::support::wallet::channel;
use super::world::{
    How, Method, Place, STRANGER_ID, World, init_hosted_channel, init_with, once_free, proposal,
};

type Call = fn(&ChannelClient, &Arc<ChannelRequest>);

pub fn all() -> Vec<Cell> {
    let mut cells = Vec::new();
    cells.extend(connection::network());
    cells.extend(connection::proxies());
    cells.extend(redirects::redirects());
    cells.extend(redirects::addresses());
    cells.extend(resolution::names());
    cells.extend(answers::offers());
    cells.extend(answers::refusals());
    cells.extend(wallet_code::connecting());
    cells.extend(waiting::waiting());
    cells.extend(wallet_code::hosted_sending());
    cells.extend(waiting::hosted_waiting());
    cells.extend(storage::writes());
    cells.extend(storage::records());
    cells.extend(storage::folders());
    cells
}

fn cell(stage: Stage, fault: &str, inject: Inject, end: End) -> Cell {
    Cell {
        stage,
        fault: fault.to_owned(),
        place: Place::Local,
        inject,
        end,
        state: None,
        seen: Seen::default(),
        reopen: false,
    }
}

impl Cell {
    fn at(mut self, place: Place) -> Cell {
        self.place = place;
        self
    }

    fn keeps(mut self, state: ChannelRequestState) -> Cell {
        self.state = Some(state);
        self
    }

    /// Offers, callbacks, cancels.
    fn seen(mut self, offers: usize, callbacks: usize, cancels: usize) -> Cell {
        self.seen = Seen {
            offers,
            callbacks,
            cancels,
            ..self.seen
        };
        self
    }
}
