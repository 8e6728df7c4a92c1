// swift-tools-version: 6.0
// A wallet's screen for channels, and an app around it. Build the xcframework first: ../build-xcframework.sh
import PackageDescription

let package = Package(
    name: "SampleWallet",
    defaultLocalization: "en",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "ChannelScreen", targets: ["ChannelScreen"]),
        .library(name: "SampleApp", targets: ["SampleApp"]),
    ],
    dependencies: [.package(name: "LnurlChannel", path: "..")],
    targets: [
        .target(
            name: "ChannelScreen",
            dependencies: [.product(name: "LnurlChannel", package: "LnurlChannel")],
            resources: [.process("Resources")]
        ),
        .target(
            name: "SampleApp",
            dependencies: ["ChannelScreen", .product(name: "LnurlChannel", package: "LnurlChannel")]
        ),
    ],
    swiftLanguageModes: [.v6]
)
