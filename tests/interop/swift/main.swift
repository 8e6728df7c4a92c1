// The sample for LND in Swift, on two real LNDs without TLS: Linux can't be told to trust a
// certificate. `tests/interop/row-6` starts them.

import Foundation
import LndSamples
import LnurlChannel

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

let invoke: UInt16 = 65535
let initHosted: UInt16 = 65533
/// Of no protocol: it shows that a stream of messages stands.
let probe: UInt16 = 40001
let secret = "c0ffee"
/// The first block of regtest, as messages carry its hash.
let regtest = "06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f"

/// What was reported, on its way to the client.
final class Recorder: ChannelClient, @unchecked Sendable {
    private let lock = NSLock()
    private var seen: [IncomingChannel] = []
    private var types: [UInt16] = []
    private var peers: Set<String> = []

    var channels: [IncomingChannel] { lock.withLock { seen } }
    /// At any time so far.
    func wasConnected(_ peerId: String) -> Bool { lock.withLock { peers.contains(peerId) } }
    func hasSeen(_ type: UInt16) -> Bool { lock.withLock { types.contains(type) } }

    override func reportIncomingChannel(channel: IncomingChannel) -> ChannelVerdict {
        lock.withLock { seen.append(channel) }
        return super.reportIncomingChannel(channel: channel)
    }

    override func reportPeerConnection(peerId: String, isConnected: Bool) {
        if isConnected { _ = lock.withLock { peers.insert(peerId) } }
        super.reportPeerConnection(peerId: peerId, isConnected: isConnected)
    }

    override func reportPeerMessage(peerId: String, messageType: UInt16, payload: Data) -> Bool {
        lock.withLock { types.append(messageType) }
        return super.reportPeerMessage(peerId: peerId, messageType: messageType, payload: payload)
    }
}

/// The messages that the host has seen.
actor Inbox {
    private var messages: [LndMessage] = []
    func add(_ message: LndMessage) { messages.append(message) }
    func first(_ type: UInt16) -> LndMessage? { messages.first { $0.type == type } }
}

func expect(_ holds: Bool, _ what: String) {
    guard holds else { fatalError("not so: \(what)") }
}

func until(_ what: String, _ holds: () async throws -> Bool) async throws {
    for _ in 0..<600 {
        if try await holds() { return }
        try await Task.sleep(nanoseconds: 100_000_000)
    }
    fatalError("in vain: \(what)")
}

func hex(_ bytes: Data) -> String { bytes.map { String(format: "%02x", $0) }.joined() }

func scriptAsBitcoindHasIt(_ address: String) async throws -> String {
    struct Question: Encodable {
        let method = "validateaddress"
        let params: [String]
    }
    struct Validated: Decodable { let scriptPubKey: String }
    struct Answer: Decodable { let result: Validated }
    let port = ProcessInfo.processInfo.environment["BITCOIND_RPC_PORT"]!
    var request = URLRequest(url: URL(string: "http://127.0.0.1:\(port)/")!)
    let password = Data("interop:interop".utf8).base64EncodedString()
    request.setValue("Basic \(password)", forHTTPHeaderField: "Authorization")
    request.httpMethod = "POST"
    request.httpBody = try JSONEncoder().encode(Question(params: [address]))
    let (data, _) = try await URLSession.shared.data(for: request)
    return try (LndRest.decode(data) as Answer).result.scriptPubKey
}

func node(_ name: String) -> (lnd: LndRest, address: String, id: String) {
    let values = ["REST", "MACAROON_HEX", "ADDRESS"].map {
        ProcessInfo.processInfo.environment["LND_\(name)_\($0)"]!
    }
    let id = String(values[2].prefix { $0 != "@" })
    return (LndRest(url: values[0], macaroon: values[1]), values[2], id)
}

struct Nothing: Decodable {}
struct Peer: Decodable { let pubKey: String }
let (phone, host) = (node("PHONE"), node("PEER"))
let wallet = LndWalletNode(phone.lnd)
let client = try Recorder(
    node: wallet, listener: ChannelRequests(),
    config: ClientConfig(storageDir: nil, network: .regtest, allowPrivateHosts: true))
let reports = LndReports(phone.lnd, to: client)
let inbox = Inbox()

func hostSends(_ type: UInt16, _ payload: Data) async throws {
    let ofHost = LndWalletNode(host.lnd)
    expect(try await ofHost.sendPeerMessage(peerId: phone.id, messageType: type, payload: payload), "sent")
}

// Connected, and all streams stand.
let lnurl = try decodeLnurl(
    text: encodeLnurl(url: "https://host.example/?tag=hostedChannelRequest&uri=\(host.address)&k1=\(secret)"))
let request = try await client.fetch(lnurl: lnurl)
expect(try await wallet.nodeId() == phone.id, "the node's key")
let peer = request.snapshot().offer.peer
expect(try await wallet.readiness(peer: peer).channelIds.isEmpty, "no channel with the host")
let connections = Task { try await reports.reportConnections() }
// LND does not tell when a stream of events stands: connect anew until one comes.
try await until("the stream of connections") {
    try await wallet.releasePeer(peer: peer)
    expect(try await wallet.connect(peer: peer), "connected")
    return client.wasConnected(host.id)
}
expect(try await wallet.connect(peer: peer), "connected already")
let messages = Task { try await reports.reportMessages() }
let hostMessages = Task {
    struct Line: Decodable { let result: LndMessage }
    for try await line in host.lnd.lines("/v1/custommessage/subscribe") {
        await inbox.add((try LndRest.decode(line) as Line).result)
    }
}
try await until("the wallet's stream") {
    try await hostSends(probe, Data([1]))
    return client.hasSeen(probe)
}
try await until("the host's stream") {
    _ = try await wallet.sendPeerMessage(peerId: host.id, messageType: probe, payload: Data([1]))
    return await inbox.first(probe) != nil
}

// LUD-07.
let accepting = Task { try await request.accept() }
try await until("the host is asked") { await inbox.first(invoke) != nil }
let asked = await inbox.first(invoke)!
expect(hex(asked.peer) == phone.id, "asked by the wallet's node")
// The wallet's newest address that nobody has paid to.
let newest: [String: String] = try await phone.lnd.get("/v1/newaddress?type=UNUSED_WITNESS_PUBKEY_HASH")
let script = try await scriptAsBitcoindHasIt(newest["address"]!)
let payload = hex(asked.data)
expect(payload == regtest + "0016" + script + "0003" + secret, "65535: \(payload)")
let terms = HostedChannelTerms(
    capacityMsat: 100_000_000, initialClientBalanceMsat: 5_000, maxHtlcValueInFlightMsat: 100_000_000,
    htlcMinimumMsat: 1_000, maxAcceptedHtlcs: 30)
var offer = Data()
for (number, bytes) in [
    (terms.maxHtlcValueInFlightMsat, 8), (terms.htlcMinimumMsat, 8), (UInt64(terms.maxAcceptedHtlcs), 2),
    (terms.capacityMsat, 8), (terms.initialClientBalanceMsat, 8), (0, 2),
] {
    offer += withUnsafeBytes(of: number.bigEndian) { Data($0.suffix(bytes)) }
}
try await hostSends(initHosted, offer)
expect(try await accepting.value == .hostedOffered(terms: terms, message: offer), "65533 is HostedOffered")
print("Swift: the host saw 65535 from LND; 65533 is HostedOffered")

// What LND lists of a channel that the peer opens.
struct Open: Encodable {
    let node_pubkey_string: String
    let local_funding_amount = "100000"
    let push_sat = "1500"
    let `private` = true
}
let _: Nothing = try await host.lnd.post("/v1/channels", Open(node_pubkey_string: phone.id))
try await until("the channel") {
    try await reports.reportChannels()
    return !client.channels.isEmpty
}
let channel = client.channels[0]
let expected = IncomingChannel(
    peerId: host.id, stage: .funded, channelId: channel.channelId, capacitySat: 100_000, pushMsat: 1_500_000,
    isAnnounced: false, confirmations: 0, confirmationsRequired: 3)
expect(channel == expected, "\(channel)")
let readiness = try await wallet.readiness(peer: peer)
expect(readiness.channelIds == [channel.channelId], "the channel's id")
expect(readiness.pendingChannels == 1 && readiness.maxPendingChannels == 1, "\(readiness)")
expect(readiness.onchainSat ?? 0 > 0 && readiness.anchorReserveSat == 0, "\(readiness)")
try await wallet.releasePeer(peer: peer)
let peers: [String: [Peer]] = try await phone.lnd.get("/v1/peers")
expect(peers["peers"]?.map(\.pubKey) == [host.id], "a peer with a channel stays connected")
print("Swift: LND lists an unannounced channel of the right amounts")
messages.cancel()
connections.cancel()
hostMessages.cancel()
await client.shutdown()
