// swift-tools-version: 6.0
// The package for wallets, on the xcframework that build-xcframework.sh has put beside this file. package.sh writes the
// one that is taken by its address.
import PackageDescription

let package = Package(
    name: "LnurlChannel",
    platforms: [.iOS(.v15), .macOS(.v13), .macCatalyst(.v15)],
    products: [
        .library(name: "LnurlChannel", targets: ["LnurlChannel"]),
        .library(name: "LnurlChannelTesting", targets: ["LnurlChannelTesting"]),
    ],
    targets: [
        .binaryTarget(name: "LnurlChannelFFI", path: "build/LnurlChannelFFI.xcframework"),
        .target(
            name: "LnurlChannel",
            dependencies: ["LnurlChannelFFI"],
            resources: [.process("PrivacyInfo.xcprivacy")]
        ),
        .target(name: "LnurlChannelTesting", dependencies: ["LnurlChannel"]),
    ],
    swiftLanguageModes: [.v6]
)
