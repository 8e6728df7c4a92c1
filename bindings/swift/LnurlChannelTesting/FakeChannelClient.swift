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

    public func reportIncomingChannel(channel: IncomingChannel) -> ChannelVerdict {
        let ofPeer = all().filter { $0.offer().peer.nodeId == channel.peerId.lowercased() }
        let funded = ofPeer.filter { $0.offer().kind == .funded }
        for request in funded where request.arrive(.opening(channel: channel)) {
            return .expected(requestId: request.requestId())
        }
        for request in funded where request.state() == .arrived {
            let id = request.requestId()
            return request.outcome() == .opening(channel: channel)
                ? .expected(requestId: id) : .duplicate(requestId: id)
        }
        for request in funded where request.state() == .cancelled {
            return .unwanted(requestId: request.requestId())
        }
        return .unrequested
    }

    public func reportChannelFailed(peerId: String, channelId: String) {
        for request in all() {
            guard case .opening(let channel)? = request.outcome() else { continue }
            if channel.peerId == peerId.lowercased() && channel.channelId == channelId {
                request.channelFailed()
            }
        }
    }

    /// Takes the three messages of a host; the terms of an offer are always
    /// `HostedChannelTerms.fake`, since a fake reads no payload.
    public func reportPeerMessage(peerId: String, messageType: UInt16, payload: Data) -> Bool {
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
        for request in all() { _ = request.pause() }
    }

    private func all() -> [FakeChannelRequest] {
        lock.withLock { requests }
    }

    private func made() -> FakeChannelRequest {
        FakeChannelRequest(onEvent: onEvent)
    }
}
