import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// LND's REST interface at `url`, with a macaroon in hex.
///
/// Trusts what the system trusts, and on Apple's systems also `certificate`: LND's own, as DER.
public final class LndRest: Sendable {
    private let url: String
    private let macaroon: String
    private let certificate: Data?
    private let session: URLSession

    public init(url: String, macaroon: String, certificate: Data? = nil) {
        (self.url, self.macaroon, self.certificate) = (url, macaroon, certificate)
        session = URLSession(configuration: .ephemeral, delegate: LndTrust(certificate), delegateQueue: nil)
    }

    public func get<Answer: Decodable>(_ path: String) async throws -> Answer {
        try await answer(to: request(path))
    }

    public func post<Answer: Decodable>(_ path: String, _ body: some Encodable) async throws -> Answer {
        var request = request(path)
        request.httpMethod = "POST"
        request.httpBody = try JSONEncoder().encode(body)
        return try await answer(to: request)
    }

    public func delete(_ path: String) async throws {
        struct Nothing: Decodable {}
        var request = request(path)
        request.httpMethod = "DELETE"
        let _: Nothing = try await answer(to: request)
    }

    /// What LND streams, until the connection ends, or a minute passes without any: nothing tells
    /// silence from a connection that has died without a sign, as a phone's do.
    public func lines(_ path: String) -> AsyncThrowingStream<Data, Error> {
        var request = request(path)
        request.timeoutInterval = 60
        return LndLines.stream(of: request, trust: certificate)
    }

    public static func decode<Answer: Decodable>(_ data: Data) throws -> Answer {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Answer.self, from: data)
    }

    private func request(_ path: String) -> URLRequest {
        var request = URLRequest(url: URL(string: url + path)!)
        // Longer than LND itself takes to answer: see `LndWalletNode.connect`.
        request.timeoutInterval = 30
        request.setValue(macaroon, forHTTPHeaderField: "Grpc-Metadata-macaroon")
        return request
    }

    private func answer<Answer: Decodable>(to request: URLRequest) async throws -> Answer {
        let (data, response) = try await session.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard status == 200 else {
            // LND's own words are JSON; those of a proxy, or none at all, are not.
            throw (try? Self.decode(data) as LndError) ?? LndError(message: "HTTP \(status)")
        }
        return try Self.decode(data)
    }
}

/// Why LND did not do it, in its own words.
public struct LndError: Error, Decodable, LocalizedError {
    public let message: String
    public var errorDescription: String? { "LND: \(message)" }
}
