import Foundation

extension ChannelRequestSnapshot: Identifiable {
    public var id: String { requestId }

    /// When the offer was fetched.
    public var createdAt: Date { Date(timeIntervalSince1970: TimeInterval(createdAtSeconds)) }

    /// When the request last changed.
    public var updatedAt: Date { Date(timeIntervalSince1970: TimeInterval(updatedAtSeconds)) }

    /// When the running call stops waiting.
    public var waitsUntil: Date? {
        waitsUntilSeconds.map { Date(timeIntervalSince1970: TimeInterval($0)) }
    }
}

extension PeerAddress {
    /// `host:port`, with an IPv6 address in brackets: what most nodes take.
    public var socketAddress: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension ChannelClientProtocol {
    /// Report that a channel was closed or failed, where the node gives no reason.
    public func reportChannelClosed(peerId: String, channelId: String?) {
        reportChannelClosed(peerId: peerId, channelId: channelId, reason: nil)
    }
}
