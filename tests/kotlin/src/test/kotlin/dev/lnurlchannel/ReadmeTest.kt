package dev.lnurlchannel

import dev.lnurlchannel.support.P2WPKH
import dev.lnurlchannel.support.walletScene
import java.nio.file.Path
import kotlin.io.path.createDirectory
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The README's snippet, with what it calls of the wallet. */
class ReadmeTest {
    private class Context(val noBackupFilesDir: Path)

    private val done = mutableListOf<String>()

    private fun askToContact(host: String): Boolean = host == "localhost"

    private fun askUser(offer: ChannelOffer): Boolean = offer.service == "localhost"

    private fun show(channel: IncomingChannel) {
        done += channel.peerId
    }

    private fun startHosted(message: ByteArray) {
        done += "hosted ${message.size > P2WPKH.size}"
    }

    private fun resumeHosted(message: ByteArray) {
        done += "resumed ${message.size}"
    }

    private suspend fun snippet(
        context: Context,
        myNode: WalletNode,
        scannedText: String,
        adapt: (ClientConfig) -> ClientConfig,
        started: (ChannelClient) -> Unit,
    ) {
        val client = ChannelClient(myNode, adapt(ClientConfig(storageDir = "${context.noBackupFilesDir}/channels")))
        started(client)
        val lnurl = decodeLnurl(scannedText)
        if (!askToContact(lnurl.host())) return
        val request = client.fetch(lnurl)               // nothing of the wallet is sent
        if (askUser(request.offer())) {
            when (val outcome = request.accept()) {     // waits for the channel
                is ChannelOutcome.Opening -> show(outcome.channel)
                is ChannelOutcome.HostedOffered -> startHosted(outcome.message)
                is ChannelOutcome.HostedExists -> resumeHosted(outcome.message)
            }
        } else request.decline()
        client.shutdown()
    }

    @Test
    fun `the README's snippet works`(@TempDir folder: Path) = walletScene { wallet ->
        wallet.close()
        val adapt = { config: ClientConfig -> testbed.config().copy(storageDir = config.storageDir) }
        snippet(Context(folder.resolve("files").createDirectory()), wallet, testbed.offer(), adapt, wallet::reportTo)
        assertEquals(listOf(testbed.targetId), done)
    }
}
