//! The moment at which a connection stands, TLS included: a request learns of it there, and may take a
//! connection that was opened before (5a.3).

use std::any::Any;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use hyper::rt::{Read, ReadBuf};
use lnurl_channel_core::MAX_CONNECTION_AGE;
use tower::{Layer, Service};

use super::lock;

/// Called once, when the connection stands and the request is about to be written. False: write
/// nothing.
pub type OnConnected = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// Why a request ends that is not to be written, or not any more.
const NOT_WANTED: &str = "the request is not wanted";

/// A connection on which nothing was written.
pub struct Opened {
    connection: Box<dyn Any + Send>,
    since: Instant,
}

impl Opened {
    /// The connection, if it still stands and is young enough.
    fn usable_at<C: Read + Unpin + 'static>(self, now: Instant) -> Option<C> {
        let mut connection = *self.connection.downcast::<C>().ok()?;
        let is_young = now.duration_since(self.since) < MAX_CONNECTION_AGE;
        (is_young && is_quiet(&mut connection)).then_some(connection)
    }
}

/// The service has neither closed the connection nor said anything yet.
fn is_quiet<C: Read + Unpin>(connection: &mut C) -> bool {
    let mut byte = [0];
    let mut buffer = ReadBuf::new(&mut byte);
    let mut context = Context::from_waker(Waker::noop());
    let read = Pin::new(connection).poll_read(&mut context, buffer.unfilled());
    read.is_pending()
}

/// What is done with the connection of a request.
#[derive(Clone, Default)]
pub struct Connection {
    /// Taken, if it can be used, rather than making a new one.
    pub opened: Arc<Mutex<Option<Opened>>>,
    /// A new one is left in `opened`, and the request ends without having been written.
    pub is_kept: bool,
    pub on_connected: Option<OnConnected>,
    /// Set once the request may be written.
    pub is_connected: Arc<AtomicBool>,
}

/// A connector that does so.
#[derive(Clone)]
pub struct Connector<S> {
    connector: S,
    connection: Connection,
}

impl<S> Layer<S> for Connection {
    type Service = Connector<S>;

    fn layer(&self, connector: S) -> Connector<S> {
        Connector {
            connector,
            connection: self.clone(),
        }
    }
}

impl<S, R> Service<R> for Connector<S>
where
    S: Service<R>,
    S::Response: Read + Unpin + Send + 'static,
    S::Error: From<&'static str> + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, target: R) -> Self::Future {
        // It connects once it is awaited, if it is.
        let connecting = self.connector.call(target);
        let this = self.connection.clone();
        Box::pin(async move {
            let opened = lock(&this.opened).take();
            if opened.is_some() {
                // The runtime looks at its sockets, so that an end which has come is seen.
                tokio::task::yield_now().await;
            }
            let connection = match opened.and_then(|opened| opened.usable_at(Instant::now())) {
                Some(opened) => opened,
                None => connecting.await?,
            };
            if this.is_kept {
                let connection = Box::new(connection);
                let since = Instant::now();
                *lock(&this.opened) = Some(Opened { connection, since });
                return Err(NOT_WANTED.into());
            }
            if let Some(on_connected) = this.on_connected
                && !on_connected().await
            {
                return Err(NOT_WANTED.into());
            }
            this.is_connected.store(true, Ordering::SeqCst);
            Ok(connection)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use hyper::rt::ReadBufCursor;

    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Far {
        Quiet,
        Closed,
        Reset,
        Spoken,
    }

    impl Read for Far {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            mut buffer: ReadBufCursor<'_>,
        ) -> Poll<io::Result<()>> {
            match *self {
                Far::Quiet => return Poll::Pending,
                Far::Closed => {}
                Far::Reset => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                Far::Spoken => buffer.put_slice(b"H"),
            }
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn a_connection_is_usable_while_it_is_young_and_quiet() {
        let since = Instant::now();
        let usable = |far: Far, age: Duration| {
            let connection = Box::new(far);
            let opened = Opened { connection, since };
            opened.usable_at::<Far>(since + age).is_some()
        };
        let young = MAX_CONNECTION_AGE - Duration::from_millis(1);
        assert!(usable(Far::Quiet, Duration::ZERO) && usable(Far::Quiet, young));
        assert!(!usable(Far::Quiet, MAX_CONNECTION_AGE));
        for far in [Far::Closed, Far::Reset, Far::Spoken] {
            assert!(!usable(far, Duration::ZERO), "{far:?}");
        }
    }
}
