// swift-tools-version: 6.0
// The Swift tests. They use the sources of the bindings and of the iOS sample where they stand,
// through the links in Sources, and the Rust library as cargo builds it.
import PackageDescription

let libraries = Context.packageDirectory + "/../../target/debug"

let package = Package(
    name: "lnurl-channel-tests",
    defaultLocalization: "en",
    platforms: [.iOS(.v15), .macOS(.v13)],
    targets: [
        .systemLibrary(name: "LnurlChannelFFI"),
        .target(
            name: "LnurlChannel",
            dependencies: ["LnurlChannelFFI"],
            linkerSettings: [
                .linkedLibrary("lnurl_channel"),
                .unsafeFlags(["-L", libraries, "-Xlinker", "-rpath", "-Xlinker", libraries]),
            ]
        ),
        .target(name: "LnurlChannelTesting", dependencies: ["LnurlChannel"]),
        .target(
            name: "ChannelScreen", dependencies: ["LnurlChannel"], resources: [.process("Resources")]),
        .target(name: "SampleApp", dependencies: ["ChannelScreen", "LnurlChannel"]),
        .target(
            name: "LndSamples",
            dependencies: ["LnurlChannel"],
            // These need another node's library.
            exclude: ["LdkNodeLog.swift", "LdkNodeReports.swift", "LdkNodeWalletNode.swift"]
        ),
        .executableTarget(name: "LndRow", dependencies: ["LndSamples"]),
        .testTarget(
            name: "LnurlChannelTests",
            dependencies: ["LnurlChannel", "LnurlChannelTesting", "ChannelScreen", "SampleApp"]
        ),
    ],
    swiftLanguageModes: [.v6]
)
