package dev.lnurlchannel

import java.io.File
import javax.xml.parsers.DocumentBuilderFactory
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class SentencesTest {
    private val errors: List<LnurlChannelException> =
        LnurlProblem.entries.map { LnurlChannelException.InvalidLnurl(it, RAW) } +
            UrlProblem.entries.map { LnurlChannelException.UnsafeUrl(it, RAW) } +
            NetworkProblem.entries.map { LnurlChannelException.Unreachable(it, RAW) } +
            NodeProblem.entries.map { LnurlChannelException.NodeFailed(it, RAW) } +
            listOf(true, false).map { LnurlChannelException.NoChannel(it, emptyList(), RAW) } +
            listOf(null, "come back on Monday").map { LnurlChannelException.Refused(it) } +
            listOf(
                LnurlChannelException.UnsupportedTag("payRequest"),
                LnurlChannelException.TorRequired("abc.onion"),
                LnurlChannelException.InvalidResponse(RAW),
                LnurlChannelException.OwnNode(),
                LnurlChannelException.Cancelled(),
                LnurlChannelException.WrongState(ChannelRequestState.READY),
                LnurlChannelException.StorageFailed(RAW),
                LnurlChannelException.InvalidConfig(RAW),
            )

    private val concerns: List<ChannelConcern> =
        ChannelVisibility.entries.map { ChannelConcern.VisibilityRefused(it) } +
            NodeProblem.entries.map { ChannelConcern.NodeFailed(it) } +
            NetworkProblem.entries.map { ChannelConcern.ServiceUnreachable(it) } +
            listOf(null, "one moment").map { ChannelConcern.AnswerUnclear(it) } +
            listOf(
                ChannelConcern.AnchorReserve(6_000uL),
                ChannelConcern.ZeroConfRefused,
                ChannelConcern.TooManyPending(4u),
                ChannelConcern.OnionUnreachable,
                ChannelConcern.HostedUnsupported,
                ChannelConcern.PeerNotConnected,
                ChannelConcern.ConnectionLost,
                ChannelConcern.OtherVisibilityProposed,
                ChannelConcern.ProposalFailed(RAW),
            )

    /** All sentences that there are. */
    private fun all(sentences: Sentences): List<String> =
        errors.map(sentences::of) + concerns.map(sentences::of) +
            ChannelStep.entries.map(sentences::of) + ChannelRequestState.entries.map(sentences::of)

    @Test
    fun `no kind of error or concern is missing here`() {
        assertEquals(
            LnurlChannelException::class.java.permittedKinds(),
            errors.map { it.javaClass.simpleName }.toSet(),
        )
        assertEquals(
            ChannelConcern::class.java.permittedKinds(),
            concerns.map { it.javaClass.simpleName }.toSet(),
        )
    }

    @Test
    fun `each key has its sentence and each sentence its key`() {
        val asked = mutableSetOf<String>()
        val told = all(Sentences { key -> null.also { asked += key } })
        assertEquals(Sentences.keys.keys, asked)
        assertTrue(told.none { it.isBlank() || '%' in it }) { "$told" }
        assertFalse(told.any { RAW in it }, "text of a machine is in a sentence")
        assertTrue(told.any { "come back on Monday" in it } && told.any { "6000 sat" in it })
    }

    @Test
    fun `an app has its own words`() {
        val german = Sentences { key -> if (key == "lnurl_channel_concern_anchor_reserve") "%1\$s sat fehlen" else null }
        assertEquals("6000 sat fehlen", german.of(ChannelConcern.AnchorReserve(6_000uL)))
        assertEquals("The service said no.", german.of(LnurlChannelException.Refused(null)))
    }

    @Test
    fun `Android's resources are the same`() {
        val file = File("../../android/lib/src/main/res/values/strings.xml")
        val strings = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file)
            .getElementsByTagName("string")
        val texts = (0 until strings.length).associate {
            val string = strings.item(it)
            string.attributes.getNamedItem("name").nodeValue to string.textContent.replace("\\'", "'")
        }
        assertEquals(Sentences.keys, texts)
    }

    private fun Class<*>.permittedKinds(): Set<String> =
        declaredClasses.filter { superOf(it) }.map { it.simpleName }.toSet()

    private fun Class<*>.superOf(kind: Class<*>): Boolean = isAssignableFrom(kind)

    private companion object {
        const val RAW = "<html>os error 111</html>"
    }
}
