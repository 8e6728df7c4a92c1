//! The moment at which a connection stands, TLS included: a request learns of it there, and may take a
//! connection that was opened before (5a.3).

use std::any::Any;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Instant, SystemTime};

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
    since: Since,
}

/// When a connection came about, on two clocks: one stands still while a phone sleeps, and the other can be
/// set.
#[derive(Clone, Copy)]
struct Since {
    instant: Instant,
    wall: SystemTime,
}

impl Since {
    fn now() -> Self {
        Self {
            instant: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    fn is_young_at(self, now: Self) -> bool {
        let by_wall = now.wall.duration_since(self.wall);
        now.instant.duration_since(self.instant) < MAX_CONNECTION_AGE
            && by_wall.is_ok_and(|age| age < MAX_CONNECTION_AGE)
    }
}

/// Whether a connection that was opened can be used now.
async fn is_usable<C: Read + Unpin>(connection: &mut C, since: Since) -> bool {
    // The runtime looks at its sockets, so that an end which has come is seen.
    tokio::task::yield_now().await;
    since.is_young_at(Since::now()) && is_quiet(connection)
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

impl Connection {
    async fn check_wanted(&self) -> Result<(), &'static str> {
        match &self.on_connected {
            Some(on_connected) if !on_connected().await => Err(NOT_WANTED),
            _ => Ok(()),
        }
    }
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
            let early = opened.and_then(|it| Some((it.connection.downcast().ok()?, it.since)));
            let early: Option<(Box<S::Response>, Since)> = match early {
                Some((mut early, since)) => is_usable(&mut *early, since)
                    .await
                    .then_some((early, since)),
                None => None,
            };
            let connection = match early {
                Some((mut early, since)) => {
                    this.check_wanted().await?;
                    // That may have taken long, on a slow disk.
                    if is_usable(&mut *early, since).await {
                        *early
                    } else {
                        connecting.await?
                    }
                }
                None => {
                    let connection = connecting.await?;
                    if this.is_kept {
                        let connection = Box::new(connection);
                        let since = Since::now();
                        *lock(&this.opened) = Some(Opened { connection, since });
                        return Err(NOT_WANTED.into());
                    }
                    this.check_wanted().await?;
                    connection
                }
            };
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
    fn a_connection_is_usable_while_it_is_quiet() {
        assert!(is_quiet(&mut Far::Quiet));
        for mut far in [Far::Closed, Far::Reset, Far::Spoken] {
            assert!(!is_quiet(&mut far), "{far:?}");
        }
    }

    #[test]
    fn a_connection_is_young_for_ten_seconds_on_both_clocks() {
        let since = Since::now();
        let is_young = |awake: Duration, wall: Duration| {
            since.is_young_at(Since {
                instant: since.instant + awake,
                wall: since.wall + wall,
            })
        };
        let young = MAX_CONNECTION_AGE - Duration::from_millis(1);
        assert!(is_young(Duration::ZERO, Duration::ZERO) && is_young(young, young));
        assert!(!is_young(MAX_CONNECTION_AGE, young));
        // The phone slept.
        assert!(!is_young(Duration::ZERO, MAX_CONNECTION_AGE));
        let set_back = Since {
            wall: since.wall - Duration::from_secs(1),
            ..since
        };
        assert!(!since.is_young_at(set_back));
    }
}
