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
                .onAppear { shown.model.start() }
                .onChange(of: scenePhase) { phase in
                    // iOS suspends an app in the background; a paused request can be resumed.
                    if phase == .background { shown.model.pause() }
                }
        }

        private var model: ChannelScreenModel { shown.model }

        @ViewBuilder private var content: some View {
            switch shown.screen {
            case .scanning(let problem): scanning(problem)
            case .fetching(let host): ProgressView("Asking \(host)")
            case .offered(let offer, let problem): offered(offer, problem)
            case .running(let offer, let steps): running(offer, steps)
            case .waiting(let offer, let problem): waiting(offer, problem)
            case .arrived(let outcome): arrived(outcome)
            }
        }

        @ViewBuilder private func scanning(_ problem: String?) -> some View {
            #if os(iOS)
                ScannerView { scan($0) }
            #endif
            TextField("LNURL", text: $pasted)
                .disableAutocorrection(true)
                .onSubmit { scan(pasted) }
            Button("Open") { scan(pasted) }.disabled(pasted.isEmpty)
            problemText(problem)
        }

        @ViewBuilder private func offered(_ offer: ChannelOffer, _ problem: String?) -> some View {
            Text(offer.service).font(.headline)
            Text(verbatim: "\(offer.kind == .hosted ? "Hosted" : "Funded") channel from \(offer.peer.host)")
            if let alias = offer.alias { Text(verbatim: alias) }
            problemText(problem)
            Button("Accept") { Task { await model.accept() } }
            Button("Decline", role: .cancel) { model.decline() }
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
            Button("Done") { model.reset() }
        }

        /// As plain text: the service's own words may stand in it.
        @ViewBuilder private func problemText(_ problem: String?) -> some View {
            if let problem { Text(verbatim: problem).foregroundColor(.red) }
        }

        private func scan(_ text: String) {
            guard case .scanning = shown.screen else { return }
            pasted = ""
            Task { await model.scan(text) }
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
