import Foundation
import LnurlChannel

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The testbed program of its own: real Lightning nodes, and a service with every bad habit.
final class Testbed: @unchecked Sendable {
    let info: Json
    private let control: URL
    private let program = Process()
    /// The program ends when it is closed, so also when this process dies.
    private let input = Pipe()

    init() throws {
        _ = brokenPipesAreErrors
        let output = Pipe()
        program.executableURL = repository.appendingPathComponent(
            "target/debug/lnurl-channel-testbed")
        program.arguments = ["--json"]
        program.standardInput = input
        program.standardOutput = output
        try program.run()
        info = try Json(data: Testbed.firstLine(of: output.fileHandleForReading))
        control = URL(string: try info.text("control_url"))!
    }

    deinit {
        try? input.fileHandleForWriting.close()
        program.waitUntilExit()
    }

    func wallet() throws -> Json { try info.object("wallet") }
    func target() throws -> Json { try info.object("target") }

    /// For the wallets of the tests; time limits for a busy machine.
    func config(_ change: (inout ClientConfig) -> Void = { _ in }) throws -> ClientConfig {
        var config = ClientConfig(
            storageDir: nil,
            network: .regtest,
            extraRootCertificates: try info.text("ca_pem"),
            allowPrivateHosts: true,
            requestTimeoutSeconds: 10,
            connectTimeoutSeconds: 10,
            channelTimeoutSeconds: 30,
            reconnectSeconds: 1)
        change(&config)
        return config
    }

    func offer(_ options: [String: Any] = [:]) throws -> Json {
        try post("/offers", options)
    }

    /// The ids of the channels that the wallet's node has with a peer.
    func channelIds(with nodeId: String) throws -> [String] {
        try get("/wallet/channels?node_id=\(nodeId)").texts("channel_ids")
    }

    /// The targets of all callbacks so far, byte for byte.
    func callbacks() throws -> [String] {
        let requests = try get("/requests").list("requests")
        return try requests.filter { try $0.text("kind") == "callback" }.map { try $0.text("target") }
    }

    /// Until the service has seen `count` requests, the GET of the offer included.
    func waitForRequests(_ count: Int) async throws {
        let wait = Int(limit * 1000)
        let seen = try await onThread {
            try self.get("/requests?count=\(count)&wait_ms=\(wait)").list("requests").count
        }
        if seen < count { throw TooLate(what: "\(count) requests") }
    }

    /// Until the target's node has shown an event of this type.
    func waitForTarget(_ type: String) async throws {
        let deadline = Date(timeIntervalSinceNow: limit)
        while Date() < deadline {
            let events = try await onThread {
                try self.get("/target/events?wait_ms=1000").list("events")
            }
            if try events.contains(where: { try $0.text("type") == type }) { return }
        }
        throw TooLate(what: type)
    }

    func get(_ path: String) throws -> Json {
        try send(URLRequest(url: URL(string: path, relativeTo: control)!))
    }

    @discardableResult
    func post(_ path: String, _ body: [String: Any] = [:]) throws -> Json {
        var request = URLRequest(url: URL(string: path, relativeTo: control)!)
        request.httpMethod = "POST"
        request.httpBody = try JSONSerialization.data(withJSONObject: body)
        return try send(request)
    }

    private func send(_ request: URLRequest) throws -> Json {
        let answered = DispatchSemaphore(value: 0)
        let answer = Answer()
        let task = session.dataTask(with: request) { data, response, error in
            answer.data = data
            answer.status = (response as? HTTPURLResponse)?.statusCode ?? 0
            answer.error = error
            answered.signal()
        }
        task.resume()
        answered.wait()
        if let error = answer.error { throw error }
        let json = try Json(data: answer.data ?? Data())
        if answer.status != 200 { throw ControlError(text: try json.text("error")) }
        return json
    }

    private final class Answer: @unchecked Sendable {
        var data: Data?
        var status = 0
        var error: (any Error)?
    }

    struct ControlError: Error {
        let text: String
    }

    private static func firstLine(of output: FileHandle) -> Data {
        var line = Data()
        while true {
            let more = output.availableData
            line += more
            if more.isEmpty || line.contains(UInt8(ascii: "\n")) { return line }
        }
    }
}

/// A testbed may end while the library still writes to it. Sockets are silent about it on Apple's
/// systems and in Android's and the JVM's processes; on plain Linux it would be the end of this one.
private let brokenPipesAreErrors: Void = {
    signal(SIGPIPE, SIG_IGN)
}()

/// Waits of the wallets' pumps and of the tests stand side by side.
private let session: URLSession = {
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpMaximumConnectionsPerHost = 64
    configuration.timeoutIntervalForRequest = 60
    return URLSession(configuration: configuration)
}()

let repository = (0..<6).reduce(URL(fileURLWithPath: #filePath)) { url, _ in
    url.deletingLastPathComponent()
}
