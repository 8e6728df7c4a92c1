import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif
#if canImport(Security)
    import Security
#endif

/// Cuts an answer that does not end into lines.
final class LndLines: LndTrust, URLSessionDataDelegate, @unchecked Sendable {
    private let lines: AsyncThrowingStream<Data, Error>.Continuation
    private var rest = Data()

    static func stream(of request: URLRequest, trust certificate: Data?) -> AsyncThrowingStream<Data, Error> {
        AsyncThrowingStream { lines in
            let delegate = LndLines(certificate, lines)
            let session = URLSession(configuration: .ephemeral, delegate: delegate, delegateQueue: nil)
            lines.onTermination = { _ in session.invalidateAndCancel() }
            session.dataTask(with: request).resume()
        }
    }

    private init(_ certificate: Data?, _ lines: AsyncThrowingStream<Data, Error>.Continuation) {
        self.lines = lines
        super.init(certificate)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        rest += data
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            lines.yield(Data(rest[..<end]))
            rest = Data(rest[(end + 1)...])
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: Error?) {
        // What is left is no line: LND's words of why it streams nothing.
        lines.finish(throwing: error ?? (rest.isEmpty ? nil : try? LndRest.decode(rest) as LndError))
    }
}

/// Trusts one certificate where it stands in for an authority, and what the system trusts otherwise.
class LndTrust: NSObject, URLSessionDelegate, @unchecked Sendable {
    private let certificate: Data?

    init(_ certificate: Data?) {
        self.certificate = certificate
    }

    #if canImport(Security)
        func urlSession(
            _ session: URLSession, didReceive challenge: URLAuthenticationChallenge
        ) async -> (URLSession.AuthChallengeDisposition, URLCredential?) {
            guard let trust = challenge.protectionSpace.serverTrust, let certificate,
                let anchor = SecCertificateCreateWithData(nil, certificate as CFData)
            else { return (.performDefaultHandling, nil) }
            SecTrustSetAnchorCertificates(trust, [anchor] as CFArray)
            guard SecTrustEvaluateWithError(trust, nil) else { return (.cancelAuthenticationChallenge, nil) }
            return (.useCredential, URLCredential(trust: trust))
        }
    #endif
}
