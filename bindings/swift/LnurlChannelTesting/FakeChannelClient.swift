import Foundation
import LnurlChannel

/// A client that offers what it is told to, for the wallet's own tests.
///
/// Each `fetch` takes the next of `offers`; when there is none left, it makes a request for
/// `ChannelOffer.fake`.
public final class FakeChannelClient: ChannelClientProtocol, @unchecked Sendable {
    /// What a `fetch` leads to.
    public typealias Offer = Result<FakeChannelRequest, LnurlChannelError>

    private let lock = NSLock()
    private let onEvent: @Sendable (_ requestId: String, _ event: ChannelEvent) -> Void
    private var offers: [Offer]
    private var requests: [FakeChannelRequest]
    private var matcher = FakeMatcher()
    private var hosts: [String] = []
    private var checks = 0
    private var isShutDown = false

    /// - Parameters:
    ///   - unfinished: requests from an earlier run.
    ///   - onEvent: where the steps of requests go that it makes itself.
    public init(
        offers: [Offer] = [],
        unfinished: [FakeChannelRequest] = [],
        onEvent: @escaping @Sendable (_ requestId: String, _ event: ChannelEvent) -> Void = {
            _, _ in
        }
    ) {
        self.offers = offers
        self.requests = unfinished
        self.onEvent = onEvent
    }

    // MARK: what the test does

    /// Append to the script.
    public func script(_ offers: Offer...) {
        lock.withLock { self.offers += offers }
    }

    /// The host of every LNURL that was fetched, in order.
    public var fetchedHosts: [String] { lock.withLock { hosts } }

    /// How often `checkPeers` was called.
    public var peerChecks: Int { lock.withLock { checks } }

    // MARK: what the wallet does

    public func fetch(lnurl: Lnurl) async throws -> ChannelRequest {
        let host = lnurl.host()
        return try lock.withLock {
            guard !isShutDown else { throw LnurlChannelError.Cancelled }
            hosts.append(host)
            let next = offers.isEmpty ? .success(made()) : offers.removeFirst()
            let request = try next.get()
            if !requests.contains(where: { $0 === request }) { requests.append(request) }
            return request
        }
    }

    public func unfinishedRequests() -> [ChannelRequest] {
        all().filter(\.isUnfinished)
    }

    public func request(requestId: String) -> ChannelRequest? {
        all().first { $0.requestId() == requestId }
    }

    /// The verdicts of the library, but for `wrongVisibility`: a channel of either will do. As
    /// there, a channel keeps the verdict that it got first.
    public func reportIncomingChannel(channel: IncomingChannel) -> ChannelVerdict {
        let channel = channel.normalised
        let (verdict, tell): (ChannelVerdict, (() -> Void)?) = lock.withLock {
            guard !isShutDown else { return (.unrequested, nil) }
            let verdict = matcher.judge(channel, among: requests)
            guard case .expected(let id) = verdict,
                let request = requests.first(where: { $0.requestId() == id })
            else { return (verdict, nil) }
            return (verdict, take(channel, for: request))
        }
        tell?()
        return verdict
    }

    public func reportChannelFailed(peerId: String, channelId: String) {
        lock.withLock {
            matcher.learn(from: requests)
            for request in requests where request.offer().peer.nodeId == peerId.lowercased() {
                guard case .opening(let channel)? = request.outcome() else { continue }
                if matcher.isId(channelId.lowercased(), of: channel) { request.channelFailed() }
            }
        }
    }

    /// Takes the three messages of a host; the terms of an offer are always
    /// `HostedChannelTerms.fake`, since a fake reads no payload.
    public func reportPeerMessage(peerId: String, messageType: UInt16, payload: Data) -> Bool {
        guard !lock.withLock({ isShutDown }) else { return false }
        let awaiting = all().filter {
            $0.offer().kind == .hosted && $0.offer().peer.nodeId == peerId.lowercased()
                && $0.isAwaiting
        }
        // A host answers on the connection that it was asked on.
        guard let hosted = awaiting.first(where: { $0.isRunning() }) ?? awaiting.last else {
            return false
        }
        switch messageType {
        case 65533: return hosted.arrive(.hostedOffered(terms: .fake, message: payload))
        case 65531: return hosted.arrive(.hostedExists(message: payload))
        case 63497: return hosted.fail(.Refused(reason: "the host said no"))
        default: return false
        }
    }

    public func checkPeers() {
        lock.withLock { checks += 1 }
    }

    public func shutdown() async {
        lock.withLock { isShutDown = true }
        for request in all() { request.shutDown() }
    }

    /// Under the lock. What tells of an arrival, to be called outside of it.
    private func take(
        _ channel: IncomingChannel, for request: FakeChannelRequest
    ) -> (() -> Void)? {
        guard case .opening(let arrived)? = request.outcome() else {
            return request.arrival(of: .opening(channel: channel))
        }
        if matcher.takesPlace(of: arrived, channel) {
            request.replaceOutcome(.opening(channel: channel))
        }
        return nil
    }

    private func all() -> [FakeChannelRequest] {
        lock.withLock { requests }
    }

    private func made() -> FakeChannelRequest {
        FakeChannelRequest(onEvent: onEvent)
    }
}
