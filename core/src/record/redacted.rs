//! Damaged records without what reads as a secret.

/// Stands where something was that may be secret.
const MASK: &str = "…";

/// Keys whose values are no secrets, in records of both editions.
const SHOWN: [&str; 44] = [
    "accepts_both",
    "agreed",
    "answer",
    "answered_by",
    "asked",
    "asked_at_seconds",
    "at_seconds",
    "baseline",
    "callback_host",
    "cancel_order",
    "capacity_msat",
    "capacity_sat",
    "channel_id",
    "confirmations",
    "confirmations_required",
    "created_at_millis",
    "ended_at",
    "event",
    "former_channel_id",
    "history_left_out",
    "htlc_minimum_msat",
    "ids",
    "initial_client_balance_msat",
    "is_announced",
    "is_dismissed",
    "is_zero_conf",
    "kind",
    "max_accepted_htlcs",
    "max_htlc_value_in_flight_msat",
    "network",
    "order",
    "peer",
    "peer_id",
    "progress",
    "push_msat",
    "request_id",
    "returned",
    "service",
    "stage",
    "state",
    "updated_at_seconds",
    "verdict",
    "version",
    "visibility",
];

/// Keys that are shown without their values, unless those are objects or lists of objects.
const NAMED: [&str; 20] = [
    "alias",
    "arrival",
    "callback",
    "channel",
    "channels",
    "contact",
    "credentials",
    "k1",
    "known_channels",
    "lnurl",
    "lost",
    "message",
    "node_id",
    "offer",
    "outcome",
    "refund_script",
    "refusal",
    "terms",
    "wanted",
    "words",
];

/// `content` as text: keys that are known, values that are no secrets by their keys, and marks where
/// something else was. It need not be JSON.
pub fn redacted(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    let mut shown = String::with_capacity(text.len());
    let mut rest = &*text;
    // Whether the value that comes next is no secret; of a list, each.
    let mut is_harmless = false;
    let mut is_in_list = false;
    while let Some(first) = rest.chars().next() {
        if is_punctuation(first) {
            is_harmless &= !matches!(first, '{' | '}' | ']');
            is_in_list = is_harmless && (is_in_list || first == '[');
            shown.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (token, after) = split_token(rest);
        let is_key = after.trim_start().starts_with(':');
        let name = token
            .strip_prefix('"')
            .and_then(|name| name.strip_suffix('"'));
        let is_shown = match name {
            Some(name) if is_key => SHOWN.contains(&name) || NAMED.contains(&name),
            Some(text) => is_harmless && text.chars().all(is_plain),
            None => matches!(token, "null" | "true" | "false") || is_harmless && is_number(token),
        };
        // What follows a value outside of a list has no key, in a record that was cut or damaged.
        is_harmless = match name {
            Some(name) if is_key => SHOWN.contains(&name),
            _ => is_harmless && is_shown && is_in_list,
        };
        is_in_list &= !is_key;
        shown.push_str(if is_shown { token } else { MASK });
        rest = after;
    }
    shown
}

/// A string with its quotes, or else what stands between punctuation and strings.
fn split_token(text: &str) -> (&str, &str) {
    let end = match text.strip_prefix('"') {
        Some(string) => {
            let mut is_escaped = false;
            let closing = string.char_indices().find(|(_, c)| {
                let closes = *c == '"' && !is_escaped;
                is_escaped = *c == '\\' && !is_escaped;
                closes
            });
            closing.map(|(at, _)| at + 2)
        }
        None => text.find(|c| c == '"' || is_punctuation(c)),
    };
    text.split_at(end.unwrap_or(text.len()))
}

fn is_punctuation(c: char) -> bool {
    matches!(
        c,
        '{' | '}' | '[' | ']' | ':' | ',' | ' ' | '\n' | '\r' | '\t'
    )
}

/// What names, ids, keys, hosts and ports consist of.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '@' | '[' | ']')
}

fn is_number(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_digit())
}
