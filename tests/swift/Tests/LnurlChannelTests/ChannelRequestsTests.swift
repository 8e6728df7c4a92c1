import Foundation
import LnurlChannel
import LnurlChannelTesting
import Testing

/// The list for screens.
@Suite(.timeLimit(.minutes(1))) struct ChannelRequestsTests {
    @Test func itIsEmptyUntilItFollowsAClient() {
        let requests = ChannelRequests()
        requests.onRequestChanged(request: .fake(), step: .changed)
        #expect(requests.snapshots.isEmpty)
    }

    @Test func itShowsTheRequestsOfEarlierRunsAtOnce() {
        let requests = ChannelRequests()
        let earlier = [FakeChannelRequest(), FakeChannelRequest()]
        let client = FakeChannelClient(requests: earlier, listener: requests)
        requests.follow(client)
        #expect(requests.snapshots == earlier.map { $0.snapshot() })
        #expect(requests.snapshot(of: earlier[1].requestId()) == earlier[1].snapshot())
        #expect(requests.snapshot(of: "another") == nil)
    }

    @Test func itShowsEveryChangeNewestFirst() async throws {
        let requests = ChannelRequests()
        let client = FakeChannelClient(listener: requests)
        requests.follow(client)
        let older = client.fetchReturns(FakeChannelRequest())
        let newer = client.fetchReturns(FakeChannelRequest())
        for _ in 0..<2 { _ = try await client.fetch(lnurl: FakeLnurl()) }
        // Offers are not listed.
        #expect(requests.snapshots.isEmpty)
        older.becomes(.connecting) { $0.state = .connecting }
        newer.becomes(.connecting) { $0.state = .connecting }
        older.becomes(.agreed) { $0.state = .awaiting }
        #expect(requests.snapshots.map(\.id) == [newer.requestId(), older.requestId()])
        #expect(requests.snapshots.map(\.state) == [.connecting, .awaiting])
    }

    @Test func aStreamBeginsWithTheListAsItStands() async throws {
        let requests = ChannelRequests()
        let request = FakeChannelRequest()
        let client = FakeChannelClient(requests: [request], listener: requests)
        requests.follow(client)
        var updates = requests.updates().makeAsyncIterator()
        #expect(await updates.next()?.map(\.state) == [.offered])
        request.becomes(.connecting) { $0.state = .connecting }
        #expect(await updates.next()?.map(\.state) == [.connecting])
        // A slow reader gets the latest.
        request.becomes(.requesting) { $0.state = .requesting }
        request.becomes(.agreed) { $0.state = .awaiting }
        #expect(await updates.next()?.map(\.state) == [.awaiting])
    }

    @Test func aStreamEndsWithTheTaskThatReadsIt() async {
        let requests = ChannelRequests()
        let client = FakeChannelClient(listener: requests)
        requests.follow(client)
        let stream = requests.updates()
        let reader = Task { for await _ in stream {} }
        reader.cancel()
        await reader.value
    }

    /// Many requests change at once; what is shown last is how all of them stand.
    @Test func noUpdateIsLost() async throws {
        let requests = ChannelRequests()
        let fakes = (0..<20).map { _ in FakeChannelRequest() }
        let client = FakeChannelClient(requests: fakes, listener: requests)
        requests.follow(client)
        let rounds = UInt64(200)
        let stream = requests.updates()
        let reader = Task {
            var last: [UInt64] = Array(repeating: 0, count: fakes.count)
            for await list in stream {
                let revisions = list.map(\.revision)
                #expect(zip(last, revisions).allSatisfy { $0 <= $1 })
                last = revisions
                if last.allSatisfy({ $0 == rounds }) { break }
            }
            return last
        }
        await withTaskGroup(of: Void.self) { group in
            for fake in fakes {
                group.addTask { for _ in 0..<rounds { fake.becomes { $0.isRunning.toggle() } } }
            }
        }
        #expect(await reader.value == Array(repeating: rounds, count: fakes.count))
        #expect(requests.snapshots == fakes.map { $0.snapshot() })
    }

    @Test func itShowsWhatARealClientDoes() async throws {
        let testbed = try Testbed()
        let requests = ChannelRequests()
        let client = try ChannelClient(
            node: PlainNode(), listener: requests, config: testbed.config())
        requests.follow(client)
        let offer = try testbed.offer(["habits": ["OkAndNeverOpens"]])
        let request = try await fetch(offer, with: client)
        let call = Task { try await request.accept() }
        for await list in requests.updates() where list.first?.state == .awaiting { break }
        _ = client.reportIncomingChannel(
            channel: IncomingChannel(
                peerId: try testbed.target().text("id"), stage: .funded,
                channelId: String(repeating: "01", count: 32)))
        _ = try await call.value
        for await list in requests.updates() where list == client.requests() { break }
        #expect(requests.snapshots.map(\.state) == [.arrived])
    }

    @Test func aSnapshotHasDates() {
        let snapshot = ChannelRequestSnapshot.fake {
            $0.createdAtSeconds = 1_800_000_000
            $0.updatedAtSeconds = 1_800_000_060
            $0.waitsUntilSeconds = 1_800_000_180
        }
        #expect(snapshot.id == snapshot.requestId)
        #expect(snapshot.createdAt == Date(timeIntervalSince1970: 1_800_000_000))
        #expect(snapshot.updatedAt == Date(timeIntervalSince1970: 1_800_000_060))
        #expect(snapshot.waitsUntil == Date(timeIntervalSince1970: 1_800_000_180))
        #expect(ChannelRequestSnapshot.fake().waitsUntil == nil)
    }

    @Test(arguments: [
        ("peer.example", "peer.example:9735"), ("192.0.2.1", "192.0.2.1:9735"),
        ("2001:db8::1", "[2001:db8::1]:9735"),
    ])
    func aPeerHasASocketAddress(_ host: String, _ address: String) {
        #expect(PeerAddress(nodeId: plainNodeId, host: host, port: 9735).socketAddress == address)
    }
}
