#if canImport(SwiftUI)
    import SwiftUI

    /// The service, for the user to agree to before anything is sent.
    struct ConsentView: View {
        @ObservedObject var shown: ShownScreen
        let authority: String
        let isFetching: Bool

        var body: some View {
            Form {
                ProblemSection(problem: shown.state.problem)
                Section {
                    Text(verbatim: words(.consentTitle, authority)).font(.headline)
                    Text(verbatim: words(.consentHint))
                    if isFetching {
                        ProgressView(words(.consentAsking, authority))
                    } else {
                        Button(words(.consentAsk)) { Task { await shown.model.fetch() } }
                            .buttonStyle(.borderedProminent)
                    }
                }
            }
            .navigationTitle(words(.scanTitle))
        }

        private var words: Words { shown.model.words }
    }
#endif
