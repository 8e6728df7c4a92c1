import Foundation

/// A step of one request.
public struct RequestEvent: Equatable, Hashable, Sendable {
    public let requestId: String
    public let event: ChannelEvent

    public init(requestId: String, event: ChannelEvent) {
        self.requestId = requestId
        self.event = event
    }
}

/// The steps of all requests, as streams, for any number of listeners.
///
/// ```swift
/// let events = ChannelEvents()
/// let client = try ChannelClient(node: events.following(myNode), config: config)
/// for await event in events.of(request) { show(event) }
/// ```
///
/// A stream begins with what happens after it was made, keeps the order, and drops nothing. It ends
/// with the task that reads it, with `finish`, or when nobody holds this object any more. A failed
/// call does not end it: failures are thrown by the call.
public final class ChannelEvents: @unchecked Sendable {
    private struct Listener {
        let receive: (RequestEvent) -> Void
        let finish: () -> Void
    }

    private let lock = NSLock()
    private var listeners: [UUID: Listener] = [:]

    public init() {}

    deinit { finish() }

    /// `node`, whose events come here too, and first.
    public func following(_ node: any WalletNode) -> any WalletNode {
        FollowedWalletNode(node: node, events: self)
    }

    /// The steps of every request.
    public func all() -> AsyncStream<RequestEvent> {
        stream { $0 }
    }

    /// The steps of one request.
    public func of(_ request: any ChannelRequestProtocol) -> AsyncStream<ChannelEvent> {
        let requestId = request.requestId()
        return stream { $0.requestId == requestId ? $0.event : nil }
    }

    /// Pass a step on. For a wallet that calls it from its own `onChannelEvent`.
    public func send(requestId: String, event: ChannelEvent) {
        let step = RequestEvent(requestId: requestId, event: event)
        for listener in lock.withLock({ Array(listeners.values) }) {
            listener.receive(step)
        }
    }

    /// End all streams.
    public func finish() {
        for listener in lock.withLock({ Array(listeners.values) }) {
            listener.finish()
        }
    }

    private func stream<Element: Sendable>(
        of select: @escaping (RequestEvent) -> Element?
    ) -> AsyncStream<Element> {
        AsyncStream { continuation in
            let id = UUID()
            continuation.onTermination = { [weak self] _ in self?.forget(id) }
            let listener = Listener(
                receive: { step in
                    if let element = select(step) { continuation.yield(element) }
                },
                finish: { continuation.finish() }
            )
            lock.withLock { listeners[id] = listener }
        }
    }

    private func forget(_ id: UUID) {
        // Let go of outside the lock: it may hold the last of something.
        _ = lock.withLock { listeners.removeValue(forKey: id) }
    }
}

private final class FollowedWalletNode: WalletNode {
    private let node: any WalletNode
    private let events: ChannelEvents

    init(node: any WalletNode, events: ChannelEvents) {
        self.node = node
        self.events = events
    }

    func nodeId() throws -> String {
        try node.nodeId()
    }

    func connect(peer: PeerAddress) throws -> Bool {
        try node.connect(peer: peer)
    }

    func sendPeerMessage(peerId: String, messageType: UInt16, payload: Data) throws -> Bool {
        try node.sendPeerMessage(peerId: peerId, messageType: messageType, payload: payload)
    }

    func refundScriptPubkey(requestId: String) throws -> Data {
        try node.refundScriptPubkey(requestId: requestId)
    }

    func onChannelEvent(requestId: String, event: ChannelEvent) throws {
        events.send(requestId: requestId, event: event)
        try node.onChannelEvent(requestId: requestId, event: event)
    }
}
