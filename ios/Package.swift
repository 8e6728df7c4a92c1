// swift-tools-version: 6.0
// The package for wallets. Its native part is the released zip where `release` names one, else
// the xcframework that build-xcframework.sh has put beside this file.
import PackageDescription

/// Set both for a release; build-xcframework.sh prints the checksum.
let release: (url: String, checksum: String)? = nil

let native: Target =
    if let release {
        .binaryTarget(
            name: "LnurlChannelFFI", url: release.url, checksum: release.checksum)
    } else {
        .binaryTarget(name: "LnurlChannelFFI", path: "build/LnurlChannelFFI.xcframework")
    }

let package = Package(
    name: "LnurlChannel",
    platforms: [.iOS(.v15), .macOS(.v13)],
    products: [
        .library(name: "LnurlChannel", targets: ["LnurlChannel"]),
        .library(name: "LnurlChannelTesting", targets: ["LnurlChannelTesting"]),
    ],
    targets: [
        native,
        .target(
            name: "LnurlChannel",
            dependencies: ["LnurlChannelFFI"],
            resources: [.process("PrivacyInfo.xcprivacy")],
            linkerSettings: [.linkedFramework("CoreFoundation"), .linkedFramework("Security")]
        ),
        .target(name: "LnurlChannelTesting", dependencies: ["LnurlChannel"]),
    ],
    swiftLanguageModes: [.v6]
)
