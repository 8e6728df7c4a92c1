import Foundation

/// The folder for `ClientConfig.storageDir`, made if it is missing: `ClientConfig(storageDir:
/// try channelFolder().path)`.
///
/// It holds secrets, so that it is left out of backups. It lies in the app's own Application Support, and
/// not in the container of an App Group: the client locks it, and iOS ends suspended apps that hold a lock
/// there. On iOS it can be read from the first unlock after a restart of the phone on, so that the app can
/// go on in the background; until then, making the client throws `StorageFailed`.
///
/// - Parameters:
///   - name: one folder for each node and seed, each with a name of its own.
///   - parent: another folder than Application Support.
/// - Throws: `StorageFailed` if it cannot be made, as on a full disk: say so, and try again.
public func channelFolder(named name: String = "channels", in parent: URL? = nil) throws -> URL {
    precondition(
        !name.isEmpty && name != "." && name != ".." && !name.contains("/"),
        "\(name) is not the name of a folder")
    do {
        return try makeFolder(named: name, in: parent)
    } catch {
        throw LnurlChannelError.StorageFailed(
            reason: "the folder \(name) cannot be made: \(error.localizedDescription)")
    }
}

private func makeFolder(named name: String, in parent: URL?) throws -> URL {
    let files = FileManager.default
    let parent =
        try parent
        ?? files.url(
            for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
    var folder = parent.appendingPathComponent(name, isDirectory: true)
    try files.createDirectory(at: folder, withIntermediateDirectories: true)
    #if os(iOS)
        // What is made in it from now on is protected in the same way.
        try files.setAttributes(
            [.protectionKey: FileProtectionType.completeUntilFirstUserAuthentication],
            ofItemAtPath: folder.path)
    #endif
    #if canImport(Darwin)
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try folder.setResourceValues(values)
    #endif
    return folder
}
