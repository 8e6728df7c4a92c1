import Foundation
import Testing

/// Apple's privacy manifest says that nothing is tracked and nothing collected.
@Suite struct PrivacyManifestTests {
    @Test func nothingIsTrackedOrCollected() throws {
        let file = repository.appendingPathComponent("ios/PrivacyInfo.xcprivacy")
        let list = try PropertyListSerialization.propertyList(
            from: Data(contentsOf: file), format: nil)
        let manifest = try #require(list as? [String: Any])
        #expect(manifest["NSPrivacyTracking"] as? Bool == false)
        for key in ["NSPrivacyTrackingDomains", "NSPrivacyCollectedDataTypes"] {
            #expect((manifest[key] as? [Any])?.isEmpty == true, "\(key)")
        }
        #expect(manifest["NSPrivacyAccessedAPITypes"] is [Any])
    }
}
