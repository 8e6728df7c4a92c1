import Foundation
import LnurlChannel
import Testing

@testable import ChannelScreen

/// One run of the iOS sample without its views, on the real library and a real node: what a process holds.
@MainActor final class SampleRun {
    let model: ChannelScreenModel
    private(set) var states: [ScreenState] = []
    let outcomes = Outcomes()
    let wallet: WalletClient
    private var running: Task<Void, Never>?

    init(_ testbed: Testbed, folder: String) throws {
        let config = try testbed.config { $0.storageDir = folder }
        wallet = WalletClient { listener in
            #expect(!Thread.isMainThread)
            let client = try ChannelClient(node: LdkNode(testbed), listener: listener, config: config)
            _ = Pump(testbed, client)
            return client
        }
        model = ChannelScreenModel(wallet: wallet, time: NoTime()) { [outcomes] in try outcomes.take($1) }
        model.onChange = { [unowned self] in states.append($0) }
    }

    /// - Parameter saved: what the system kept.
    func start(_ saved: SavedScreen = SavedScreen()) {
        model.restore(saved)
        model.enterForeground()
        running = Task { await model.run() }
    }

    /// The process ends: only what is stored, and `saved`, is left.
    func end() async throws {
        running?.cancel()
        await running?.value
        await (try wallet.client() as? ChannelClient)?.shutdown()
    }

    var page: RequestPage? {
        if case .request(let page) = model.state.page { page } else { nil }
    }

    func waitFor(_ status: String) async throws {
        do {
            try await waitUntil(status) { page?.status == status }
        } catch {
            Issue.record("not \(status): \(progress), \(model.state.problem ?? "no problem")")
            throw error
        }
    }

    /// Each sentence that the user saw of a request, once.
    var progress: [String] {
        states.reduce(into: []) { all, state in
            guard case .request(let page) = state.page, page.status != all.last else { return }
            all.append(page.status)
        }
    }
}

/// A wallet that takes the channels that have come.
@MainActor final class Outcomes {
    private(set) var all: [ChannelOutcome] = []
    /// Why it cannot take the next one.
    var failure: (any Error)?

    func take(_ outcome: ChannelOutcome) throws {
        defer { failure = nil }
        if let failure { throw failure }
        all.append(outcome)
    }
}

final class NoTime: BackgroundTime {
    func beginBackgroundTime(onExpiration: @escaping @MainActor () -> Void) -> Int? { nil }
    func endBackgroundTime(_ id: Int) {}
}
