import Foundation

/// `WalletNode` for a wallet whose node is an actor, or has `async` methods.
///
/// ```swift
/// actor MyNode: AsyncWalletNode {
///     func nodeId() async throws -> String { … }
///     func readiness(peer: PeerAddress) async throws -> NodeReadiness { … }
///     func connect(peer: PeerAddress) async throws -> Bool { … }
///     func releasePeer(peer: PeerAddress) async throws { … }
/// }
/// let client = try ChannelClient(node: MyNode(), listener: requests, config: config)
/// ```
///
/// Any error may be thrown; `WalletNodeError` says most to the wallet's log. The task of a method that
/// takes longer than the library waits for it is cancelled.
public protocol AsyncWalletNode: Sendable {
    /// Your node's public key, 66 hex digits.
    func nodeId() async throws -> String

    /// What the node could do for a channel from `peer`, and which it has with it.
    func readiness(peer: PeerAddress) async throws -> NodeReadiness

    /// Connect to `peer`; true once the `init` messages are exchanged. Already connected counts.
    ///
    /// Do not make the node remember the peer: do so when the channel arrives.
    func connect(peer: PeerAddress) async throws -> Bool

    /// No request needs the connection to `peer` any more. Disconnect, unless the node has a channel
    /// with it, or needs it otherwise.
    func releasePeer(peer: PeerAddress) async throws

    /// Send a custom message to a connected peer; true once it is handed to the connection.
    ///
    /// Only hosted channels need it.
    func sendPeerMessage(peerId: String, messageType: UInt16, payload: Data) async throws -> Bool

    /// The script that a hosted channel refunds to: P2WPKH or P2WSH. Asked once per request.
    ///
    /// Only hosted channels need it.
    func refundScriptPubkey(requestId: String) async throws -> Data
}

extension ChannelClient {
    /// A client of a node with `async` methods.
    public convenience init(
        node: any AsyncWalletNode, listener: any ChannelListener, config: ClientConfig
    ) throws {
        let node = BlockingWalletNode(node, connectTimeoutSeconds: config.connectTimeoutSeconds)
        try self.init(node: node, listener: listener, config: config)
    }
}

/// An `AsyncWalletNode` as the library calls it. The calls come on the library's own threads, which
/// may block, and never on those that run Swift's tasks.
public final class BlockingWalletNode: WalletNode {
    private let node: any AsyncWalletNode
    private let connectTimeoutSeconds: UInt32

    /// - Parameters:
    ///   - node: the wallet's own.
    ///   - connectTimeoutSeconds: as in the client's `ClientConfig`.
    public init(_ node: any AsyncWalletNode, connectTimeoutSeconds: UInt32 = 30) {
        self.node = node
        self.connectTimeoutSeconds = connectTimeoutSeconds
    }

    public func nodeId() throws -> String {
        try wait { try await $0.nodeId() }
    }

    public func readiness(peer: PeerAddress) throws -> NodeReadiness {
        try wait { try await $0.readiness(peer: peer) }
    }

    public func connect(peer: PeerAddress) throws -> Bool {
        // The library triples the limit for onion nodes.
        try wait(times: peer.host.hasSuffix(".onion") ? 3 : 1) { try await $0.connect(peer: peer) }
    }

    public func releasePeer(peer: PeerAddress) throws {
        try wait { try await $0.releasePeer(peer: peer) }
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

    private func wait<T: Sendable>(
        times: Double = 1, _ call: @escaping @Sendable (any AsyncWalletNode) async throws -> T
    ) throws -> T {
        let node = node
        let answer = Answer<T>()
        let task = Task.detached {
            do {
                answer.give(.success(try await call(node)))
            } catch {
                answer.give(.failure(error))
            }
        }
        // A little longer than the library waits, so that it is the one to tell of the time limit.
        let limit = Double(connectTimeoutSeconds) * times + 1
        guard let result = answer.wait(seconds: limit) else {
            task.cancel()
            throw WalletNodeError.Failed(reason: "it took more than \(Int(limit)) seconds")
        }
        return try result.get()
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

    /// None after `seconds`.
    func wait(seconds: Double) -> Result<T, any Error>? {
        given.wait(timeout: .now() + seconds) == .success ? result : nil
    }
}
