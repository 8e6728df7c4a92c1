// What iOS alone has. The rules are in Background.swift and BackgroundWaits.swift.

#if canImport(UIKit) && canImport(BackgroundTasks)
    import BackgroundTasks
    import Foundation
    import UIKit

    extension UIApplication: BackgroundTime {
        public func beginBackgroundTime(onExpiration: @escaping @MainActor () -> Void) -> Int? {
            let id = beginBackgroundTask(withName: "lnurl-channel") {
                // It is called on the main thread.
                MainActor.assumeIsolated { onExpiration() }
            }
            return id == .invalid ? nil : id.rawValue
        }

        public func endBackgroundTime(_ id: Int) {
            endBackgroundTask(UIBackgroundTaskIdentifier(rawValue: id))
        }
    }

    /// Lets iOS start the app in the background, to look whether an awaited channel has come.
    ///
    /// The app's Info.plist names `identifier` in `BGTaskSchedulerPermittedIdentifiers`, and `fetch` in
    /// `UIBackgroundModes`. Call `register` before the app has finished launching, and `schedule` when it
    /// leaves the foreground.
    public struct ChannelRefresh: Sendable {
        private let identifier: String

        /// - Parameter identifier: the app's own, such as `com.example.wallet.channels`.
        public init(identifier: String) {
            self.identifier = identifier
        }

        /// - Parameters:
        ///   - client: makes the client, and starts the node, where iOS has started the app; none if that
        ///     fails, as on a phone that was not unlocked since its start.
        ///   - onOutcome: a channel has come, as `goOnInBackground` tells of it. An app with hosted channels
        ///     needs it: the app may end before it is in the foreground again.
        /// - Returns: false if Info.plist does not name the identifier.
        @discardableResult
        public func register(
            client: @escaping @Sendable () async -> (any ChannelClientProtocol)?,
            onOutcome: @escaping OutcomeHandler = { _, _ in }
        ) -> Bool {
            BGTaskScheduler.shared.register(forTaskWithIdentifier: identifier, using: nil) { task in
                let handed = Handed(task: task)
                let work = Task {
                    let client = await client()
                    let next: TimeInterval? =
                        if let client {
                            await client.goOnInBackground(onOutcome: onOutcome)
                        } else { 15 * 60 }
                    schedule(in: next)
                    handed.task.setTaskCompleted(success: client != nil)
                }
                task.expirationHandler = { work.cancel() }
            }
        }

        /// Asks iOS for a start in the background, not before so many seconds: as `comeBackIn` says. For
        /// none, nothing is asked.
        public func schedule(in seconds: TimeInterval?) {
            guard let seconds else { return }
            let request = BGAppRefreshTaskRequest(identifier: identifier)
            request.earliestBeginDate = Date(timeIntervalSinceNow: seconds)
            // It fails where the user has turned this off; what waits goes on in the foreground.
            try? BGTaskScheduler.shared.submit(request)
        }
    }

    /// A task may be completed on any thread.
    private struct Handed: @unchecked Sendable {
        let task: BGTask
    }
#endif
