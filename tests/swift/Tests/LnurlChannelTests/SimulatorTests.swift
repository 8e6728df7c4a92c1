import Foundation
import LnurlChannel
import Testing

// In ios/SimulatorTests, DemoNode.swift is beside this file.
#if canImport(SampleApp)
    import SampleApp
#endif

/// What needs no other process and no network: ios/SimulatorTests runs it in the simulator too, on the
/// xcframework. Android's instrumented test goes the same way.
@Suite(.timeLimit(.minutes(1))) struct SimulatorTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

    @Test func aHostedOfferLeadsToAChannelAndIsThereAfterARestart() async throws {
        let node = DemoNode()
        let config = ClientConfig(storageDir: try channelFolder(in: folder).path)
        let requests = ChannelRequests()
        let client = try ChannelClient(node: node, listener: requests, config: config)
        requests.follow(client)
        node.start(client)

        let lnurl = try decodeLnurl(text: "lightning:" + DemoNode.lnurl)
        #expect(lnurl.authority() == "host.example")
        let request = try await client.fetch(lnurl: lnurl)
        #expect(request.snapshot().offer.kind == .hosted)
        guard case .hostedOffered(let terms, _) = try await request.accept() else {
            Issue.record("no hosted channel")
            return
        }
        #expect(terms.capacityMsat == 100_000_000)
        await client.shutdown()

        let next = try ChannelClient(node: node, listener: ChannelRequests(), config: config)
        #expect(next.requests().map(\.requestId) == [request.requestId()])
        #expect(next.requests().first?.hostedTerms == terms)
        await next.shutdown()
        try FileManager.default.removeItem(at: folder)
    }

    @Test func anErrorComesWithItsFields() throws {
        do {
            _ = try decodeLnurl(text: "lnbc1 is an invoice")
            Issue.record("no error")
        } catch LnurlChannelError.InvalidLnurl(let problem, _) {
            #expect(problem == .notLnurl)
        }
    }
}
