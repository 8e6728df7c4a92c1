//! The connections to the service: HTTPS on one port, plain HTTP for the onion name on another.

use super::Core;
use super::log::{RequestKind, SeenRequest};
use super::offer::Over;
use super::routes::{self, Reply};
use crate::http::{Head, read_head};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::HandshakeKind;

/// How serving a connection ended, where the client has not simply gone.
enum End {
    Closed,
    Reset,
}

/// The connection that a request comes on.
struct Wire {
    number: u64,
    over: Over,
}

pub(super) async fn listen(core: Arc<Core>, listener: TcpListener, over: Over) {
    while let Ok((stream, _)) = listener.accept().await {
        // As servers do: else the answer waits 40 ms behind TLS's session tickets.
        let _ = stream.set_nodelay(true);
        let number = core.log.connection();
        let wire = Wire { number, over };
        // What becomes of one connection concerns nobody else.
        match over {
            Over::Https => drop(tokio::spawn(serve_tls(core.clone(), stream, wire))),
            Over::Onion => drop(tokio::spawn(serve_plain(core.clone(), stream, wire))),
        }
    }
}

async fn serve_plain(core: Arc<Core>, mut stream: TcpStream, wire: Wire) -> io::Result<()> {
    let end = serve(&core, &mut stream, &wire).await?;
    finish(&stream, end)
}

async fn serve_tls(core: Arc<Core>, stream: TcpStream, wire: Wire) -> io::Result<()> {
    let mut stream = core.identity.acceptor.accept(stream).await?;
    let kind = stream.get_ref().1.handshake_kind();
    core.log.handshake(kind == Some(HandshakeKind::Resumed));
    let end = serve(&core, &mut stream, &wire).await?;
    finish(stream.get_ref().0, end)
}

fn finish(stream: &TcpStream, end: End) -> io::Result<()> {
    match end {
        End::Closed => Ok(()),
        // Dropping the stream then sends RST in place of FIN.
        End::Reset => stream.set_zero_linger(),
    }
}

async fn serve(
    core: &Arc<Core>,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    wire: &Wire,
) -> io::Result<End> {
    let mut stream = BufReader::new(stream);
    while let Some(head) = read_head(&mut stream).await? {
        let place = routes::place(head.path());
        core.log.request(seen(core, &head, place, wire));
        match routes::answer(core, &head, place, wire.over).await {
            Reply::Response(response) => response.write(&mut stream).await?,
            Reply::ResponseThen(response, next) => {
                response.write(&mut stream).await?;
                tokio::spawn(next);
            }
            Reply::Reset => return Ok(End::Reset),
            Reply::Silence => {
                wait_for_the_end(&mut stream).await?;
                return Ok(End::Closed);
            }
        }
    }
    Ok(End::Closed)
}

fn seen(core: &Core, head: &Head, place: routes::Place, wire: &Wire) -> SeenRequest {
    let (kind, offer_id) = match place {
        routes::Place::Offer(id) => (RequestKind::Offer, Some(id)),
        routes::Place::Callback(id) => (RequestKind::Callback, Some(id)),
        routes::Place::Nowhere => (RequestKind::Other, None),
    };
    SeenRequest {
        offer_id,
        kind,
        over: wire.over,
        method: head.method.clone(),
        target: head.target.clone(),
        headers: head.headers.clone(),
        connection: wire.number,
        at: core.log.elapsed(),
    }
}

async fn wait_for_the_end(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}
