// swift-tools-version: 6.0
// The one test of tests/swift that runs in the simulator, on the package as apps get it. Build the xcframework
// first: ../build-xcframework.sh. Then, with the name of a simulator that Xcode has:
//   xcodebuild test -scheme SimulatorTests -destination 'platform=iOS Simulator,name=iPhone 16'
import PackageDescription

let package = Package(
    name: "SimulatorTests",
    platforms: [.iOS(.v15), .macOS(.v13)],
    dependencies: [.package(name: "LnurlChannel", path: "..")],
    targets: [
        .testTarget(
            name: "SimulatorTests",
            dependencies: [.product(name: "LnurlChannel", package: "LnurlChannel")]
        )
    ],
    swiftLanguageModes: [.v6]
)
