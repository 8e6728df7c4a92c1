package dev.lnurlchannel

import dev.lnurlchannel.support.NODE_ID
import dev.lnurlchannel.support.PlainNode
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** The guard by itself; with the library behind it, see [ThrowingNodeTest]. */
class GuardedWalletNodeTest {
    private val peer = PeerAddress(NODE_ID, "node.example", 9735u)

    @Test
    fun `results and the node's own exceptions pass`() {
        val own = WalletNodeException.Unsupported("no custom messages")
        val node = PlainNode(onSend = { throw own }).guarded()
        assertEquals(NODE_ID, node.nodeId())
        assertEquals(true, node.connect(peer))
        assertSame(own, assertThrows<WalletNodeException> { node.sendPeerMessage(NODE_ID, 65535u, byteArrayOf()) })
        assertSame(node, node.guarded())
    }

    @Test
    fun `anything else becomes Failed, with its first line and its cause`() {
        val bug = IllegalStateException("a bug\nin detail")
        val thrown = assertThrows<WalletNodeException.Failed> {
            PlainNode(onConnect = { throw bug }).guarded().connect(peer)
        }
        assertEquals("java.lang.IllegalStateException: a bug", thrown.reason)
        assertSame(bug, thrown.cause)
    }
}
