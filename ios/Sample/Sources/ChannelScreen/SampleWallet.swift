#if canImport(UIKit) && canImport(BackgroundTasks)
    import LnurlChannel
    import UIKit

    /// The app behind the one screen. Made in `application(_:didFinishLaunchingWithOptions:)`, where iOS has
    /// started the app in the background too.
    ///
    /// Info.plist needs `fetch` in `UIBackgroundModes`, and the identifier below in
    /// `BGTaskSchedulerPermittedIdentifiers`.
    @MainActor
    public final class SampleWallet {
        private static let refresh = ChannelRefresh(identifier: "com.example.wallet.channels")

        public let model: ChannelScreenModel
        private let client: ChannelClient

        /// Throws where the folder or the client cannot be made, as on a full disk: say why, and try again.
        public init(node: any WalletNode) throws {
            let requests = ChannelRequests()
            let config = ClientConfig(storageDir: try channelFolder().path)
            let client = try ChannelClient(node: node, listener: requests, config: config)
            requests.follow(client)
            self.client = client
            model = ChannelScreenModel(
                client: client, requests: requests, time: UIApplication.shared)
            Self.refresh.register(client: { client })
        }

        /// The scene is in the background.
        public func enterBackground() {
            model.enterBackground()
            Self.refresh.schedule(in: client.comeBackIn())
        }
    }
#endif
