#if canImport(SwiftUI)
    import LnurlChannel
    import SwiftUI

    /// One request: its offer, what stands in the way, how far it is, and what the user can do.
    struct RequestView: View {
        @ObservedObject var shown: ShownScreen
        let page: RequestPage
        @State private var asksAgain = false

        var body: some View {
            Form {
                ProblemSection(problem: shown.state.problem)
                progress
                if !page.concerns.isEmpty || shown.state.isAskingNode { concerns }
                if page.choosesVisibility { visibility }
                Section { ForEach(page.actions, id: \.self) { button($0) } }
                if !page.result.isEmpty { RowSection(title: words(.resultTitle), rows: page.result, words: words) }
                RowSection(title: words(.offerTitle), rows: page.offer, words: words)
                if page.hasReceipt, let receipt = shown.model.receipt() {
                    Section { ShareLink(words(.receiptShare), item: receipt) }
                }
            }
            .navigationTitle(words(.offerTitle))
            .confirmationDialog(
                words(.askAgainWarning), isPresented: $asksAgain, titleVisibility: .visible
            ) {
                Button(words(.actionAskAgain)) { act(.askAgain) }
            }
        }

        private var words: Words { shown.model.words }

        private var progress: some View {
            Section {
                HStack {
                    Text(verbatim: page.status).font(.headline)
                    if page.isRunning { ProgressView().accessibilityHidden(true) }
                }
                if let until = page.waitsUntil {
                    HStack {
                        Text(verbatim: words(.progressLeft))
                        Spacer()
                        Text(until, style: .timer)
                    }
                    // VoiceOver would read each second.
                    .accessibilityElement(children: .ignore)
                    .accessibilityLabel(words(.progressUntil, until.formatted(date: .omitted, time: .shortened)))
                }
            } header: {
                Heading(text: words(.progressTitle))
            }
        }

        private var concerns: some View {
            Section {
                if shown.state.isAskingNode { ProgressView(words(.concernsAsking)) }
                ForEach(page.concerns, id: \.self) { Label($0, systemImage: "exclamationmark.circle") }
            } header: {
                Heading(text: words(.concernsTitle))
            }
        }

        private var visibility: some View {
            Section {
                Picker(words(.visibilityTitle), selection: chosen) {
                    Text(verbatim: words(.visibilityUnannounced)).tag(ChannelVisibility.unannounced)
                    Text(verbatim: words(.visibilityAnnounced)).tag(ChannelVisibility.announced)
                }
            } footer: {
                Text(verbatim: words(.visibilityHint))
            }
        }

        private var chosen: Binding<ChannelVisibility> {
            Binding(get: { page.visibility }, set: { choice in Task { await shown.model.choose(choice) } })
        }

        private func button(_ action: RequestAction) -> some View {
            Button(words(action.word), role: action == .cancel ? .destructive : nil) {
                // Two channels may come.
                if action == .askAgain { asksAgain = true } else { act(action) }
            }
        }

        private func act(_ action: RequestAction) {
            Task { await shown.model.act(action) }
        }
    }
#endif
