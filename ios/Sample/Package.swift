// swift-tools-version: 6.0
// A wallet of one screen. Build the xcframework first: ../build-xcframework.sh
import PackageDescription

let package = Package(
    name: "SampleWallet",
    platforms: [.iOS(.v15), .macOS(.v13)],
    products: [.library(name: "ChannelScreen", targets: ["ChannelScreen"])],
    dependencies: [.package(name: "LnurlChannel", path: "..")],
    targets: [
        .target(
            name: "ChannelScreen",
            dependencies: [.product(name: "LnurlChannel", package: "LnurlChannel")]
        )
    ],
    swiftLanguageModes: [.v6]
)
