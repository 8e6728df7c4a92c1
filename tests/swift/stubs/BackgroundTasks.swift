// What BackgroundOnIos.swift uses of BackgroundTasks, as Apple declares it, so that it is at least compiled
// where there is no iOS.
import Foundation

open class BGTask {
    open var expirationHandler: (() -> Void)?

    open func setTaskCompleted(success: Bool) {}
}

open class BGTaskRequest {
    open var earliestBeginDate: Date?

    fileprivate init() {}
}

open class BGAppRefreshTaskRequest: BGTaskRequest {
    public init(identifier: String) {}
}

open class BGTaskScheduler {
    open class var shared: BGTaskScheduler { BGTaskScheduler() }

    open func register(
        forTaskWithIdentifier identifier: String, using queue: DispatchQueue?,
        launchHandler: @escaping (BGTask) -> Void
    ) -> Bool { false }

    open func submit(_ request: BGTaskRequest) throws {}
}
