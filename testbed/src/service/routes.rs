//! What the service answers, before a callback is taken seriously.

use super::Core;
use super::callback;
use super::habit::Habit;
use super::offer::{Kind, OfferOptions, Over, Step};
use crate::http::{Head, Response};
use serde_json::{Value, json};
use std::pin::Pin;
use std::sync::Arc;

/// Ends the path that a redirect leads to. What is asked there is not redirected again.
const MOVED: &str = "/moved";
/// Of `Habit::SignedCallback`: a query that does not survive being taken apart.
const SIGNED_QUERY: &str = "sig=a%2Fb+c~d%7e&list=1,2&list=3&flag&empty=";

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Offer(u64),
    Callback(u64),
    Nowhere,
}

pub(super) enum Reply {
    Response(Response),
    /// What goes on once the response is out.
    ResponseThen(Response, Pin<Box<dyn Future<Output = ()> + Send>>),
    Silence,
    Reset,
}

pub(super) fn place(path: &str) -> Place {
    let path = path.strip_suffix(MOVED).unwrap_or(path);
    let id = |prefix| {
        path.strip_prefix(prefix)
            .and_then(|id: &str| id.parse().ok())
    };
    match (id("/offer/"), id("/callback/")) {
        (Some(id), _) => Place::Offer(id),
        (_, Some(id)) => Place::Callback(id),
        _ => Place::Nowhere,
    }
}

pub(super) async fn answer(core: &Arc<Core>, head: &Head, place: Place, over: Over) -> Reply {
    let (id, step) = match place {
        Place::Offer(id) => (id, Step::Offer),
        Place::Callback(id) => (id, Step::Callback),
        Place::Nowhere => return error(404, "there is nothing here"),
    };
    let Some(options) = core.book.options(id).filter(|options| options.over == over) else {
        return error(404, "no such offer");
    };
    if options.fault_step == step
        && let Some(fault) = fault(core, &options, head)
    {
        return fault;
    }
    match step {
        Step::Offer => offer(core, id, &options),
        Step::Callback if lost_its_signature(&options, head) => error(400, "invalid signature"),
        Step::Callback => callback::answer(core, id, options, head.query()).await,
    }
}

fn fault(core: &Core, options: &OfferOptions, head: &Head) -> Option<Reply> {
    let fault = |habit: &Habit| match habit {
        Habit::ErrorWithHttpStatus => {
            Some(error(options.http_status, "the service is out of order"))
        }
        Habit::ErrorAnswer => Some(error(200, "the service has no channels left")),
        Habit::ErrorAsDetail => Some(Reply::Response(Response::json(
            404,
            &json!({ "detail": "the offer has expired" }),
        ))),
        Habit::AnswersWithBody => Some(Reply::Response(Response {
            status: options.http_status,
            content_type: "text/plain",
            location: None,
            body: options.body.clone(),
        })),
        Habit::HtmlFromGateway => Some(Reply::Response(gateway_page())),
        Habit::SilentCallback => Some(Reply::Silence),
        Habit::ResetAfterRequest => Some(Reply::Reset),
        Habit::Redirects => redirect(core.origin(options.over), head),
        Habit::RedirectsToPlainHttp => redirect(&core.plain_origin, head),
        _ => None,
    };
    options.habits.iter().find_map(fault)
}

fn redirect(origin: &str, head: &Head) -> Option<Reply> {
    if head.path().ends_with(MOVED) {
        return None;
    }
    let question_mark = if head.query().is_empty() { "" } else { "?" };
    let location = format!(
        "{origin}{}{MOVED}{question_mark}{}",
        head.path(),
        head.query()
    );
    Some(Reply::Response(Response {
        status: 302,
        content_type: "text/plain",
        location: Some(location),
        body: String::new(),
    }))
}

fn gateway_page() -> Response {
    Response {
        status: 502,
        content_type: "text/html",
        location: None,
        body: "<html><body><h1>502 Bad Gateway</h1></body></html>".to_owned(),
    }
}

fn lost_its_signature(options: &OfferOptions, head: &Head) -> bool {
    options.has(Habit::SignedCallback) && !head.query().starts_with(&format!("{SIGNED_QUERY}&"))
}

fn offer(core: &Core, id: u64, options: &OfferOptions) -> Reply {
    let shown = |offer: &mut super::offer::Offer| (offer.k1_to_show(), offer.node.uri());
    let shown = core.book.with(id, shown);
    let (k1, uri) = shown.expect("offers are never removed");
    let body = match options.kind {
        Kind::Channel => json!({
            "tag": "channelRequest",
            "uri": uri,
            "k1": k1,
            "callback": callback_url(core, id, options, &k1),
        }),
        Kind::Hosted => json!({
            "tag": "hostedChannelRequest",
            "uri": uri,
            "k1": k1,
            "alias": "Testbed host",
        }),
    };
    Reply::Response(Response::json(200, &body))
}

fn callback_url(core: &Core, id: u64, options: &OfferOptions, k1: &str) -> String {
    let origin = match options.over {
        _ if options.has(Habit::RelativeCallback) => "",
        Over::Https if options.has(Habit::CallbackOnAnotherHost) => &core.other_https_origin,
        over => core.origin(over),
    };
    let mut query = Vec::new();
    if options.has(Habit::SignedCallback) {
        query.push(SIGNED_QUERY.to_owned());
    }
    if options.has(Habit::K1InCallbackQuery) {
        query.push(format!("k1={k1}"));
    }
    let question_mark = if query.is_empty() { "" } else { "?" };
    format!("{origin}/callback/{id}{question_mark}{}", query.join("&"))
}

pub(super) fn ok() -> Response {
    Response::json(200, &json!({ "status": "OK" }))
}

pub(super) fn error(status: u16, reason: &str) -> Reply {
    let body: Value = json!({ "status": "ERROR", "reason": reason });
    Reply::Response(Response::json(status, &body))
}
