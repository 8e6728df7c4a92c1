//! What `preflight` says of a channel, and what real nodes then do: the cells, and the table of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lnurl_channel::{ChannelConcern, ChannelVisibility};

/// What the wallet's node has on chain, beside what it keeps for a channel with anchors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Funds {
    None,
    Below,
    Above,
}

/// Whether the channel is announced, and whether the wallet's node is set up for it where it asks so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Announced {
    No,
    Yes,
    SetUp,
}

impl Announced {
    pub fn visibility(self) -> ChannelVisibility {
        match self {
            Self::No => ChannelVisibility::Unannounced,
            Self::Yes | Self::SetUp => ChannelVisibility::Announced,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub funds: Funds,
    pub trusted: bool,
    pub announced: Announced,
    pub anchors: bool,
    pub zero_conf: bool,
}

impl Cell {
    /// One word for each column.
    fn words(&self) -> Vec<String> {
        let yes_or_no = |it: bool| if it { "yes" } else { "no" };
        let funds = match self.funds {
            Funds::None => "none",
            Funds::Below => "below",
            Funds::Above => "above",
        };
        let announced = match self.announced {
            Announced::No => "no",
            Announced::Yes => "yes",
            Announced::SetUp => "yes, set up for it",
        };
        let rest = [self.trusted, self.anchors, self.zero_conf].map(yes_or_no);
        let [trusted, anchors, zero_conf] = rest;
        [funds, trusted, announced, anchors, zero_conf]
            .map(ToOwned::to_owned)
            .to_vec()
    }
}

/// What a node found in a channel to turn it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    Reserve,
    Announced,
    Pending,
    ZeroConf,
}

impl Objection {
    /// By the words of the nodes, as they are in the versions that run here.
    pub fn of(words: &str) -> Option<Self> {
        let known = [
            ("on-chain reserves", Self::Reserve),
            ("missing configuration", Self::Announced),
            ("unfunded channels", Self::Pending),
            ("pending channels exceed maximum", Self::Pending),
            ("zero-conf", Self::ZeroConf),
            ("zero confirmation", Self::ZeroConf),
        ];
        let found = known.iter().find(|(part, _)| words.contains(part));
        found.map(|(_, objection)| *objection)
    }

    /// Whether `preflight` says so. What the peer will propose, it can't know.
    fn is_predicted(self, concerns: &[ChannelConcern]) -> bool {
        concerns.iter().any(|concern| match self {
            Self::Reserve => matches!(concern, ChannelConcern::AnchorReserve { .. }),
            Self::Announced => matches!(concern, ChannelConcern::VisibilityRefused { .. }),
            Self::Pending => matches!(concern, ChannelConcern::TooManyPending { .. }),
            Self::ZeroConf => false,
        })
    }
}

/// What the node did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The channel came. `why` it did although `preflight` warned.
    Took {
        ready_at_once: bool,
        why: Option<&'static str>,
    },
    TurnedDown(Objection),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub predicted: Vec<ChannelConcern>,
    pub deed: Deed,
    pub concerns: Vec<ChannelConcern>,
}

impl Finding {
    /// The two promises of `preflight`.
    pub fn keeps_the_promises(&self, cell: &Cell) {
        match &self.deed {
            Deed::Took { why, .. } => assert!(
                self.predicted.is_empty() || why.is_some(),
                "{cell:?}: preflight warned of {:?}, and the channel came",
                self.predicted
            ),
            Deed::TurnedDown(Objection::ZeroConf) => assert!(
                cell.zero_conf,
                "{cell:?}: turned down as zero-conf, which it was not"
            ),
            Deed::TurnedDown(objection) => assert!(
                objection.is_predicted(&self.predicted),
                "{cell:?}: turned down for {objection:?}, and preflight said {:?}",
                self.predicted
            ),
        }
    }

    fn words(&self) -> Vec<String> {
        let deed = match &self.deed {
            Deed::Took { ready_at_once, why } => {
                let took = match ready_at_once {
                    true => "took it, ready without a block",
                    false => "took it",
                };
                let why = why.map(|why| format!(": {why}"));
                format!("{took}{}", why.unwrap_or_default())
            }
            Deed::TurnedDown(objection) => {
                let of = match objection {
                    Objection::Reserve => "the reserve",
                    Objection::Announced => "announced",
                    Objection::Pending => "too many pending",
                    Objection::ZeroConf => "zero-conf",
                };
                format!("turned it down: {of}")
            }
        };
        vec![listed(&self.predicted), deed, listed(&self.concerns)]
    }
}

pub fn listed(concerns: &[ChannelConcern]) -> String {
    let texts: Vec<_> = concerns.iter().map(in_words).collect();
    match texts.is_empty() {
        true => "–".to_owned(),
        false => texts.join("; "),
    }
}

fn in_words(concern: &ChannelConcern) -> String {
    match concern {
        ChannelConcern::AnchorReserve { missing_sat } => {
            format!("`AnchorReserve`, {missing_sat} sat missing")
        }
        ChannelConcern::VisibilityRefused { visibility } => {
            format!("`VisibilityRefused`, {visibility:?}")
        }
        ChannelConcern::ZeroConfRefused => "`ZeroConfRefused`".to_owned(),
        ChannelConcern::TooManyPending { pending } => format!("`TooManyPending`, {pending}"),
        ChannelConcern::ProposalFailed { reason } => match reason {
            Some(reason) => format!("`ProposalFailed`, \"{}\"", reason.replace('|', "/")),
            None => "`ProposalFailed`".to_owned(),
        },
        other => format!("`{other:?}`"),
    }
}

/// The findings of one wallet's node with one peer.
#[derive(Default)]
pub struct Grid(BTreeMap<Cell, Finding>);

impl Grid {
    pub fn add(&mut self, cell: Cell, finding: Finding) {
        assert!(self.0.insert(cell, finding).is_none(), "{cell:?} twice");
    }

    pub fn cells(&self) -> usize {
        self.0.len()
    }

    /// A row for each cell. Rows that differ in one column alone, and have all of its values between
    /// them, are one row, with *any* in that column.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let rows = self.0.iter();
        let mut rows: Vec<_> = rows
            .map(|(cell, finding)| [cell.words(), finding.words()].concat())
            .collect();
        let columns = self.0.keys().next().map_or(0, |cell| cell.words().len());
        for column in (0..columns).rev() {
            let values: BTreeSet<_> = rows.iter().map(|row| row[column].clone()).collect();
            rows = joined(rows, column, values.len());
        }
        rows
    }
}

fn joined(rows: Vec<Vec<String>>, column: usize, values: usize) -> Vec<Vec<String>> {
    let without = |row: &Vec<String>| {
        let mut row = row.clone();
        row.remove(column);
        row
    };
    let mut kept: Vec<Vec<String>> = Vec::new();
    for row in &rows {
        let same = rows.iter().filter(|other| without(other) == without(row));
        let mut row = row.clone();
        if values > 1 && same.count() == values {
            row[column] = "any".to_owned();
        }
        if !kept.contains(&row) {
            kept.push(row);
        }
    }
    kept
}

const HEADS: [&str; 8] = [
    "funds",
    "trusted",
    "announced",
    "anchors",
    "zero-conf",
    "`preflight`",
    "the node",
    "concerns afterwards",
];

/// A wallet's node and a peer.
pub struct Pair {
    pub name: String,
    pub grid: Grid,
    /// Which cells there are not, and why.
    pub left_out: Vec<&'static str>,
}

/// A table for each pair, under its name.
pub fn tables(versions: &str, pairs: &[Pair]) -> String {
    let cells: usize = pairs.iter().map(|pair| pair.grid.cells()).sum();
    let mut text = format!("{cells} cells, with {versions}.\n");
    for pair in pairs {
        let (name, cells) = (&pair.name, pair.grid.cells());
        let left_out: String = pair.left_out.iter().map(|it| format!(" {it}")).collect();
        let table = table(&HEADS, &pair.grid.rows());
        text.push_str(&format!(
            "\n### {name}\n\n{cells} cells.{left_out}\n\n{table}"
        ));
    }
    text
}

pub fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n", heads.join(" | "));
    text.push_str(&format!("|{}\n", "---|".repeat(heads.len())));
    for row in rows {
        text.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    text
}

/// Replaces what stands between the markers in `file`; true if it was something else.
pub fn write(file: &Path, name: &str, text: &str) -> bool {
    let (begin, end) = (
        format!("<!-- {name}: begin -->"),
        format!("<!-- {name}: end -->"),
    );
    let before = std::fs::read_to_string(file).expect("the document is there");
    let (head, rest) = before
        .split_once(&begin)
        .expect("the document has the marker");
    let (_, tail) = rest
        .split_once(&end)
        .expect("the document has the other marker");
    let after = format!("{head}{begin}\n\n{}\n\n{end}{tail}", text.trim());
    let changed = after != before;
    if changed {
        std::fs::write(file, after).expect("the document can be written");
    }
    changed
}
