import Foundation
import LnurlChannel
import Testing

/// A configuration ends up in logs.
@Suite struct PrintedConfigTests {
    @Test func noWayOfPrintingAConfigurationShowsAProxysPassword() {
        let config = ClientConfig(
            storageDir: "/channels", network: .signet, proxy: "socks5h://someone:pa55word@127.0.0.1:9050",
            channelTimeoutSeconds: 123)
        var dumped = ""
        dump([config], to: &dumped)
        let all = [
            "\(config)", String(reflecting: config), "\([config])", String(describing: Optional(config)), dumped,
            "\(Mirror(reflecting: config).children.map(\.value))",
        ]
        for text in all {
            #expect(!text.contains("pa55word"))
            #expect(!text.contains("someone"))
            #expect(text.contains("/channels") && text.contains("123"))
        }
        #expect("\(config)".contains("network: signet, proxy: set"))
        #expect("\(ClientConfig(storageDir: nil))".contains("proxy: none"))
    }

    /// A field that is added to the configuration has to be added to what is printed.
    @Test func eachFieldIsPrinted() throws {
        let udl = try String(
            contentsOf: repository.appendingPathComponent("src/lnurl_channel.udl"), encoding: .utf8)
        let start = try #require(udl.range(of: "dictionary ClientConfig {")).upperBound
        let end = try #require(udl.range(of: "};", range: start..<udl.endIndex)).lowerBound
        let fields = udl[start..<end].split(separator: "\n")
            .filter { !$0.contains("///") && $0.contains(";") }
            .compactMap { $0.split(whereSeparator: { " ;".contains($0) }).dropFirst().first }
            .map { $0.split(separator: "_").enumerated().map { $0 == 0 ? "\($1)" : $1.capitalized }.joined() }
        let mirror = Mirror(reflecting: ClientConfig(storageDir: nil))
        #expect(!fields.isEmpty && mirror.children.map(\.label) == fields)
    }
}
