import Foundation
import LDKNode
import LnurlChannel

/// Reports why ldk-node turned a channel down, which it tells its log only. Give it to
/// `Builder.setCustomLogger`; what it hears goes on to `next`, the app's own log.
///
/// ldk-node hands over all that it says, at every level. Its wording may change with any version: a
/// sentence of another form tells no reason, and one that names no peer nothing at all.
public final class LdkNodeLog: LogWriter, @unchecked Sendable {
    private let next: (any LogWriter)?
    private let lock = NSLock()
    private var client: (any ChannelClientProtocol)?

    public init(next: (any LogWriter)? = nil) {
        self.next = next
    }

    /// As soon as there is one: the log is there before the node, and the client after it.
    public func report(to client: any ChannelClientProtocol) {
        lock.withLock { self.client = client }
    }

    public func log(record: LogRecord) {
        if record.level == .error { report(record.args) }
        next?.log(record: record)
    }

    private func report(_ line: String) {
        guard line.contains("inbound"), line.contains("channel"), let client = lock.withLock({ client }),
            let peer = line.range(of: "0[23][0-9a-f]{64}", options: .regularExpression)
        else { return }
        let after = line[peer.upperBound...]
        let begins = [" due to ", ": "].compactMap { after.range(of: $0) }
        let begin = begins.min { $0.lowerBound < $1.lowerBound }
        let reason = begin.map { String(after[$0.upperBound...]) }
        client.reportChannelClosed(peerId: String(line[peer]), channelId: nil, reason: reason)
    }
}
