import Foundation
import LnurlChannel
import Testing

/// A testbed, a client, and an offer that was fetched.
struct Scene {
    let testbed: Testbed
    let client: ChannelClient
    let listener: Listener
    let offer: Json
    let request: ChannelRequest

    /// - Parameter node: a plain one, unless the flow is to be real.
    static func make(
        node: any WalletNode = PlainNode(),
        listener: Listener = Listener(),
        offer options: [String: Any] = [:],
        testbed: Testbed? = nil,
        config change: (inout ClientConfig) -> Void = { _ in }
    ) async throws -> Scene {
        let testbed = try testbed ?? Testbed()
        let client = try ChannelClient(
            node: node, listener: listener, config: testbed.config(change))
        let offer = try testbed.offer(options)
        let request = try await fetch(offer, with: client)
        return Scene(
            testbed: testbed, client: client, listener: listener, offer: offer, request: request)
    }

    /// A scene whose service agrees and never opens a channel.
    static func waiting(
        node: any WalletNode = PlainNode(), listener: Listener = Listener()
    ) async throws -> Scene {
        try await make(node: node, listener: listener, offer: ["habits": ["OkAndNeverOpens"]])
    }

    /// A channel that the target is said to open, for nodes that speak no Lightning.
    func channel(
        _ number: UInt8 = 1, _ stage: ChannelStage = .funded, isAnnounced: Bool = false
    ) throws -> IncomingChannel {
        IncomingChannel(
            peerId: try testbed.target().text("id"), stage: stage,
            channelId: Data(repeating: number, count: 32).hex, capacitySat: 100_000, pushMsat: 0,
            isAnnounced: isAnnounced)
    }

    /// Reports that channel.
    func report(
        _ number: UInt8 = 1, _ stage: ChannelStage = .funded, isAnnounced: Bool = false
    ) throws -> ChannelVerdict {
        client.reportIncomingChannel(channel: try channel(number, stage, isAnnounced: isAnnounced))
    }
}

func fetch(_ offer: Json, with client: ChannelClient) async throws -> ChannelRequest {
    try await client.fetch(lnurl: decodeLnurl(text: offer.text("lnurl")))
}

extension ChannelRequest {
    var state: ChannelRequestState { snapshot().state }
    var isRunning: Bool { snapshot().isRunning }
}

/// What an app does with its node's events: report, and follow the verdict.
final class Pump: @unchecked Sendable {
    let verdicts = Watched<ChannelVerdict>()
    private let testbed: Testbed
    private weak var client: ChannelClient?

    init(_ testbed: Testbed, _ client: ChannelClient) {
        self.testbed = testbed
        self.client = client
        Thread.detachNewThread { [self] in run() }
    }

    /// Until the client is gone, or the testbed.
    private func run() {
        while client != nil {
            guard let events = try? testbed.get("/wallet/events?wait_ms=100").list("events") else {
                return
            }
            for event in events {
                guard let client else { return }
                // The peer may have gone meanwhile; then there is nothing to answer.
                try? report(event, to: client)
            }
        }
    }

    private func report(_ event: Json, to client: ChannelClient) throws {
        switch try event.text("type") {
        case "OpenChannelRequest":
            let channel = IncomingChannel(
                peerId: try event.text("peer_id"), stage: .proposed,
                channelId: try event.text("channel_id"),
                capacitySat: try event.number("capacity_sat"),
                pushMsat: try event.number("push_msat"),
                isAnnounced: try event.flag("is_announced"))
            let verdict = client.reportIncomingChannel(channel: channel)
            verdicts.append(verdict)
            var answer = "reject_channel"
            if case .expected = verdict { answer = "accept_channel" }
            try testbed.post(
                "/wallet/\(answer)",
                ["peer_id": channel.peerId, "channel_id": event.text("channel_id")])
        case "ChannelPending":
            try report(event, .funded, to: client, formerId: try? event.text("former_channel_id"))
        case "ChannelReady":
            try report(event, .ready, to: client)
        case "ChannelClosed":
            client.reportChannelClosed(
                peerId: try event.text("peer_id"), channelId: try event.text("channel_id"),
                reason: try event.text("reason"))
        case "PeerConnected", "PeerDisconnected":
            client.reportPeerConnection(
                peerId: try event.text("peer_id"),
                isConnected: try event.text("type") == "PeerConnected")
        case "PeerMessage":
            _ = client.reportPeerMessage(
                peerId: try event.text("peer_id"),
                messageType: UInt16(try event.number("message_type")),
                payload: Data(hex: try event.text("payload_hex")))
        default: break
        }
    }

    private func report(
        _ event: Json, _ stage: ChannelStage, to client: ChannelClient, formerId: String? = nil
    ) throws {
        verdicts.append(
            client.reportIncomingChannel(
                channel: IncomingChannel(
                    peerId: try event.text("peer_id"), stage: stage,
                    channelId: try event.text("channel_id"), formerChannelId: formerId)))
    }
}

/// The library's error that `body` ends with.
func channelError(
    _ body: () async throws -> Void
) async throws -> LnurlChannelError {
    do {
        try await body()
    } catch let error as LnurlChannelError {
        return error
    }
    throw NoError()
}

struct NoError: Error {}

/// A folder that is gone with the test.
final class TemporaryFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
