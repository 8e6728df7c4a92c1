#if canImport(SwiftUI)
    import SwiftUI

    /// Scan or paste, and what was requested before.
    struct ScanView: View {
        @ObservedObject var shown: ShownScreen
        @Binding var typed: String
        let demo: String?

        var body: some View {
            Form {
                ProblemSection(problem: shown.state.problem)
                if shown.state.failedToStart {
                    Button(words(.actionTryAgain)) { Task { await model.run() } }
                }
                Section {
                    Text(verbatim: words(.scanHint))
                    #if canImport(UIKit) && canImport(AVFoundation)
                        ScannerView { model.see($0) }
                            .aspectRatio(1, contentMode: .fit)
                            .accessibilityElement(children: .ignore)
                            .accessibilityLabel(words(.scanCamera))
                    #endif
                    TextField(words(.scanField), text: $typed, axis: .vertical)
                        .autocorrectionDisabled()
                        .onSubmit { open() }
                    PasteButton(payloadType: String.self) { typed = $0.first ?? typed }
                    Button(words(.scanOpen)) { open() }.disabled(typed.isEmpty)
                    if let demo { Button(words(.scanDemo)) { model.open(demo) } }
                }
                HistorySection(shown: shown)
            }
            .navigationTitle(words(.scanTitle))
        }

        private var model: ChannelScreenModel { shown.model }
        private var words: Words { shown.model.words }

        private func open() {
            model.open(typed)
            if shown.state.problem == nil { typed = "" }
        }
    }

    /// The requests that were accepted, newest first.
    struct HistorySection: View {
        @ObservedObject var shown: ShownScreen

        var body: some View {
            Section {
                if shown.state.history.isEmpty { Text(verbatim: shown.model.words(.historyEmpty)) }
                ForEach(shown.state.history) { row in
                    Button {
                        shown.model.open(requestId: row.id)
                    } label: {
                        VStack(alignment: .leading) {
                            Text(verbatim: row.title).font(.headline)
                            Text(verbatim: row.status)
                            Text(verbatim: row.date.formatted(date: .abbreviated, time: .shortened))
                                .font(.caption).foregroundStyle(.secondary)
                        }
                        .accessibilityElement(children: .combine)
                    }
                }
            } header: {
                Heading(text: shown.model.words(.historyTitle))
            }
        }
    }
#endif
