import Foundation

#if canImport(Combine)
    import Combine
#endif

/// What `ChannelClient.requests` lists, for screens: newest first, always as it stands now.
///
/// ```swift
/// let requests = ChannelRequests()
/// let client = try ChannelClient(node: myNode, listener: requests, config: config)
/// requests.follow(client)
/// ```
///
/// SwiftUI observes it (`@ObservedObject`); `updates` is the same as a stream. Empty until `follow` is
/// called. A wallet with a listener of its own calls `onRequestChanged` from there.
public final class ChannelRequests: ChannelListener, @unchecked Sendable {
    #if canImport(Combine)
        public let objectWillChange = ObservableObjectPublisher()
    #endif

    /// Held while the list is read: changes of several requests come at once, and a list that was read
    /// earlier must not replace a later one.
    private let lock = NSLock()
    private weak var client: (any ChannelClientProtocol)?
    private var list: [ChannelRequestSnapshot] = []
    private var readers: [UUID: AsyncStream<[ChannelRequestSnapshot]>.Continuation] = [:]

    public init() {}

    deinit {
        for reader in readers.values { reader.finish() }
    }

    /// Newest first.
    public var snapshots: [ChannelRequestSnapshot] { lock.withLock { list } }

    public func snapshot(of requestId: String) -> ChannelRequestSnapshot? {
        snapshots.first { $0.requestId == requestId }
    }

    /// The list as it stands now, and then after each change. A reader that is slow gets the latest.
    ///
    /// It ends with the task that reads it, or when nobody holds this object any more.
    public func updates() -> AsyncStream<[ChannelRequestSnapshot]> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { reader in
            let id = UUID()
            reader.onTermination = { [weak self] _ in self?.forget(id) }
            lock.withLock {
                readers[id] = reader
                reader.yield(list)
            }
        }
    }

    /// Shows the requests of `client`, those of earlier runs at once. It does not keep the client.
    public func follow(_ client: any ChannelClientProtocol) {
        lock.withLock { self.client = client }
        show()
    }

    /// For the library: every change comes here.
    public func onRequestChanged(request: ChannelRequestSnapshot, step: ChannelStep) {
        // Before `follow` nothing is lost: it reads all requests.
        show()
    }

    /// Reads the whole list, instead of putting one change into it: the library keeps the order.
    private func show() {
        // Held beyond the lock, in which the last to let go of the client must not be this.
        guard let client = lock.withLock({ client }) else { return }
        lock.withLock {
            list = client.requests()
            for reader in readers.values { reader.yield(list) }
        }
        tellObservers()
    }

    private func tellObservers() {
        #if canImport(Combine)
            // SwiftUI draws anew on the main thread, and reads the list then.
            DispatchQueue.main.async { self.objectWillChange.send() }
        #endif
    }

    private func forget(_ id: UUID) {
        // Let go of outside the lock: it may hold the last of something.
        _ = lock.withLock { readers.removeValue(forKey: id) }
    }
}

#if canImport(Combine)
    extension ChannelRequests: ObservableObject {}
#endif
