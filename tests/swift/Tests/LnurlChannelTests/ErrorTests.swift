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

    @Test func aTextThatIsNoLnurl() async throws {
        let error = try await channelError { _ = try decodeLnurl(text: "not an LNURL") }
        guard case .InvalidLnurl(.notLnurl, let reason) = error else { return fail(error) }
        #expect(!reason.isEmpty)
    }

    @Test func anLnurlThatIsDamaged() async throws {
        let text = String(try encodeLnurl(url: "https://service.example/").dropLast())
        let error = try await channelError { _ = try decodeLnurl(text: text) }
        guard case .InvalidLnurl(.damaged, let reason) = error else { return fail(error) }
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
        guard case .UnsafeUrl(.privateAddress, let reason) = error else { return fail(error) }
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
        let client = try ChannelClient(
            node: PlainNode(), listener: Listener(), config: testbed.config(Self.hasty))
        // Nobody listens on port 1.
        let lnurl = try decodeLnurl(text: encodeLnurl(url: "https://localhost:1/"))
        let error = try await channelError { _ = try await client.fetch(lnurl: lnurl) }
        guard case .Unreachable(.noConnection, let reason) = error else { return fail(error) }
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

    @Test func ownNode() async throws {
        let testbed = try Testbed()
        let peer = try testbed.target().text("id")
        let scene = try await Scene.make(node: PlainNode(nodeId: { peer }), testbed: testbed)
        let error = try await channelError { _ = try await scene.request.accept() }
        #expect(error == .OwnNode)
        #expect(try testbed.callbacks().isEmpty)
    }

    @Test func refused() async throws {
        let scene = try await Scene.make(offer: ["habits": ["ErrorAnswer"]])
        let error = try await channelError { _ = try await scene.request.accept() }
        guard case .Refused(let words?) = error else { return fail(error) }
        #expect(!words.isEmpty)
        #expect(scene.request.state == .refused)
        #expect(scene.request.snapshot().refusal == words)
        // The same end at once, and nobody is asked.
        #expect(try await channelError { _ = try await scene.request.accept() } == error)
        #expect(try scene.testbed.callbacks().count == 1)
    }

    @Test func nodeFailed() async throws {
        let scene = try await Scene.make(node: PlainNode(connect: { _ in false }))
        let error = try await channelError { _ = try await scene.request.accept() }
        guard case .NodeFailed(.notConnected, let reason) = error else { return fail(error) }
        #expect(!reason.isEmpty)
        #expect(scene.request.state == .offered)
        #expect(scene.request.snapshot().concerns == [.nodeFailed(problem: .notConnected)])
    }

    @Test func noChannel() async throws {
        let scene = try await Scene.make(offer: ["habits": ["OkAndNeverOpens"]], config: Self.hasty)
        let error = try await channelError { _ = try await scene.request.accept() }
        guard case .NoChannel(true, _, let reason) = error else { return fail(error) }
        #expect(!reason.isEmpty)
        #expect(scene.request.state == .awaiting)
        #expect(!scene.request.isRunning)
    }

    @Test func noChannelAfterAnUnclearAnswer() async throws {
        let scene = try await Scene.make(offer: ["habits": ["HtmlFromGateway"]], config: Self.hasty)
        let error = try await channelError { _ = try await scene.request.accept() }
        guard case .NoChannel(false, let concerns, _) = error else { return fail(error) }
        let isUnclear = concerns.contains {
            if case .answerUnclear = $0 { true } else { false }
        }
        #expect(isUnclear, "\(concerns)")
        #expect(scene.request.state == .outcomeUnknown)
        #expect(scene.request.snapshot().concerns == concerns)
    }

    @Test func cancelled() async throws {
        let scene = try await Scene.waiting()
        let request = scene.request
        let call = Task { try await request.accept() }
        try await scene.listener.hears(.awaiting)
        try await request.cancel()
        #expect(try await channelError { _ = try await call.value } == .Cancelled)
        #expect(request.state == .cancelled)
        #expect(try scene.testbed.callbacks().last?.hasSuffix("&cancel=1") == true)
    }

    @Test func wrongState() async throws {
        let scene = try await Scene.make()
        let error = try await channelError { _ = try await scene.request.askAgain() }
        #expect(error == .WrongState(state: .offered))
        let early = try await channelError { try await scene.request.dismiss() }
        #expect(early == .WrongState(state: .offered))
    }

    @Test func storageFailed() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/file"
        #expect(FileManager.default.createFile(atPath: file, contents: Data()))
        let error = try await channelError {
            _ = try ChannelClient(
                node: PlainNode(), listener: Listener(), config: ClientConfig(storageDir: file))
        }
        guard case .StorageFailed(let reason) = error else { return fail(error) }
        #expect(!reason.isEmpty)
    }

    @Test func invalidConfig() async throws {
        let error = try await channelError {
            _ = try ChannelClient(
                node: PlainNode(), listener: Listener(),
                config: ClientConfig(storageDir: nil, requestTimeoutSeconds: 0))
        }
        guard case .InvalidConfig(let reason) = error else { return fail(error) }
        #expect(reason.contains("request_timeout_seconds"))
    }

    /// A sentence reaches those who only know `Error`.
    @Test(arguments: [
        (LnurlChannelError.InvalidLnurl(problem: .damaged, reason: "too short"),
            "This is not an LNURL that can be used: too short"),
        (.UnsupportedTag(tag: "login"), "This LNURL is for something else: login"),
        (.UnsafeUrl(problem: .notHttps, reason: "plain http"), "The address is not safe to use: plain http"),
        (.TorRequired(host: "host.onion"), "host.onion is reached over Tor only, and no proxy is configured."),
        (.Unreachable(problem: .timedOut, reason: "no answer"), "The service could not be reached: no answer"),
        (.InvalidResponse(reason: "no uri"), "The service's answer breaks the protocol: no uri"),
        (.OwnNode, "The offer is of the wallet's own node."),
        (.Refused(words: "sold out"), "The service said no: sold out"),
        (.Refused(words: nil), "The service said no."),
        (.NodeFailed(problem: .timedOut, reason: "asleep"), "The wallet's node could not do its part: asleep"),
        (.NoChannel(serviceAgreed: true, concerns: [], reason: "wait on"), "No channel has arrived yet: wait on"),
        (.Cancelled, "The call was paused, or the request cancelled."),
        (.WrongState(state: .offered), "The call does not fit the state of the request: offered"),
        (.StorageFailed(reason: "full"), "The requests could not be stored or read: full"),
        (.InvalidConfig(reason: "zero"), "The configuration is wrong: zero"),
    ])
    func anErrorIsASentence(_ error: LnurlChannelError, _ sentence: String) {
        #expect((error as any Error).localizedDescription == sentence)
    }

    @Test func aWalletsErrorIsItsReason() {
        let errors: [any Error] = [
            WalletNodeError.Failed(reason: "asleep"), WalletNodeError.Unsupported(reason: "asleep"),
        ]
        #expect(errors.map(\.localizedDescription) == ["asleep", "asleep"])
    }

    private func fail(_ error: LnurlChannelError) {
        Issue.record("another error: \(error)")
    }
}
