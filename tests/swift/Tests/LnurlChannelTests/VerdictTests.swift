import Foundation
import LnurlChannel
import LnurlChannelTesting
import Testing

/// A fake client gives the verdicts of a real one.
@Suite struct VerdictTests {
    /// Requests to one peer, oldest first, and the channels that are reported then.
    @Test(arguments: [
        ([.awaiting], [proposed(1), funded(1), funded(2, formerly: 1), proposed(2), funded(3)]),
        ([.awaiting], [proposed(1), proposed(2), proposed(1), funded(3), funded(2), funded(3)]),
        ([.awaiting, .awaiting], [proposed(1), funded(1), proposed(1), funded(2), funded(3)]),
        ([.awaiting, .awaiting], [proposed(1), funded(4, formerly: 1), proposed(2), funded(2)]),
        ([.awaiting, .awaiting], [proposed(1), funded(2), proposed(3), proposed(3)]),
        ([.refused, .awaiting], [proposed(1), proposed(2), funded(3), funded(4)]),
        ([.cancelled, .refused], [proposed(1), funded(1), proposed(2), funded(2)]),
        ([.refused, .cancelled], [proposed(1), funded(2)]),
        ([.refused, .cancelled, .awaiting], [funded(1), funded(2)]),
        ([.refused, .refused], [funded(1), funded(2), funded(3)]),
        ([.offered], [proposed(1), funded(1)]),
    ] as [([ChannelRequestState], [Report])])
    func areTheLibrarys(_ states: [ChannelRequestState], _ reports: [Report]) async throws {
        let testbed = try Testbed()
        let client = try ChannelClient(node: PlainNode(), config: testbed.config())
        var requests: [ChannelRequest] = []
        for state in states { requests.append(try await request(state, testbed, client)) }
        #expect(requests.map { $0.state() } == states)

        let fakes = requests.map {
            FakeChannelRequest(requestId: $0.requestId(), offer: $0.offer(), state: $0.state())
        }
        let fakeClient = FakeChannelClient(unfinished: fakes)
        let peer = try testbed.target().text("id")
        for report in reports {
            let channel = report.channel(of: peer)
            let verdict = client.reportIncomingChannel(channel: channel)
            #expect(fakeClient.reportIncomingChannel(channel: channel) == verdict, "\(report)")
            #expect(fakes.map { $0.state() } == requests.map { $0.state() }, "\(report)")
            #expect(fakes.map { $0.outcome() } == requests.map { $0.outcome() }, "\(report)")
        }
    }

    /// A request that has come to `state`.
    private func request(
        _ state: ChannelRequestState, _ testbed: Testbed, _ client: ChannelClient
    ) async throws -> ChannelRequest {
        let habit = state == .refused ? "ErrorAnswer" : "OkAndNeverOpens"
        let request = try await fetch(testbed.offer(["habits": [habit]]), with: client)
        if state == .offered { return request }
        let call = Task { try await request.accept() }
        if state == .refused {
            _ = await call.result
            return request
        }
        try await waitUntil("the wait") { request.state() == .awaiting }
        _ = request.pause()
        _ = await call.result
        if state == .cancelled { try await request.cancel() }
        return request
    }
}

private func proposed(_ id: UInt8) -> Report {
    Report(id: id, stage: .proposed, formerId: nil)
}

private func funded(_ id: UInt8, formerly formerId: UInt8? = nil) -> Report {
    Report(id: id, stage: .funded, formerId: formerId)
}

/// A channel whose ids are of one byte.
struct Report: Sendable {
    let id: UInt8
    let stage: ChannelStage
    let formerId: UInt8?

    func channel(of peer: String) -> IncomingChannel {
        func channelId(_ byte: UInt8) -> String { Data(repeating: byte, count: 32).hex }
        return IncomingChannel(
            peerId: peer.uppercased(), channelId: channelId(id), stage: stage,
            formerChannelId: formerId.map(channelId))
    }
}
