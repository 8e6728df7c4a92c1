import Foundation
import LnurlChannel
import Testing

/// Every kind of error once, by type and fields.
@Suite struct ErrorTests {
    private static func hasty(_ config: inout ClientConfig) {
        config.requestTimeoutSeconds = 1
        config.connectTimeoutSeconds = 1
        config.channelTimeoutSeconds = 1
    }

    @Test func invalidLnurl() async throws {
        let error = try await channelError { _ = try decodeLnurl(text: "not an LNURL") }
        guard case .InvalidLnurl(let reason) = error else { return fail(error) }
        #expect(!reason.isEmpty)
    }

    @Test func unsupportedTag() async throws {
        let error = try await channelError { _ = try decodeLnurl(text: "lnurlp://service.example/pay") }
        #expect(error == .UnsupportedTag(tag: "payRequest"))
    }

    @Test func unsafeUrl() async throws {
        let error = try await channelError {
            _ = try await Scene.make(config: { $0.allowPrivateHosts = false })
        }
        guard case .UnsafeUrl(let reason) = error else { return fail(error) }
        #expect(!reason.isEmpty)
    }

    @Test func torRequired() async throws {
        let testbed = try Testbed()
        let error = try await channelError {
            _ = try await Scene.make(offer: ["over": "onion"], testbed: testbed)
        }
        let host = try testbed.info.text("onion_host")
        #expect(error == .TorRequired(host: host))
    }

    @Test func unreachable() async throws {
        let testbed = try Testbed()
        let client = try ChannelClient(node: PlainNode(), config: testbed.config(Self.hasty))
        // Nobody listens on port 1.
        let lnurl = try decodeLnurl(text: encodeLnurl(url: "https://localhost:1/"))
        let error = try await channelError { _ = try await client.fetch(lnurl: lnurl) }
        guard case .Unreachable(let reason) = error else { return fail(error) }
        #expect(!reason.isEmpty)
    }

    @Test func invalidResponse() async throws {
        let error = try await channelError {
            _ = try await Scene.make(
                offer: ["habits": ["HtmlFromGateway"], "fault_step": "offer"])
        }
        guard case .InvalidResponse(let reason) = error else { return fail(error) }
        #expect(reason.contains("502"))
    }

    @Test func refused() async throws {
        let scene = try await Scene.make(offer: ["habits": ["ErrorAnswer"]])
        let error = try await channelError { _ = try await scene.request.accept() }
        guard case .Refused(let reason) = error else { return fail(error) }
        #expect(!reason.isEmpty)
        #expect(scene.request.state() == .refused)
    }

    @Test func nodeFailed() async throws {
        let scene = try await Scene.make(node: PlainNode(connect: { _ in false }))
        let error = try await channelError { _ = try await scene.request.accept() }
        guard case .NodeFailed(let reason) = error else { return fail(error) }
        #expect(reason.contains("connect"))
        #expect(scene.request.state() == .offered)
    }

    @Test func outcomeUnknown() async throws {
        let scene = try await Scene.make(offer: ["habits": ["SilentCallback"]], config: Self.hasty)
        let error = try await channelError { _ = try await scene.request.accept() }
        guard case .OutcomeUnknown(let reason) = error else { return fail(error) }
        #expect(!reason.isEmpty)
        #expect(scene.request.state() == .outcomeUnknown)
    }

    @Test func noChannel() async throws {
        let scene = try await Scene.make(offer: ["habits": ["OkAndNeverOpens"]], config: Self.hasty)
        let error = try await channelError { _ = try await scene.request.accept() }
        guard case .NoChannel(let peerConnected, let reason) = error else { return fail(error) }
        #expect(peerConnected)
        #expect(reason.contains("anchor reserve"))
        #expect(scene.request.state() == .awaiting)
    }

    @Test func cancelled() async throws {
        let node = PlainNode()
        let scene = try await Scene.make(node: node, offer: ["habits": ["OkAndNeverOpens"]])
        let request = scene.request
        let call = Task { try await request.accept() }
        try await node.events.first("the wait", where: isAwaiting)
        try await request.cancel()
        #expect(try await channelError { _ = try await call.value } == .Cancelled)
        #expect(request.state() == .cancelled)
        #expect(try scene.testbed.callbacks().last?.hasSuffix("&cancel=1") == true)
    }

    @Test func wrongState() async throws {
        let scene = try await Scene.make()
        try scene.request.decline()
        let error = try await channelError { _ = try await scene.request.accept() }
        #expect(error == .WrongState(state: .declined))
    }

    @Test func storageFailed() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/file"
        #expect(FileManager.default.createFile(atPath: file, contents: Data()))
        let error = try await channelError {
            _ = try ChannelClient(node: PlainNode(), config: ClientConfig(storageDir: file))
        }
        guard case .StorageFailed(let reason) = error else { return fail(error) }
        #expect(!reason.isEmpty)
    }

    @Test func invalidConfig() async throws {
        let error = try await channelError {
            _ = try ChannelClient(
                node: PlainNode(), config: ClientConfig(requestTimeoutSeconds: 0))
        }
        #expect(error == .InvalidConfig(reason: "request_timeout_seconds must be at least 1"))
    }

    /// The sentence reaches those who only know `Error`.
    @Test func errorsDescribeThemselves() throws {
        let error: any Error = LnurlChannelError.Refused(reason: "sold out")
        #expect(error.localizedDescription == "The service said no: sold out")
        let failed: any Error = WalletNodeError.Failed(reason: "asleep")
        #expect(failed.localizedDescription == "asleep")
        #expect(
            LnurlChannelError.TorRequired(host: "host.onion").describe()
                == "Reaching host.onion needs Tor: configure a proxy.")
    }

    private func fail(_ error: LnurlChannelError) {
        Issue.record("another error: \(error)")
    }
}
