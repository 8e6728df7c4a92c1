import Foundation

/// `WalletNode` for a wallet whose node is an actor, or has `async` methods.
///
/// Any error may be thrown; `WalletNodeError` tells the user most.
public protocol AsyncWalletNode: Sendable {
    /// Your node's public key, 66 hex digits.
    func nodeId() async throws -> String

    /// Connect to `peer`; true once the `init` messages are exchanged. Already connected counts.
    func connect(peer: PeerAddress) async throws -> Bool

    /// Send a custom message to a connected peer; true once it is handed to the connection.
    ///
    /// Only hosted channels need it.
    func sendPeerMessage(peerId: String, messageType: UInt16, payload: Data) async throws -> Bool

    /// The script that a hosted channel refunds to: P2WPKH or P2WSH. Asked once per request.
    ///
    /// Only hosted channels need it.
    func refundScriptPubkey(requestId: String) async throws -> Data

    /// A request moved on. Events of one request arrive in order, one at a time.
    func onChannelEvent(requestId: String, event: ChannelEvent) async throws
}

extension AsyncWalletNode {
    public func sendPeerMessage(
        peerId: String, messageType: UInt16, payload: Data
    ) async throws -> Bool {
        throw WalletNodeError.Unsupported(reason: "custom messages")
    }

    public func refundScriptPubkey(requestId: String) async throws -> Data {
        throw WalletNodeError.Unsupported(reason: "hosted channels")
    }

    /// Nothing: `ChannelEvents` has them as streams.
    public func onChannelEvent(requestId: String, event: ChannelEvent) async throws {}
}

extension ChannelClient {
    /// A client of a node with `async` methods.
    public convenience init(node: any AsyncWalletNode, config: ClientConfig) throws {
        try self.init(node: BlockingWalletNode(node), config: config)
    }
}

/// An `AsyncWalletNode` as the library calls it. The calls come on the library's own threads, which
/// may block, and never on those that run Swift's tasks.
public final class BlockingWalletNode: WalletNode {
    private let node: any AsyncWalletNode

    public init(_ node: any AsyncWalletNode) {
        self.node = node
    }

    public func nodeId() throws -> String {
        try wait { try await $0.nodeId() }
    }

    public func connect(peer: PeerAddress) throws -> Bool {
        try wait { try await $0.connect(peer: peer) }
    }

    public func sendPeerMessage(
        peerId: String, messageType: UInt16, payload: Data
    ) throws -> Bool {
        try wait {
            try await $0.sendPeerMessage(
                peerId: peerId, messageType: messageType, payload: payload)
        }
    }

    public func refundScriptPubkey(requestId: String) throws -> Data {
        try wait { try await $0.refundScriptPubkey(requestId: requestId) }
    }

    public func onChannelEvent(requestId: String, event: ChannelEvent) throws {
        try wait { try await $0.onChannelEvent(requestId: requestId, event: event) }
    }

    private func wait<T: Sendable>(
        _ call: @escaping @Sendable (any AsyncWalletNode) async throws -> T
    ) throws -> T {
        let node = node
        let answer = Answer<T>()
        Task.detached {
            do {
                answer.give(.success(try await call(node)))
            } catch {
                answer.give(.failure(error))
            }
        }
        return try answer.wait()
    }
}

/// What a task leaves for the thread that waits for it.
private final class Answer<T: Sendable>: @unchecked Sendable {
    private let given = DispatchSemaphore(value: 0)
    private var result: Result<T, any Error>?

    func give(_ result: Result<T, any Error>) {
        self.result = result
        given.signal()
    }

    func wait() throws -> T {
        given.wait()
        guard let result else { throw CancellationError() }
        return try result.get()
    }
}
