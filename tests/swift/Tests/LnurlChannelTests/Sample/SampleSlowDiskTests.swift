import Foundation
import LnurlChannel
import Testing

@testable import ChannelScreen

/// The sample's main actor, which draws, while each fsync of the phone's disk takes 500 ms.
@Suite struct SampleSlowDiskTests {
    private static let fsync: TimeInterval = 0.5

    @Test func theSamplesMainActorDoesNotWaitForADiskWhoseFsyncTakes500Milliseconds() async throws {
        let folder = try TemporaryFolder()
        let environment = [
            "DISK_FOLDER": folder.path, "DISK_FSYNC_MS": "\(Int(Self.fsync * 1000))",
        ]
        guard let lines = try await again("childSampleOnASlowDisk", shim: "disk", environment: environment)
        else { return }
        let told = lines.filter { $0.contains("the sample's main actor") }
        for line in told { print(line) }
        #expect(told.count == 1)
    }

    /// Not a test of its own: the one above runs it.
    @MainActor @Test func childSampleOnASlowDisk() async throws {
        guard isChild("childSampleOnASlowDisk") else { return }
        let folder = try #require(ProcessInfo.processInfo.environment["DISK_FOLDER"])
        let testbed = try Testbed()
        let offer = try testbed.offer(["habits": ["OkAndNeverOpens"]]).text("lnurl")
        var longest: TimeInterval = 0
        var beats = 0
        let heart = Task { @MainActor in
            var last = Date()
            while !Task.isCancelled {
                try await Task.sleep(nanoseconds: 1_000_000)
                longest = max(longest, Date().timeIntervalSince(last))
                last = Date()
                beats += 1
            }
        }
        let start = Date()
        let run = try SampleRun(testbed, folder: folder)
        let model = run.model
        run.start()
        model.open(offer)
        await model.fetch()
        let accepting = Task { await model.act(.accept) }
        try await run.waitFor("The service agreed")
        // While the library writes, since reports do.
        let client = try #require(try await run.wallet.client() as? ChannelClient)
        let stranger = try testbed.wallet().text("id")
        let writing = Task {
            try await onThread {
                for number in 0..<3 {
                    _ = client.reportIncomingChannel(
                        channel: IncomingChannel(peerId: stranger, stage: .funded, channelId: "\(number)"))
                }
            }
        }
        for _ in 0..<3 {
            model.enterBackground()
            model.enterForeground()
            _ = model.receipt()
            try await Task.sleep(nanoseconds: 300_000_000)
        }
        await model.act(.pause)
        await accepting.value
        await model.act(.cancel)
        try await writing.value
        heart.cancel()
        try await run.end()
        #expect(Date().timeIntervalSince(start) >= 3 * Self.fsync, "the disk is not slow")
        print("the sample's main actor: \(beats) times free, never longer than \(Int(longest * 1000)) ms busy")
        #expect(beats >= 500)
        // A call that waits for the disk waits for several of them.
        #expect(longest < Self.fsync)
    }
}
