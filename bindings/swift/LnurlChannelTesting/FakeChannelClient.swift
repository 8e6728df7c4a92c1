import Foundation
import LnurlChannel

/// A client for a wallet's own tests. Needs no native library.
///
/// It has no rules: a test says what each call leads to, what a channel is, and, with
/// `FakeChannelRequest.becomes`, how requests move on. Of several answers to one method each call takes
/// the next, and the last one stays.
///
/// ```swift
/// let requests = ChannelRequests()
/// let client = FakeChannelClient(listener: requests)
/// let request = client.fetchReturns(FakeChannelRequest())
/// request.acceptReturns(.fake)
/// ```
@available(iOS 16, macOS 13, *)
public final class FakeChannelClient: ChannelClientProtocol, @unchecked Sendable {
    /// What a wallet reported with `reportChannelClosed`.
    public struct Closing: Equatable, Sendable {
        public let peerId: String
        public let channelId: String?
        public let reason: String?
    }

    /// What a wallet reported with `reportPeerConnection`.
    public struct Connection: Equatable, Sendable {
        public let peerId: String
        public let isConnected: Bool
    }

    /// What a wallet reported with `reportPeerMessage`.
    public struct Message: Equatable, Sendable {
        public let peerId: String
        public let messageType: UInt16
        public let payload: Data
    }

    private struct Record {
        var known: [FakeChannelRequest] = []
        var listed: [FakeChannelRequest] = []
        var fetched: [Lnurl] = []
        var answers: [String] = []
        var channels: [IncomingChannel] = []
        var closings: [Closing] = []
        var connections: [Connection] = []
        var messages: [Message] = []
        var peerChecks = 0
        var isShutDown = false
    }

    private let listener: (any ChannelListener)?
    private let clock: any Clock<Duration>
    private let lock = NSLock()
    private var record = Record()
    private let fetchScript = Script<FakeChannelRequest>("fetch")
    private let takeAnswerScript = Script<FakeChannelRequest>("takeAnswer")
    private let verdictScript = Script<ChannelVerdict>("reportIncomingChannel")
    private let messageScript = Script<Bool>("reportPeerMessage")

    /// - Parameters:
    ///   - requests: what `requests` lists at first, as from an earlier run.
    ///   - listener: hears what requests become.
    ///   - clock: what `after` is measured on. The default one stands still, so that an answer with
    ///     `after` does not come.
    public init(
        requests: [FakeChannelRequest] = [],
        listener: (any ChannelListener)? = nil,
        clock: any Clock<Duration> = VirtualClock()
    ) {
        self.listener = listener
        self.clock = clock
        record.listed = requests
        for request in requests { know(request) }
    }

    // MARK: what the test says

    /// A call to `fetch` returns `request`.
    @discardableResult
    public func fetchReturns(
        _ request: FakeChannelRequest, after delay: Duration = .zero
    ) -> FakeChannelRequest {
        fetchScript.returns(request, after: delay)
        return request
    }

    /// A call to `fetch` throws `error`.
    public func fetchThrows(_ error: LnurlChannelError, after delay: Duration = .zero) {
        fetchScript.throws(error, after: delay)
    }

    /// A call to `takeAnswer` returns `request`.
    @discardableResult
    public func takeAnswerReturns(_ request: FakeChannelRequest) -> FakeChannelRequest {
        takeAnswerScript.returns(request)
        return request
    }

    /// A call to `takeAnswer` throws `error`.
    public func takeAnswerThrows(_ error: LnurlChannelError) {
        takeAnswerScript.throws(error)
    }

    /// A call to `reportIncomingChannel` returns `verdict`; without this it is `unrequested`.
    public func judges(_ verdict: ChannelVerdict) {
        verdictScript.returns(verdict)
    }

    /// A call to `reportPeerMessage` returns `isTaken`; without this it is false.
    public func reportPeerMessageReturns(_ isTaken: Bool) {
        messageScript.returns(isTaken)
    }

    // MARK: what the wallet did

    /// What each call to `fetch` fetched from.
    public var fetched: [Lnurl] { locked { $0.fetched } }
    /// The answer of each call to `takeAnswer`.
    public var takenAnswers: [String] { locked { $0.answers } }
    /// What each call to `reportIncomingChannel` reported.
    public var reportedChannels: [IncomingChannel] { locked { $0.channels } }
    /// What each call to `reportChannelClosed` reported.
    public var reportedClosings: [Closing] { locked { $0.closings } }
    /// What each call to `reportPeerConnection` reported.
    public var reportedConnections: [Connection] { locked { $0.connections } }
    /// What each call to `reportPeerMessage` reported.
    public var reportedMessages: [Message] { locked { $0.messages } }
    /// How often `checkPeers` was called.
    public var peerChecks: Int { locked { $0.peerChecks } }
    /// Whether `shutdown` was called.
    public var isShutDown: Bool { locked { $0.isShutDown } }

    // MARK: the client itself

    public func performFetch(lnurl: Lnurl) async throws -> ChannelRequest {
        locked { $0.fetched.append(lnurl) }
        return know(try await fetchScript.play(on: clock))
    }

    public func takeAnswer(lnurl: Lnurl, answer: String) throws -> ChannelRequest {
        locked { $0.answers.append(answer) }
        return know(try takeAnswerScript.play())
    }

    public func requests() -> [ChannelRequestSnapshot] {
        locked { $0.listed }.map { $0.snapshot() }
    }

    public func request(requestId: String) -> ChannelRequest? {
        locked { $0.known }.first { $0.requestId() == requestId }
    }

    public func reportIncomingChannel(channel: IncomingChannel) -> ChannelVerdict {
        locked { $0.channels.append(channel) }
        return (try? verdictScript.play()) ?? .unrequested
    }

    public func reportChannelClosed(peerId: String, channelId: String?, reason: String?) {
        let closing = Closing(peerId: peerId, channelId: channelId, reason: reason)
        locked { $0.closings.append(closing) }
    }

    public func reportPeerConnection(peerId: String, isConnected: Bool) {
        let connection = Connection(peerId: peerId, isConnected: isConnected)
        locked { $0.connections.append(connection) }
    }

    public func reportPeerMessage(peerId: String, messageType: UInt16, payload: Data) -> Bool {
        let message = Message(peerId: peerId, messageType: messageType, payload: payload)
        locked { $0.messages.append(message) }
        return (try? messageScript.play()) ?? false
    }

    public func checkPeers() {
        locked { $0.peerChecks += 1 }
    }

    public func shutdown() async {
        locked { $0.isShutDown = true }
    }

    // MARK: what its requests call

    func changed(_ request: FakeChannelRequest, _ snapshot: ChannelRequestSnapshot, _ step: ChannelStep) {
        locked { record in
            let isListed = record.listed.contains { $0 === request }
            if !isListed { record.listed.insert(request, at: 0) }
        }
        // What a listener throws is ignored.
        try? listener?.onRequestChanged(request: snapshot, step: step)
    }

    @discardableResult
    private func know(_ request: FakeChannelRequest) -> FakeChannelRequest {
        locked { record in
            let isKnown = record.known.contains { $0 === request }
            if !isKnown { record.known.append(request) }
        }
        request.belongs(to: self)
        return request
    }

    private func locked<T>(_ body: (inout Record) throws -> T) rethrows -> T {
        try lock.withLock { try body(&record) }
    }
}
