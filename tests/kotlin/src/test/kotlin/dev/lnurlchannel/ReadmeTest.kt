package dev.lnurlchannel

import dev.lnurlchannel.support.P2WPKH
import dev.lnurlchannel.support.Scene
import dev.lnurlchannel.support.TestWallet
import dev.lnurlchannel.support.walletScene
import java.io.File
import java.nio.file.Path
import kotlin.io.path.createDirectory
import kotlin.io.path.readText
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The README's snippet, letter for letter, with what it calls of the wallet. */
class ReadmeTest {
    private class Context(val noBackupFilesDir: File)

    /** What the snippet's names stand for here: the testbed's wallet, service and time limits. */
    private class Wallet(private val scene: Scene, private val node: TestWallet) {
        private val scope = scene.scope
        val shown = mutableListOf<String>()

        fun ClientConfig(storageDir: String) = scene.testbed.config().copy(storageDir = storageDir)

        fun ChannelClient(node: WalletNode, listener: ChannelListener, config: ClientConfig) =
            dev.lnurlchannel.ChannelClient(node, listener, config).also(this.node::reportTo)

        fun askToContact(authority: String): Boolean = authority.startsWith("localhost")

        fun askUser(offer: ChannelOffer): Boolean = checkNotNull(offer.service).startsWith("localhost")

        fun show(channel: IncomingChannel) {
            shown += channel.peerId
        }

        fun startHosted(message: ByteArray) {
            shown += "hosted ${message.size > P2WPKH.size}"
        }

        fun resumeHosted(message: ByteArray) {
            shown += "resumed ${message.size}"
        }

        suspend fun snippet(context: Context, myNode: WalletNode, scannedText: String) {
            // README
            val requests = ChannelRequests()                // a StateFlow, for the screen
            val config = ClientConfig(channelFolder(context.noBackupFilesDir))
            val client = ChannelClient(myNode, requests, config)
            requests.follow(client)

            fun arrived(outcome: ChannelOutcome) = when (outcome) {
                is ChannelOutcome.Funded -> show(outcome.channel)
                is ChannelOutcome.HostedOffered -> startHosted(outcome.message)
                is ChannelOutcome.HostedExists -> resumeHosted(outcome.message)
            }

            suspend fun scanned(text: String) {
                val lnurl = decodeLnurl(text)
                if (!askToContact(lnurl.authority())) return
                val request = client.fetch(lnurl)           // nothing of the wallet is sent
                val isWanted = askUser(request.snapshot().offer)
                if (isWanted) arrived(request.accept()) else request.cancel()  // asks once
            }

            // At start: go on with what earlier runs have asked for. Nobody is asked.
            scope.launch { client.goOn { _, outcome -> arrived(outcome) } }
            // END
            scanned(scannedText)
            assertEquals(listOf(scene.testbed.targetId), requests.value.map { it.offer.peer.nodeId })
            client.shutdown()
        }
    }

    @Test
    fun `the README's snippet works`(@TempDir folder: Path) = walletScene { node ->
        node.close()
        val wallet = Wallet(this, node)
        wallet.snippet(Context(folder.resolve("files").createDirectory().toFile()), node, testbed.offer())
        assertEquals(listOf(testbed.targetId), wallet.shown)
    }

    @Test
    fun `it is the one in the README`() {
        val readme = Path.of("../../README.md").readText()
        val there = readme.substringAfter("## Kotlin").substringAfter("```kotlin\n").substringBefore("```")
        val source = Path.of("src/test/kotlin/dev/lnurlchannel/ReadmeTest.kt").readText()
        val here = source.substringAfter("// README\n").substringBefore("            // END")
        assertEquals(there.trimEnd(), here.trimIndent().trimEnd())
    }
}
