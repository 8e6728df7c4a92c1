import LnurlChannel

/// Which request an incoming channel belongs to: the library's own rules, but for the visibility,
/// which fakes do not compare.
struct FakeMatcher {
    /// A channel that was judged, under every id that it was seen with.
    private struct KnownChannel {
        let peerId: String
        var ids: Set<String>
        let verdict: ChannelVerdict
    }

    private var known: [KnownChannel] = []

    /// The verdict on a channel, from requests in their order of age. It is kept: nodes replay.
    mutating func judge(
        _ channel: IncomingChannel, among requests: [FakeChannelRequest]
    ) -> ChannelVerdict {
        learn(from: requests)
        if let at = place(of: channel) {
            known[at].ids.formUnion(channel.ids)
            return known[at].verdict
        }
        let asked = requests.filter {
            $0.isAsked && $0.offer().kind == .funded && $0.offer().peer.nodeId == channel.peerId
        }
        let verdict = Self.verdict(on: channel, among: asked)
        add(channel, verdict)
        return verdict
    }

    /// What arrived by the test's own doing is known too.
    mutating func learn(from requests: [FakeChannelRequest]) {
        for request in requests {
            guard case .opening(let channel)? = request.outcome() else { continue }
            if place(of: channel) == nil { add(channel, .expected(requestId: request.requestId())) }
        }
    }

    /// Whether `channelId` is one of the ids of `channel`.
    func isId(_ channelId: String, of channel: IncomingChannel) -> Bool {
        place(of: channel).map { known[$0].ids.contains(channelId) } ?? false
    }

    /// Whether `channel` is what its request leads to from now on, instead of `arrived`.
    func takesPlace(of arrived: IncomingChannel, _ channel: IncomingChannel) -> Bool {
        guard let old = place(of: arrived), let new = place(of: channel) else { return false }
        return switch (arrived.stage, channel.stage) {
        case (.funded, .funded): old == new
        case (.funded, .proposed): false
        case (.proposed, .funded): true
        case (.proposed, .proposed): old <= new
        }
    }

    private static func verdict(
        on channel: IncomingChannel, among asked: [FakeChannelRequest]
    ) -> ChannelVerdict {
        let waiting = asked.first(where: \.isAwaiting)
        let proposed = asked.first(where: \.hasProposal)
        let next = channel.stage == .proposed ? waiting ?? proposed : proposed ?? waiting
        // What the user cancelled since then is not taken for what an older request asked for.
        let sinceCancelled = asked.reversed().prefix { $0.state() != .cancelled }
        if let request = next ?? sinceCancelled.last(where: { $0.state() == .refused }) {
            return .expected(requestId: request.requestId())
        }
        if let request = asked.first(where: { $0.state() == .cancelled }) {
            return .unwanted(requestId: request.requestId())
        }
        if let request = asked.first(where: { $0.state() == .arrived }) {
            return .duplicate(requestId: request.requestId())
        }
        return .unrequested
    }

    private mutating func add(_ channel: IncomingChannel, _ verdict: ChannelVerdict) {
        known.append(
            KnownChannel(peerId: channel.peerId, ids: Set(channel.ids), verdict: verdict))
    }

    /// By today's id first.
    private func place(of channel: IncomingChannel) -> Int? {
        channel.ids.lazy.compactMap { id in
            known.firstIndex { $0.peerId == channel.peerId && $0.ids.contains(id) }
        }.first
    }
}

extension IncomingChannel {
    /// Its ids and its peer's key in lower case.
    var normalised: IncomingChannel {
        var channel = self
        channel.peerId = peerId.lowercased()
        channel.channelId = channelId.lowercased()
        channel.formerChannelId = formerChannelId?.lowercased()
        return channel
    }

    fileprivate var ids: [String] { [channelId] + (formerChannelId.map { [$0] } ?? []) }
}
