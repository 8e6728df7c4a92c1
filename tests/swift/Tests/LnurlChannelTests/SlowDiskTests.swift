import Foundation
import LnurlChannel
import Testing

/// What a screen reads on the main actor, while the phone's disk takes its time.
@Suite struct SlowDiskTests {
    private static let fsync: TimeInterval = 0.5
    private static let writes = 4

    @Test func whatAScreenReadsDoesNotWaitForADiskWhoseFsyncTakes500Milliseconds() async throws {
        let folder = try TemporaryFolder()
        let environment = [
            "DISK_FOLDER": folder.path, "DISK_FSYNC_MS": "\(Int(Self.fsync * 1000))",
        ]
        guard let lines = try await again("childWithASlowDisk", shim: "disk", environment: environment)
        else { return }
        let told = lines.filter { $0.contains(" reads on the main actor") }
        for line in told { print(line) }
        #expect(told.count == 1)
    }

    /// Not a test of its own: the one above runs it.
    @MainActor @Test func childWithASlowDisk() async throws {
        guard isChild("childWithASlowDisk") else { return }
        let folder = try #require(ProcessInfo.processInfo.environment["DISK_FOLDER"])
        let testbed = try Testbed()
        let client = try ChannelClient(
            node: PlainNode(), listener: Listener(),
            config: testbed.config { $0.storageDir = folder })
        let offer = try testbed.offer(["habits": ["OkAndNeverOpens"]])
        let request = try await fetch(offer, with: client)
        let call = Task { try await request.accept() }
        try await waitUntil("it waits") { request.state == .awaiting }

        let stranger = try testbed.wallet().text("id")
        let written = Watched<Void>()
        let start = Date()
        Thread.detachNewThread {
            for number in 0..<Self.writes {
                // Each is stored before the verdict returns.
                let channel = IncomingChannel(
                    peerId: stranger, stage: .funded, channelId: "\(number)")
                _ = client.reportIncomingChannel(channel: channel)
            }
            written.append(())
        }
        var reads: [TimeInterval] = []
        while written.all.isEmpty {
            let before = Date()
            let id = request.snapshot().requestId
            let isListed = client.requests().map(\.requestId) == [id]
            let isFound = client.request(requestId: id) != nil && !request.receipt().isEmpty
            reads.append(Date().timeIntervalSince(before))
            #expect(isListed && isFound)
        }
        let took = Date().timeIntervalSince(start)
        #expect(took >= Double(Self.writes) * Self.fsync, "the disk is not slow")
        reads.sort()
        let at99 = reads[reads.count * 99 / 100]
        print(
            "\(reads.count) reads on the main actor: 99 % within \(Int(at99 * 1_000_000)) µs,",
            "all within \(Int(reads[reads.count - 1] * 1000)) ms")
        // Of reads that wait, there would be one for each write. The rest is what a busy machine may take.
        #expect(reads.count >= 1000)
        #expect(at99 < Self.fsync / 10)
        await client.shutdown()
        await #expect(throws: LnurlChannelError.self) { try await call.value }
    }
}
