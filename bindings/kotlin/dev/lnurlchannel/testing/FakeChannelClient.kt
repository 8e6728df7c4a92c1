package dev.lnurlchannel.testing

import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelKind
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelRequest
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelRequestState.ARRIVED
import dev.lnurlchannel.ChannelRequestState.CANCELLED
import dev.lnurlchannel.ChannelRequestState.REFUSED
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.ChannelVerdict
import dev.lnurlchannel.IncomingChannel
import dev.lnurlchannel.Lnurl
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.NoHandle

/**
 * A [ChannelClient] for a wallet's own tests. Needs no native library.
 *
 * [offer] and [refuse] say what the next [fetch] calls lead to, in that order. A channel that is
 * reported arrives at the request that it would arrive at, by peer and age; whether it is announced
 * plays no part.
 *
 * `describe` and `socketAddress` are the native library's, on whatever object: tests with fakes do
 * without them.
 *
 * @param earlier requests from an earlier run.
 */
class FakeChannelClient(earlier: List<FakeChannelRequest> = emptyList()) : ChannelClient(NoHandle) {
    private val requests = earlier.toMutableList()
    private val answers = ArrayDeque<Result<FakeChannelRequest>>()
    private val scanned = mutableListOf<Lnurl>()
    private var peerChecks = 0
    private var shutDown = false

    /** Reads a custom message of a peer: the outcome that it is for the host's request, or none. */
    @Volatile
    var readPeerMessage: (messageType: UShort, payload: ByteArray) -> ChannelOutcome? = { _, _ -> null }

    /** What was fetched, in order. */
    val fetched: List<Lnurl> get() = synchronized(this) { scanned.toList() }

    /** How often [checkPeers] was called. */
    val checks: Int get() = synchronized(this) { peerChecks }

    /** A later [fetch] returns [request]. */
    fun offer(request: FakeChannelRequest = FakeChannelRequest()): FakeChannelRequest {
        synchronized(this) { answers += Result.success(request) }
        return request
    }

    /** A later [fetch] throws [error]. */
    fun refuse(error: LnurlChannelException) {
        synchronized(this) { answers += Result.failure(error) }
    }

    override suspend fun fetch(lnurl: Lnurl): ChannelRequest = synchronized(this) {
        if (shutDown) throw LnurlChannelException.Cancelled()
        scanned += lnurl
        val answer = checkNotNull(answers.removeFirstOrNull()) { "no offer is scripted for $lnurl" }
        answer.getOrThrow().also { if (it !in requests) requests += it }
    }

    override fun unfinishedRequests(): List<ChannelRequest> =
        synchronized(this) { requests.filter { it.isUnfinished } }

    override fun request(requestId: String): ChannelRequest? =
        synchronized(this) { requests.find { it.requestId() == requestId } }

    override fun reportIncomingChannel(channel: IncomingChannel): ChannelVerdict {
        val (verdict, tell) = synchronized(this) {
            if (shutDown) return ChannelVerdict.Unrequested
            ofPeer(channel.peerId).forEach(::arrivedAt)
            val verdict = known(channel) { judge(channel) }.verdict
            verdict to act(verdict, channel)
        }
        tell()
        return verdict
    }

    override fun reportChannelFailed(peerId: String, channelId: String): Unit = synchronized(this) {
        val failed = ofPeer(peerId).filter { id(peerId, channelId) in arrivedAt(it)?.ids.orEmpty() }
        failed.forEach { it.failChannel() }
    }

    override fun reportPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean {
        if (synchronized(this) { shutDown }) return false
        val awaiting = ofPeer(peerId).filter { it.offer().kind == ChannelKind.HOSTED && it.awaitsMessage }
        val request = awaiting.find { it.isRunning() } ?: awaiting.lastOrNull()
        val outcome = request?.let { readPeerMessage(messageType, payload) } ?: return false
        request.bring(outcome)()
        return true
    }

    override fun checkPeers() {
        synchronized(this) { peerChecks++ }
    }

    override suspend fun shutdown() {
        val all = synchronized(this) {
            shutDown = true
            requests.toList()
        }
        all.forEach { it.shutDown() }
    }

    private fun ofPeer(peerId: String) = synchronized(this) {
        requests.filter { it.offer().peer.nodeId.equals(peerId, ignoreCase = true) }
    }

    // What becomes of a channel, by the rules of the library (src/flow/matcher.rs).

    /** A channel, under all its ids. Nodes replay events: its verdict stays, whatever happens since. */
    private class Known(val verdict: ChannelVerdict) {
        val ids = mutableSetOf<String>()
    }

    private val channels = mutableListOf<Known>()

    private fun known(channel: IncomingChannel, judge: () -> ChannelVerdict): Known {
        // Today's id first: a former one that is told only later changes no verdict.
        val known = channel.ids.firstNotNullOfOrNull { id -> channels.find { id in it.ids } }
        return (known ?: Known(judge()).also { channels += it }).also { it.ids += channel.ids }
    }

    /** What the request has led to, also without a report: by a script, or in an earlier run. */
    private fun arrivedAt(request: FakeChannelRequest): Known? =
        request.channel?.let { known(it) { ChannelVerdict.Expected(request.requestId()) } }

    private fun judge(channel: IncomingChannel): ChannelVerdict {
        val asked = ofPeer(channel.peerId).filter { it.wasAsked && it.offer().kind == ChannelKind.FUNDED }
        fun oldest(state: ChannelRequestState) = asked.find { it.state() == state }?.requestId()

        val waiting = asked.find { it.isAwaiting }
        val proposed = asked.find { it.channel?.stage == ChannelStage.PROPOSED }
        val expecting = when (channel.stage) {
            ChannelStage.PROPOSED -> waiting ?: proposed
            ChannelStage.FUNDED -> proposed ?: waiting
        }
        // What the user cancelled since then is not taken for what an older request asked for.
        val sinceCancelled = asked.takeLastWhile { it.state() != CANCELLED }
        val expected = expecting ?: sinceCancelled.find { it.state() == REFUSED }
        return expected?.let { ChannelVerdict.Expected(it.requestId()) }
            ?: oldest(CANCELLED)?.let(ChannelVerdict::Unwanted)
            ?: oldest(ARRIVED)?.let(ChannelVerdict::Duplicate)
            ?: ChannelVerdict.Unrequested
    }

    /** What is expected arrives, or takes the place of what has. What it returns tells of it. */
    private fun act(verdict: ChannelVerdict, channel: IncomingChannel): () -> Unit {
        if (verdict !is ChannelVerdict.Expected) return {}
        val request = requests.first { it.requestId() == verdict.requestId }
        val arrived = request.channel ?: return request.bring(ChannelOutcome.Opening(channel))
        if (takesPlace(arrived, channel)) request.replace(channel)
        return {}
    }

    /** A proposal gives way to a later one, and to what is funded, which stays and grows up. */
    private fun takesPlace(arrived: IncomingChannel, channel: IncomingChannel): Boolean {
        fun place(of: IncomingChannel) = channels.indexOfFirst { known -> of.ids.any { it in known.ids } }
        return when {
            arrived.stage != channel.stage -> channel.stage == ChannelStage.FUNDED
            channel.stage == ChannelStage.FUNDED -> place(arrived) == place(channel)
            else -> place(arrived) <= place(channel)
        }
    }

    private val IncomingChannel.ids get() = listOfNotNull(channelId, formerChannelId).map { id(peerId, it) }

    private fun id(peerId: String, channelId: String) = "$peerId $channelId".lowercase()

    private val FakeChannelRequest.channel get() = (outcome() as? ChannelOutcome.Opening)?.channel
}
