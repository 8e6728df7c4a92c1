//! What kept others from doing their part.

/// What kept the client from reaching a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NetworkProblem {
    /// Its name could not be looked up, or no connection came about.
    NoConnection,
    TimedOut,
    /// The connection ended before the answer did.
    ConnectionLost,
    /// Its certificate is expired or not valid yet; the phone's clock may be wrong.
    CertificateDate,
    /// Its certificate is not trusted, or TLS failed otherwise.
    CertificateUntrusted,
    /// The proxy could not be reached, or would not connect.
    Proxy,
}

/// What kept the wallet's node from doing its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeProblem {
    /// `connect` returned false or threw.
    NotConnected,
    TimedOut,
    /// It cannot do this at all, such as send custom messages.
    Unsupported,
    /// Another method threw, or returned what cannot be used.
    Failed,
}
