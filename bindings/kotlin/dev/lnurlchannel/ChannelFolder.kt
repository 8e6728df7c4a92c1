package dev.lnurlchannel

import java.io.File

/**
 * The folder for [ClientConfig.storageDir], made if it is missing: `channelFolder(context.noBackupFilesDir)`.
 *
 * It holds secrets, so that it belongs in no backup: [parent] is Android's `Context.getNoBackupFilesDir()`, or
 * another folder that is left out. One folder for each node and seed: give each a [name] of its own.
 *
 * @throws LnurlChannelException.StorageFailed if it cannot be made, as on a full disk: say so, and try again.
 */
public fun channelFolder(parent: File, name: String = "channels"): String {
    require(name.isNotEmpty() && name != "." && name != ".." && '/' !in name) { "$name is not the name of a folder" }
    val folder = File(parent, name)
    if (!folder.mkdirs() && !folder.isDirectory) {
        throw LnurlChannelException.StorageFailed("the folder $name cannot be made")
    }
    return folder.path
}
