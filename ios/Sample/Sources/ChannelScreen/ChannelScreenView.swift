#if canImport(SwiftUI)
    import LnurlChannel
    import SwiftUI

    /// The one screen.
    ///
    /// `SampleWallet` makes its model.
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
                .task { await model.follow() }
                .onChange(of: scenePhase) { phase in
                    switch phase {
                    case .background: model.enterBackground()
                    case .active: model.enterForeground()
                    default: break
                    }
                }
        }

        private var model: ChannelScreenModel { shown.model }

        @ViewBuilder private var content: some View {
            switch shown.screen {
            case .scanning(let problem): scanning(problem)
            case .scanned(let authority, let problem): scanned(authority, problem)
            case .fetching(let authority): ProgressView("Asking \(authority)")
            case .request(let request, let problem): requested(request, problem)
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
            if problem != nil { Button("Scan again") { model.reset() } }
        }

        @ViewBuilder private func scanned(_ authority: String, _ problem: String?) -> some View {
            Text(verbatim: "Ask \(authority) what it offers?")
            problemText(problem)
            Button("Ask") { Task { await model.fetch() } }
            Button("Back", role: .cancel) { model.reset() }
        }

        @ViewBuilder private func requested(
            _ request: ChannelRequestSnapshot, _ problem: String?
        ) -> some View {
            offer(request.offer)
            if request.isRunning { ProgressView() }
            Text(verbatim: request.sentence)
            if let until = request.waitsUntil { Text("Until \(until, style: .time)") }
            problemText(problem)
            buttons(request)
        }

        @ViewBuilder private func offer(_ offer: ChannelOffer) -> some View {
            Text(verbatim: offer.offeredBy).font(.headline)
            Text(verbatim: "\(offer.kind == .hosted ? "Hosted" : "Funded") channel from \(offer.peer.host)")
            if let other = offer.answeredBy { Text(verbatim: "\(other) answered") }
            if let alias = offer.alias { Text(verbatim: alias) }
        }

        @ViewBuilder private func buttons(_ request: ChannelRequestSnapshot) -> some View {
            switch request.state {
            case .arrived, .ready, .refused, .cancelled:
                Button("Done") { Task { await model.dismiss() } }
            case _ where request.isRunning:
                Button("Pause") { model.pause() }
                Button("Cancel", role: .destructive) { Task { await model.cancel() } }
            case .offered, .connecting:
                Button("Accept") { Task { await model.accept() } }
                Button("Decline", role: .cancel) { Task { await model.cancel() } }
            case .requesting, .awaiting, .outcomeUnknown, .opening:
                Button("Wait on") { Task { await model.accept() } }
                // Two channels may come, so that a wallet says so first.
                Button("Ask again") { Task { await model.askAgain() } }
                Button("Cancel", role: .destructive) { Task { await model.cancel() } }
            }
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
