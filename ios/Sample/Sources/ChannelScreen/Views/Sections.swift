#if canImport(SwiftUI)
    import SwiftUI

    /// What went wrong, as plain text: the service's own words may stand in it.
    struct ProblemSection: View {
        let problem: String?

        var body: some View {
            if let problem {
                Section { Label(problem, systemImage: "exclamationmark.triangle").foregroundStyle(.red) }
            }
        }
    }

    /// Lines with their labels.
    struct RowSection: View {
        let title: String
        let rows: [Row]
        let words: Words

        var body: some View {
            Section {
                ForEach(rows) { row in
                    VStack(alignment: .leading) {
                        Text(verbatim: words(row.label)).font(.caption).foregroundStyle(.secondary)
                        Text(verbatim: row.value).textSelection(.enabled)
                    }
                    .accessibilityElement(children: .combine)
                }
            } header: {
                Heading(text: title)
            }
        }
    }

    /// The heading of a section, which VoiceOver can jump to.
    struct Heading: View {
        let text: String

        var body: some View {
            Text(verbatim: text).accessibilityAddTraits(.isHeader)
        }
    }
#endif
