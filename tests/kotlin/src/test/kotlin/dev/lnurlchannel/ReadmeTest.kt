package dev.lnurlchannel

import dev.lnurlchannel.support.P2WPKH
import dev.lnurlchannel.support.Scene
import dev.lnurlchannel.support.TestWallet
import dev.lnurlchannel.support.walletScene
import java.nio.file.Path
import kotlin.io.path.createDirectory
import kotlin.io.path.readText
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The README's snippet, letter for letter, with what it calls of the wallet. */
class ReadmeTest {
    private class Context(val noBackupFilesDir: Path)

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
            val client = ChannelClient(myNode, requests, ClientConfig("${context.noBackupFilesDir}/channels"))
            requests.follow(client)

            suspend fun waitFor(request: ChannelRequest) {
                when (val outcome = request.accept()) {     // asks once; called again, it waits on
                    is ChannelOutcome.Funded -> show(outcome.channel)
                    is ChannelOutcome.HostedOffered -> startHosted(outcome.message)
                    is ChannelOutcome.HostedExists -> resumeHosted(outcome.message)
                }
            }

            suspend fun scanned(text: String) {
                val lnurl = decodeLnurl(text)
                if (!askToContact(lnurl.authority())) return
                val request = client.fetch(lnurl)           // nothing of the wallet is sent
                if (askUser(request.snapshot().offer)) waitFor(request) else request.cancel()
            }

            // At start: go on with those of earlier runs that wait. Nobody is asked.
            val waiting = setOf(ChannelRequestState.AWAITING, ChannelRequestState.OUTCOME_UNKNOWN)
            for (earlier in requests.value.filter { it.state in waiting }) {
                val request = client.request(earlier.requestId) ?: continue
                scope.launch { waitFor(request) }
            }
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
        wallet.snippet(Context(folder.resolve("files").createDirectory()), node, testbed.offer())
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
