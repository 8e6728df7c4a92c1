import Foundation

/// Longest wait for anything that the testbed does.
let limit: TimeInterval = 15

struct TooLate: Error {
    let what: String
}

/// A list that grows, for others to wait on.
final class Watched<Item: Sendable>: @unchecked Sendable {
    private let changed = NSCondition()
    private var items: [Item] = []

    func append(_ item: Item) {
        changed.withLock {
            items.append(item)
            changed.broadcast()
        }
    }

    var all: [Item] { changed.withLock { items } }

    /// Wait until the list holds one that is `wanted`, on a thread that runs no task.
    @discardableResult
    func first(
        _ what: String, where wanted: @escaping @Sendable (Item) -> Bool
    ) async throws -> Item {
        try await onThread { try self.wait(for: what, where: wanted) }
    }

    private func wait(for what: String, where wanted: (Item) -> Bool) throws -> Item {
        let deadline = Date(timeIntervalSinceNow: limit)
        return try changed.withLock {
            while true {
                if let found = items.first(where: wanted) { return found }
                guard changed.wait(until: deadline) else { throw TooLate(what: what) }
            }
        }
    }
}

/// Holds threads up until it is opened.
final class Gate: @unchecked Sendable {
    private let changed = NSCondition()
    private var isOpen = false

    func open() {
        changed.withLock {
            isOpen = true
            changed.broadcast()
        }
    }

    /// Ends in any case, so that a test that fails ends too.
    func pass() {
        let deadline = Date(timeIntervalSinceNow: 2 * limit)
        changed.withLock {
            while !isOpen && changed.wait(until: deadline) {}
        }
    }
}

/// Run what blocks on a thread of its own: those that run tasks are few.
func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
}

/// Look again until something holds that nobody tells of.
func waitUntil(
    _ what: String, isolation: isolated (any Actor)? = #isolation, _ holds: () -> Bool
) async throws {
    let deadline = Date(timeIntervalSinceNow: limit)
    while !holds() {
        guard Date() < deadline else { throw TooLate(what: what) }
        try await Task.sleep(nanoseconds: 2_000_000)
    }
}
