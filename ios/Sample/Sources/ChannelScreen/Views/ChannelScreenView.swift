#if canImport(SwiftUI)
    import LnurlChannel
    import SwiftUI

    #if canImport(UIKit)
        import UIKit
    #endif

    /// The screen. What it shows is in the model; the views below it only lay it out, with the system's own
    /// fonts and colours, so that they follow the user's settings.
    public struct ChannelScreenView: View {
        @StateObject private var shown: ShownScreen
        @Environment(\.scenePhase) private var scenePhase
        @SceneStorage("channel.typed") private var typed = ""
        @SceneStorage("channel.scanned") private var scanned: String?
        @SceneStorage("channel.request") private var requestId: String?
        private let demo: String?

        /// - Parameter demo: an LNURL to try the screen with.
        public init(model: ChannelScreenModel, demo: String? = nil) {
            _shown = StateObject(wrappedValue: ShownScreen(model))
            self.demo = demo
        }

        public var body: some View {
            NavigationStack {
                page
                    .toolbar {
                        if shown.state.page != .scan {
                            ToolbarItem(placement: .cancellationAction) {
                                Button(words(.actionBack)) { model.back() }
                            }
                        }
                    }
            }
            .task {
                model.restore(SavedScreen(scanned: scanned, requestId: requestId))
                await model.run()
            }
            .onOpenURL { model.open($0.absoluteString) }
            .onChange(of: shown.saved) { (scanned, requestId) = ($0.scanned, $0.requestId) }
            .onChange(of: shown.state.announcement(words)) { announce($0) }
            .onChange(of: scenePhase) { phase in
                switch phase {
                case .background: model.enterBackground()
                case .active: model.enterForeground()
                default: break
                }
            }
        }

        private var model: ChannelScreenModel { shown.model }
        private var words: Words { shown.model.words }

        @ViewBuilder private var page: some View {
            switch shown.state.page {
            case .scan:
                ScanView(shown: shown, typed: $typed, demo: demo)
            case .consent(let authority, let isFetching):
                ConsentView(shown: shown, authority: authority, isFetching: isFetching)
            case .request(let page):
                RequestView(shown: shown, page: page)
            }
        }

        private func announce(_ text: String) {
            #if canImport(UIKit)
                UIAccessibility.post(notification: .announcement, argument: text)
            #endif
        }
    }

    /// The model, where SwiftUI sees it change.
    @MainActor
    final class ShownScreen: ObservableObject {
        let model: ChannelScreenModel
        @Published private(set) var state: ScreenState
        @Published private(set) var saved: SavedScreen

        init(_ model: ChannelScreenModel) {
            self.model = model
            state = model.state
            saved = model.saved
            model.onChange = { [weak self] in self?.state = $0 }
            model.onSave = { [weak self] in self?.saved = $0 }
        }
    }
#endif
