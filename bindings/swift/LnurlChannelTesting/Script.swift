import Foundation
import LnurlChannel

/// What the calls to one method lead to, in the order of the test. The last answer stays.
@available(iOS 16, macOS 13, *)
final class Script<Value: Sendable>: @unchecked Sendable {
    private struct Answer {
        let result: Result<Value, LnurlChannelError>
        let delay: Duration
    }

    private let method: String
    /// What a call leads to of which the test says nothing; without it, the call fails.
    private let unsaid: Value?
    private let lock = NSLock()
    private var answers: [Answer] = []

    init(_ method: String, unsaid: Value? = nil) {
        self.method = method
        self.unsaid = unsaid
    }

    func returns(_ value: Value, after delay: Duration = .zero) {
        add(Answer(result: .success(value), delay: delay))
    }

    func `throws`(_ error: LnurlChannelError, after delay: Duration = .zero) {
        add(Answer(result: .failure(error), delay: delay))
    }

    /// For methods that are not `async`: without the delay.
    func play() throws -> Value {
        try next().result.get()
    }

    func play(on clock: any Clock<Duration>) async throws -> Value {
        let answer = try next()
        if answer.delay > .zero { try await clock.sleep(for: answer.delay) }
        return try answer.result.get()
    }

    private func add(_ answer: Answer) {
        lock.withLock { answers.append(answer) }
    }

    private func next() throws -> Answer {
        let answer = lock.withLock { answers.count > 1 ? answers.removeFirst() : answers.first }
        if let answer { return answer }
        guard let unsaid else { throw NotScripted(method: method) }
        return Answer(result: .success(unsaid), delay: .zero)
    }
}

/// The test does not say what a method does that was called.
public struct NotScripted: LocalizedError {
    public let method: String
    public var errorDescription: String? { "the test does not say what \(method) does" }
}
