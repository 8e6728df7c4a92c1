package dev.lnurlchannel.testing

import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelKind
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelRequest
import dev.lnurlchannel.ChannelRequestState.ARRIVED
import dev.lnurlchannel.ChannelRequestState.CANCELLED
import dev.lnurlchannel.ChannelRequestState.DECLINED
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
 * reported arrives at the request that it would arrive at, by peer and age.
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
        val asked = ofPeer(channel.peerId).filter { it.wasAsked && it.offer().kind == ChannelKind.FUNDED }
        val waiting = asked.filterNot { it.state() in setOf(ARRIVED, CANCELLED, DECLINED) }
        waiting.firstOrNull()?.let {
            it.arrive(ChannelOutcome.Opening(channel))
            return ChannelVerdict.Expected(it.requestId())
        }
        val last = asked.lastOrNull() ?: return ChannelVerdict.Unrequested
        return when (last.state()) {
            CANCELLED -> ChannelVerdict.Unwanted(last.requestId())
            ARRIVED ->
                if (last.holdsAnother(channel)) ChannelVerdict.Duplicate(last.requestId())
                else ChannelVerdict.Expected(last.requestId())
            else -> ChannelVerdict.Unrequested
        }
    }

    override fun reportChannelFailed(peerId: String, channelId: String) {
        ofPeer(peerId).filter { it.channel?.channelId == channelId }.forEach { it.failChannel() }
    }

    override fun reportPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean {
        val awaiting = ofPeer(peerId).filter { it.offer().kind == ChannelKind.HOSTED && it.isAwaiting }
        // A host answers on the connection that it was asked on.
        val request = awaiting.find { it.isRunning() } ?: awaiting.lastOrNull()
        val outcome = request?.let { readPeerMessage(messageType, payload) } ?: return false
        request.arrive(outcome)
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

    private val FakeChannelRequest.channel get() = (outcome() as? ChannelOutcome.Opening)?.channel

    private fun FakeChannelRequest.holdsAnother(channel: IncomingChannel): Boolean {
        val held = this.channel ?: return false
        return held.stage == ChannelStage.FUNDED && held.channelId != channel.channelId &&
            held.channelId != channel.formerChannelId
    }
}
