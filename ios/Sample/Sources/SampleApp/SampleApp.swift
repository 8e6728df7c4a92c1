#if canImport(SwiftUI) && canImport(UIKit) && canImport(BackgroundTasks)
    import ChannelScreen
    import LnurlChannel
    import SwiftUI

    /// The whole app, for an app target's own file:
    /// `@main struct Main { @MainActor static func main() { SampleApp.main() } }`.
    public struct SampleApp: App {
        private let wallet: SampleWallet

        public init() {
            let node = DemoNode()
            wallet = SampleWallet(node: node, start: { node.start($0) }) { _, _ in
                // A wallet's own code for hosted channels begins here.
            }
        }

        public var body: some Scene {
            WindowGroup { ChannelScreenView(model: wallet.model, demo: DemoNode.lnurl) }
        }
    }
#endif
