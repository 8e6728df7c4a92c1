// What BackgroundOnIos.swift and the sample use of UIKit, as Apple declares it, so that it is at least
// compiled where there is no iOS.
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

open class CALayer {}

@MainActor open class UIView {
    open class var layerClass: AnyClass { CALayer.self }
    open var layer: CALayer { CALayer() }

    public init(frame: CGRect) {}
    public required init?(coder: NSCoder) {}
}

public enum UIAccessibility {
    public enum Notification: Sendable { case announcement }

    @MainActor public static func post(notification: Notification, argument: Any?) {}
}
