#if canImport(UIKit) && canImport(BackgroundTasks)
    import LnurlChannel
    import UIKit

    /// The app behind the screen. Made while the app is launching, where iOS has started it in the background
    /// too. Info.plist needs what the one beside this package has.
    @MainActor
    public final class SampleWallet {
        private static let refresh = ChannelRefresh(identifier: "com.example.wallet.channels")

        public let model: ChannelScreenModel

        /// - Parameters:
        ///   - node: the wallet's own.
        ///   - start: starts the node, and reports its events to the client: only now, so that no channel
        ///     goes unreported.
        ///   - onOutcome: a channel has come, in the foreground or in the background.
        public init(
            node: any WalletNode, start: @escaping @Sendable (any ChannelClientProtocol) -> Void,
            onOutcome: @escaping OutcomeTaker
        ) {
            let wallet = WalletClient { listener in
                let config = ClientConfig(storageDir: try channelFolder().path)
                let client = try ChannelClient(node: node, listener: listener, config: config)
                start(client)
                return client
            }
            model = ChannelScreenModel(
                wallet: wallet, time: UIApplication.shared, onOutcome: onOutcome)
            model.onBackground = { Self.refresh.schedule(in: $0) }
            Self.refresh.register(
                client: { try? await wallet.client() },
                onOutcome: { [model] request, outcome in await model.handOver(request, outcome) })
        }
    }
#endif
