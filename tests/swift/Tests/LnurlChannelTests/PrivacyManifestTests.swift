import Foundation
import Testing

/// Apple's privacy manifest says that nothing is tracked and nothing collected, and which functions are called that
/// Apple wants a reason for.
@Suite struct PrivacyManifestTests {
    private func manifest() throws -> [String: Any] {
        let file = repository.appendingPathComponent("ios/PrivacyInfo.xcprivacy")
        let list = try PropertyListSerialization.propertyList(
            from: Data(contentsOf: file), format: nil)
        return try #require(list as? [String: Any])
    }

    @Test func nothingIsTrackedOrCollected() throws {
        let manifest = try manifest()
        #expect(manifest["NSPrivacyTracking"] as? Bool == false)
        for key in ["NSPrivacyTrackingDomains", "NSPrivacyCollectedDataTypes"] {
            #expect((manifest[key] as? [Any])?.isEmpty == true, "\(key)")
        }
    }

    /// `tests/deep iphone` links the library against the list of what it needs.
    @Test func aReasonIsGivenForWhatTheLibraryNeedsOfIos() throws {
        let stub = try String(
            contentsOf: repository.appendingPathComponent("tests/swift/stubs/iphone/libSystem.tbd"), encoding: .utf8)
        let needed = Set(
            stub.components(separatedBy: "\n").filter { $0.hasPrefix("      - _") }.map { $0.dropFirst(9) })
        #expect(needed.contains("malloc"))
        // The functions in C of Apple's "required reason API".
        let categories: [String: Set<Substring>] = [
            "NSPrivacyAccessedAPICategoryFileTimestamp": [
                "getattrlist", "getattrlistbulk", "fgetattrlist", "stat", "fstat", "fstatat", "lstat", "getattrlistat",
            ],
            "NSPrivacyAccessedAPICategorySystemBootTime": ["mach_absolute_time"],
            "NSPrivacyAccessedAPICategoryDiskSpace": ["statfs", "statvfs", "fstatfs", "fstatvfs"],
        ]
        let declared = try #require(try manifest()["NSPrivacyAccessedAPITypes"] as? [[String: Any]])
        #expect(
            Set(declared.compactMap { $0["NSPrivacyAccessedAPIType"] as? String })
                == Set(categories.filter { !$0.value.isDisjoint(with: needed) }.keys))
        for api in declared {
            #expect((api["NSPrivacyAccessedAPITypeReasons"] as? [String])?.isEmpty == false)
        }
    }
}
