import Foundation
import Testing

/// Runs one of these tests again in a process of its own, in which `shim` is loaded before all other
/// libraries, and returns the lines that it prints. It has to pass.
///
/// The shims are built by `tests/swift/run`, for Linux on x86_64. Elsewhere there are none, and this
/// says so and returns nothing.
func again(
    _ test: String, shim: String, environment: [String: String] = [:]
) async throws -> [String]? {
    #if os(Linux) && arch(x86_64)
        let program = Process()
        program.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        program.arguments = ["--testing-library", "swift-testing", "--no-parallel", "--filter", test]
        program.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            .merging(["LD_PRELOAD": built("tmp/swift-\(shim).so"), child: test]) { $1 }
        let output = Pipe()
        program.standardOutput = output
        program.standardError = output
        try program.run()
        let said = try await onThread { output.fileHandleForReading.readDataToEndOfFile() }
        program.waitUntilExit()
        let text = String(decoding: said, as: UTF8.self)
        #expect(program.terminationStatus == 0, "\(text)")
        #expect(text.contains("Test run with 1 test passed"), "\(text)")
        return text.components(separatedBy: "\n")
    #else
        print("\(test) runs on Linux on x86_64 only")
        return nil
    #endif
}

/// Whether this is the process that `again` runs this test in.
func isChild(_ test: String) -> Bool {
    ProcessInfo.processInfo.environment[child] == test
}

/// What cargo, and `tests/swift/run`, have built.
func built(_ file: String) -> String {
    repository.appendingPathComponent("target/\(file)").path
}

private let child = "LNURL_CHANNEL_CHILD"
