import Foundation
import LnurlChannel
import Testing

/// The vectors that the Rust tests read too, `tests/vectors.json`, through the bindings.
@Suite struct VectorTests {
    private let all: Json

    init() throws {
        let file = repository.appendingPathComponent("tests/vectors.json")
        all = try Json(data: Data(contentsOf: file))
    }

    @Test func anLnurlDecodesAndEncodes() throws {
        for vector in try vectors("lnurl_decode") {
            let (text, url) = (try vector.text("text"), try vector.text("url"))
            #expect(try decodeLnurl(text: text).url() == url, "\(text)")
            let encoded = try encodeLnurl(url: url)
            #expect(try decodeLnurl(text: encoded).url() == url)
            if text.lowercased().hasPrefix("lnurl1") { #expect(encoded == text.uppercased()) }
        }
    }

    @Test func aTextThatIsNoLnurlOrAnUnsafeOneIsRefused() async throws {
        for vector in try vectors("lnurl_refused") {
            let text = try vector.text("text")
            let error = try await channelError { _ = try decodeLnurl(text: text) }
            switch (try vector.text("why"), error) {
            case ("http on clearnet", .UnsafeUrl), ("file scheme", .UnsafeUrl),
                ("user info", .UnsafeUrl), ("NUL", .UnsafeUrl),
                ("another human-readable part", .InvalidLnurl(.notLnurl, _)):
                break
            case ("bech32m", .InvalidLnurl(.damaged, _)),
                ("padding bits are not zero", .InvalidLnurl(.damaged, _)),
                ("a superfluous group", .InvalidLnurl(.damaged, _)),
                ("empty", .InvalidLnurl(.damaged, _)),
                ("not UTF-8", .InvalidLnurl(.damaged, _)):
                break
            default:
                Issue.record("\(vector.fields): \(error)")
            }
        }
    }

    @Test func anLnurlIsFoundInTheTextAroundIt() async throws {
        let problems: [String: LnurlProblem] = ["Damaged": .damaged, "Several": .several]
        for vector in try vectors("lnurl_in_text") {
            let text = try vector.text("text")
            guard let name = vector.optionalText("problem") else {
                #expect(try decodeLnurl(text: text).url() == vector.text("url"), "\(text)")
                continue
            }
            #expect(try vector.text("error") == "InvalidLnurl")
            let error = try await channelError { _ = try decodeLnurl(text: text) }
            guard case .InvalidLnurl(let problem, _) = error else {
                Issue.record("\(text): \(error)")
                continue
            }
            #expect(problem == problems[name], "\(text)")
        }
    }

    @Test func anOnionHostOfVersion3IsOne() throws {
        let host = try all.text("onion_v3_valid")
        let lnurl = try decodeLnurl(text: "lnurlc://\(host)/c")
        #expect(lnurl.isOnion())
        #expect(lnurl.host() == host)
    }

    @Test func anOfferIsRead() async throws {
        for vector in try vectors("offers") {
            let body = try vector.object("body")
            let offer = try await taken(body.fields).offer
            #expect(try "\(offer.peer.nodeId)@\(offer.peer.socketAddress)" == body.text("uri"))
            #expect(offer.service == service)
            #expect(offer.answeredBy == nil)
            #expect(offer.alias == body.optionalText("alias"))
            #expect(offer.callbackHost == body.optionalText("callback").flatMap(host))
            #expect(try (offer.kind == .funded) == (body.text("tag") == "channelRequest"))
        }
    }

    @Test func aNodeUriIsRead() async throws {
        for vector in try vectors("node_uris") {
            let body = try funded("uri", vector.fields["uri"])
            let allowsPrivate = (try? vector.flag("allow_private")) ?? false
            if let error = vector.optionalText("error") {
                #expect(try "\(error) \(vector.text("problem"))" == "UnsafeUrl PrivateAddress")
                let found = try await channelError {
                    _ = try await taken(body, allowsPrivate: allowsPrivate)
                }
                guard case .UnsafeUrl(.privateAddress, _) = found else {
                    Issue.record("\(vector.fields): \(found)")
                    continue
                }
            } else {
                let peer = try await taken(body, allowsPrivate: allowsPrivate).offer.peer
                #expect(try peer.host == vector.text("host"))
                #expect(try UInt64(peer.port) == vector.number("port"))
            }
        }
    }

    /// Of the callback an app sees the host, or the error.
    @Test func aCallbackIsRead() async throws {
        for vector in try vectors("callbacks") {
            let body = try funded("callback", vector.fields["callback"])
            let text = try encodeLnurl(url: vector.text("fetched_from"))
            let fetchedFrom = try decodeLnurl(text: text)
            if let error = vector.optionalText("error") {
                #expect(error == "InvalidResponse")
                let found = try await channelError { _ = try await taken(body, from: fetchedFrom) }
                guard case .InvalidResponse = found else {
                    Issue.record("\(vector.fields): \(found)")
                    continue
                }
            } else {
                let offer = try await taken(body, from: fetchedFrom).offer
                #expect(try offer.callbackHost == host(vector.text("url")))
            }
        }
    }

    @Test func theServicesWordsAreFoundInAnAnswerThatIsFetchedAndInOneThatIsTaken() async throws {
        let fetching = try Fetching()
        for vector in try vectors("words") {
            let body = try vector.object("body").fields
            let words = vector.optionalText("words")
            #expect(try await fetching.words(of: body) == .some(words), "\(vector.fields)")
            let error = try await channelError { _ = try await taken(body) }
            #expect(error == .Refused(words: words), "\(vector.fields)")
        }
    }

    @Test func whatCannotBeSeenIsTakenOutOfTheServicesWords() async throws {
        let fetching = try Fetching()
        for vector in try vectors("cleaned_text") {
            let body = ["status": "ERROR", "reason": try vector.text("text")]
            let shown = vector.optionalText("shown")
            #expect(try await fetching.words(of: body) == .some(shown), "\(vector.fields)")
        }
    }

    @Test func anAnswerToTheCallbackIsRead() async throws {
        let states: [String: ChannelRequestState] = [
            "ok": .awaiting, "refused": .refused, "unclear": .outcomeUnknown,
        ]
        let fetching = try Fetching()
        for vector in try vectors("callback_answers") {
            let state = try #require(states[vector.text("is")])
            let request = try await fetching.fetch(answering: vector.text("body"), at: "callback")
            let call = Task { try await request.accept() }
            try await waitUntil("\(state)") { request.state == state }
            request.pause()
            await #expect(throws: LnurlChannelError.self) { try await call.value }
            #expect(request.state == state, "\(vector.fields)")
        }
    }

    @Test func aHostIsAskedByTheMessageOfTheVectorsOnEachChain() async throws {
        let networks: [String: BitcoinNetwork] = [
            "Bitcoin": .bitcoin, "Testnet": .testnet, "Testnet4": .testnet4, "Signet": .signet,
            "Regtest": .regtest,
        ]
        let invocations = try vectors("invoke_hosted_channel")
        for vector in invocations {
            let message = try await sentToTheHost(
                #require(networks[vector.text("network")]), secret: vector.text("secret"),
                script: Data(hex: vector.text("refund_script_pubkey")))
            #expect(try "ffff" + message.hex == vector.text("message"))
        }
        let hashes = try all.object("chain_hash")
        #expect(Set(hashes.fields.keys) == Set(networks.keys))
        for (name, network) in networks {
            let script = Data(hex: try invocations[0].text("refund_script_pubkey"))
            let message = try await sentToTheHost(network, secret: "00", script: script)
            #expect(try message.prefix(32).hex == hashes.text(name))
        }
    }

    @Test func everyListOfTheFileIsReadHere() {
        let read: Set = [
            "lnurl_decode", "lnurl_refused", "lnurl_in_text", "onion_v3_valid", "offers",
            "node_uris", "callbacks", "words", "cleaned_text", "callback_answers",
            "invoke_hosted_channel", "chain_hash",
        ]
        #expect(Set(all.fields.keys).subtracting(["_about"]) == read)
    }

    private func vectors(_ kind: String) throws -> [Json] {
        let vectors = try all.list(kind)
        try #require(!vectors.isEmpty, "\(kind)")
        return vectors
    }

    /// An offer of a funded channel, with one field of the vectors'.
    private func funded(_ name: String, _ value: Any?) throws -> [String: Any] {
        var body = try vectors("offers")[0].object("body").fields
        body[name] = try #require(value)
        return body
    }

    /// What a new client makes of an answer that the wallet fetched by itself.
    private func taken(
        _ body: [String: Any], from lnurl: Lnurl? = nil, allowsPrivate: Bool = false
    ) async throws -> ChannelRequestSnapshot {
        let config = ClientConfig(storageDir: nil, allowPrivateHosts: allowsPrivate)
        let client = try ChannelClient(node: PlainNode(), listener: Listener(), config: config)
        let lnurl = try lnurl ?? decodeLnurl(text: "lnurlc://\(service)/c")
        let result = Result { try client.takeAnswer(lnurl: lnurl, answer: text(of: body)) }
        await client.shutdown()
        return try result.get().snapshot()
    }

    /// The payload of the message.
    private func sentToTheHost(
        _ network: BitcoinNetwork, secret: String, script: Data
    ) async throws -> Data {
        let sent = Watched<Data>()
        let node = PlainNode(
            send: {
                sent.append($0)
                return true
            }, script: { script })
        let config = ClientConfig(storageDir: nil, network: network)
        let client = try ChannelClient(node: node, listener: Listener(), config: config)
        let uri = try #require(vectors("offers").last).object("body").text("uri")
        let body = ["tag": "hostedChannelRequest", "uri": uri, "k1": secret]
        let lnurl = try decodeLnurl(text: "lnurlc://\(service)/c")
        let request = try client.takeAnswer(lnurl: lnurl, answer: text(of: body))
        let call = Task { try await request.accept() }
        let message = try await sent.first("the message") { _ in true }
        await client.shutdown()
        await #expect(throws: LnurlChannelError.self) { try await call.value }
        return message
    }
}

private let service = "service.com"

private func text(of body: [String: Any]) throws -> String {
    String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self)
}

private func host(_ url: String) -> String? { URL(string: url)?.host }

/// A real client, and a service that answers what it is told to.
private struct Fetching {
    let testbed: Testbed
    let client: ChannelClient

    init() throws {
        testbed = try Testbed()
        client = try ChannelClient(
            node: PlainNode(), listener: Listener(), config: testbed.config())
    }

    func fetch(answering body: String, at step: String) async throws -> ChannelRequest {
        let options: [String: Any] = [
            "habits": ["AnswersWithBody"], "fault_step": step, "http_status": 200, "body": body,
        ]
        return try await LnurlChannelTests.fetch(testbed.offer(options), with: client)
    }

    /// The words of the refusal that an offer with this body leads to; none if it is no refusal.
    func words(of body: [String: Any]) async throws -> String?? {
        let error = try await channelError {
            _ = try await fetch(answering: text(of: body), at: "offer")
        }
        guard case .Refused(let words) = error else { return .none }
        return .some(words)
    }
}
