package dev.lnurlchannel.testing

import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelListener
import dev.lnurlchannel.ChannelRequest
import dev.lnurlchannel.ChannelRequestSnapshot
import dev.lnurlchannel.ChannelStep
import dev.lnurlchannel.ChannelVerdict
import dev.lnurlchannel.IncomingChannel
import dev.lnurlchannel.Lnurl
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.NoHandle
import kotlin.time.Duration

/**
 * A [ChannelClient] for a wallet's own tests. Needs no native library.
 *
 * It has no rules: a test says what each call leads to, what a channel is, and, with
 * [FakeChannelRequest.becomes], how requests move on. Of several answers to one method each call takes
 * the next, and the last one stays.
 *
 * @param requests what [requests] lists at first, as from an earlier run.
 * @param listener hears what requests become.
 */
public class FakeChannelClient(
    requests: List<FakeChannelRequest> = emptyList(),
    private val listener: ChannelListener? = null,
) : ChannelClient(NoHandle) {
    /** What a wallet reported with [reportChannelClosed]. */
    public data class Closing(val peerId: String, val channelId: String?, val reason: String?)

    /** What a wallet reported with [reportPeerConnection]. */
    public data class Connection(val peerId: String, val isConnected: Boolean)

    /** What a wallet reported with [reportPeerMessage]. */
    public class Message(public val peerId: String, public val messageType: UShort, public val payload: ByteArray)

    private val lock = Any()
    private val known = requests.toMutableSet()
    private val listed = requests.toMutableList()
    private val fetch = Script<FakeChannelRequest>("fetch")
    private val takeAnswer = Script<FakeChannelRequest>("takeAnswer")
    private val verdict = Script<ChannelVerdict>("reportIncomingChannel", ChannelVerdict.Unrequested)
    private val isTaken = Script("reportPeerMessage", false)
    private val fetchCalls = mutableListOf<Lnurl>()
    private val answers = mutableListOf<String>()
    private val channels = mutableListOf<IncomingChannel>()
    private val closings = mutableListOf<Closing>()
    private val connections = mutableListOf<Connection>()
    private val messages = mutableListOf<Message>()
    private var peerCheckCalls = 0
    private var isDown = false

    init {
        requests.forEach { it.client = this }
    }

    // What the test says.

    /** A call to [fetch] returns [request]. */
    public fun fetchReturns(
        request: FakeChannelRequest = FakeChannelRequest(),
        after: Duration = Duration.ZERO,
    ): FakeChannelRequest = request.also { fetch.returns(it, after) }

    /** A call to [fetch] throws [error]. */
    public fun fetchThrows(error: LnurlChannelException, after: Duration = Duration.ZERO): Unit =
        fetch.throws(error, after)

    /** A call to [takeAnswer] returns [request]. */
    public fun takeAnswerReturns(request: FakeChannelRequest = FakeChannelRequest()): FakeChannelRequest =
        request.also { takeAnswer.returns(it) }

    /** A call to [takeAnswer] throws [error]. */
    public fun takeAnswerThrows(error: LnurlChannelException): Unit = takeAnswer.throws(error)

    /** A call to [reportIncomingChannel] returns [verdict]; without this it is `Unrequested`. */
    public fun judges(verdict: ChannelVerdict): Unit = this.verdict.returns(verdict)

    /** A call to [reportPeerMessage] returns [isTaken]; without this it is false. */
    public fun reportPeerMessageReturns(isTaken: Boolean): Unit = this.isTaken.returns(isTaken)

    // What the wallet did.

    /** What each call to [fetch] fetched from. */
    public val fetched: List<Lnurl> get() = synchronized(lock) { fetchCalls.toList() }

    /** The answer of each call to [takeAnswer]. */
    public val takenAnswers: List<String> get() = synchronized(lock) { answers.toList() }

    /** What each call to [reportIncomingChannel] reported. */
    public val reportedChannels: List<IncomingChannel> get() = synchronized(lock) { channels.toList() }

    /** What each call to [reportChannelClosed] reported. */
    public val reportedClosings: List<Closing> get() = synchronized(lock) { closings.toList() }

    /** What each call to [reportPeerConnection] reported. */
    public val reportedConnections: List<Connection> get() = synchronized(lock) { connections.toList() }

    /** What each call to [reportPeerMessage] reported. */
    public val reportedMessages: List<Message> get() = synchronized(lock) { messages.toList() }

    /** How often [checkPeers] was called. */
    public val peerChecks: Int get() = synchronized(lock) { peerCheckCalls }

    /** Whether [shutdown] was called. */
    public val isShutDown: Boolean get() = synchronized(lock) { isDown }

    // The client itself.

    override suspend fun fetch(lnurl: Lnurl): ChannelRequest {
        synchronized(lock) { fetchCalls += lnurl }
        return know(fetch.playInTime())
    }

    override fun takeAnswer(lnurl: Lnurl, answer: String): ChannelRequest {
        synchronized(lock) { answers += answer }
        return know(takeAnswer.play())
    }

    override fun requests(): List<ChannelRequestSnapshot> =
        synchronized(lock) { listed.toList() }.map { it.snapshot() }

    override fun request(requestId: String): ChannelRequest? =
        synchronized(lock) { known.toList() }.find { it.requestId() == requestId }

    override fun reportIncomingChannel(channel: IncomingChannel): ChannelVerdict {
        synchronized(lock) { channels += channel }
        return verdict.play()
    }

    override fun reportChannelClosed(peerId: String, channelId: String?, reason: String?) {
        synchronized(lock) { closings += Closing(peerId, channelId, reason) }
    }

    override fun reportPeerConnection(peerId: String, isConnected: Boolean) {
        synchronized(lock) { connections += Connection(peerId, isConnected) }
    }

    override fun reportPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean {
        synchronized(lock) { messages += Message(peerId, messageType, payload) }
        return isTaken.play()
    }

    override fun checkPeers() {
        synchronized(lock) { peerCheckCalls++ }
    }

    override suspend fun shutdown() {
        synchronized(lock) { isDown = true }
    }

    private fun know(request: FakeChannelRequest): FakeChannelRequest {
        synchronized(lock) { known += request }
        request.client = this
        return request
    }

    internal fun changed(request: FakeChannelRequest, snapshot: ChannelRequestSnapshot, step: ChannelStep) {
        synchronized(lock) { if (request !in listed) listed.add(0, request) }
        listener?.onRequestChanged(snapshot, step)
    }
}
