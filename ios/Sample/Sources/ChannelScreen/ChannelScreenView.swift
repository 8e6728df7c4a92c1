#if canImport(SwiftUI)
    import LnurlChannel
    import SwiftUI

    /// The one screen.
    ///
    /// ```swift
    /// let events = ChannelEvents()
    /// let client = try ChannelClient(node: events.following(myNode), config: config)
    /// WindowGroup { ChannelScreenView(model: ChannelScreenModel(client: client, events: events)) }
    /// ```
    ///
    /// Where the client throws, as on a full disk, show why, and try again later.
    public struct ChannelScreenView: View {
        @StateObject private var shown: ShownScreen
        @Environment(\.scenePhase) private var scenePhase
        @State private var pasted = ""

        public init(model: ChannelScreenModel) {
            _shown = StateObject(wrappedValue: ShownScreen(model))
        }

        public var body: some View {
            VStack(spacing: 16) { content }
                .padding()
                .task { await model.start() }
                .onChange(of: scenePhase) { phase in
                    switch phase {
                    case .background: model.enterBackground()
                    case .active: Task { await model.enterForeground() }
                    default: break
                    }
                }
        }

        private var model: ChannelScreenModel { shown.model }

        @ViewBuilder private var content: some View {
            switch shown.screen {
            case .scanning(let problem): scanning(problem)
            case .scanned(let host, let problem): scanned(host, problem)
            case .fetching(let host): ProgressView("Asking \(host)")
            case .offered(let offer, let problem): offered(offer, problem)
            case .running(let offer, let steps): running(offer, steps)
            case .waiting(let offer, let problem): waiting(offer, problem)
            case .arrived(let outcome): arrived(outcome)
            }
        }

        @ViewBuilder private func scanning(_ problem: String?) -> some View {
            #if os(iOS)
                ScannerView { model.see($0) }
            #endif
            TextField("LNURL", text: $pasted)
                .disableAutocorrection(true)
                .onSubmit { open() }
            Button("Open") { open() }.disabled(pasted.isEmpty)
            problemText(problem)
            if problem != nil { Button("Scan again") { Task { await model.reset() } } }
        }

        @ViewBuilder private func scanned(_ host: String, _ problem: String?) -> some View {
            Text(verbatim: "Ask \(host) what it offers?")
            problemText(problem)
            Button("Ask") { Task { await model.fetch() } }
            Button("Back", role: .cancel) { Task { await model.reset() } }
        }

        @ViewBuilder private func offered(_ offer: ChannelOffer, _ problem: String?) -> some View {
            Text(offer.service).font(.headline)
            Text(verbatim: "\(offer.kind == .hosted ? "Hosted" : "Funded") channel from \(offer.peer.host)")
            if let alias = offer.alias { Text(verbatim: alias) }
            problemText(problem)
            Button("Accept") { Task { await model.accept() } }
            Button("Decline", role: .cancel) { Task { await model.decline() } }
        }

        @ViewBuilder private func running(_ offer: ChannelOffer, _ steps: [String]) -> some View {
            ProgressView(offer.service)
            ForEach(steps.indices, id: \.self) { Text(verbatim: steps[$0]) }
            Button("Pause") { model.pause() }
            Button("Cancel", role: .destructive) { Task { await model.cancel() } }
        }

        @ViewBuilder private func waiting(_ offer: ChannelOffer, _ problem: String?) -> some View {
            Text(offer.service).font(.headline)
            problemText(problem)
            Button("Wait on") { Task { await model.resume() } }
            Button("Cancel", role: .destructive) { Task { await model.cancel() } }
        }

        @ViewBuilder private func arrived(_ outcome: ChannelOutcome) -> some View {
            switch outcome {
            case .opening(let channel):
                Text("A channel of \(channel.capacitySat ?? 0) sat is opening")
            case .hostedOffered(let terms, _):
                Text("A hosted channel of \(terms.capacityMsat / 1000) sat")
            case .hostedExists:
                Text("The hosted channel is back")
            }
            Button("Done") { Task { await model.reset() } }
        }

        /// As plain text: the service's own words may stand in it.
        @ViewBuilder private func problemText(_ problem: String?) -> some View {
            if let problem { Text(verbatim: problem).foregroundColor(.red) }
        }

        private func open() {
            model.open(pasted)
            pasted = ""
        }
    }

    /// The model, where SwiftUI sees it change.
    @MainActor
    private final class ShownScreen: ObservableObject {
        let model: ChannelScreenModel
        @Published private(set) var screen: ChannelScreen

        init(_ model: ChannelScreenModel) {
            self.model = model
            screen = model.screen
            model.onChange = { [weak self] in self?.screen = $0 }
        }
    }
#endif
