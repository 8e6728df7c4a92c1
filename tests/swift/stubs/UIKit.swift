// What BackgroundOnIos.swift uses of UIKit, as Apple declares it, so that it is at least compiled where
// there is no iOS.
@_exported import Foundation

public struct UIBackgroundTaskIdentifier: RawRepresentable, Hashable, Sendable {
    public static let invalid = UIBackgroundTaskIdentifier(rawValue: 0)
    public let rawValue: Int

    public init(rawValue: Int) {
        self.rawValue = rawValue
    }
}

@MainActor open class UIApplication {
    open class var shared: UIApplication { UIApplication() }

    public init() {}

    open func beginBackgroundTask(
        withName name: String?, expirationHandler: (@MainActor @Sendable () -> Void)? = nil
    ) -> UIBackgroundTaskIdentifier { .invalid }

    open func endBackgroundTask(_ identifier: UIBackgroundTaskIdentifier) {}
}
