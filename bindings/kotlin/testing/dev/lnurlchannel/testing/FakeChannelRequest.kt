package dev.lnurlchannel.testing

import dev.lnurlchannel.ChannelConcern
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelRequest
import dev.lnurlchannel.ChannelRequestSnapshot
import dev.lnurlchannel.ChannelStep
import dev.lnurlchannel.ChannelVisibility
import dev.lnurlchannel.IncomingChannel
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.NoHandle
import kotlin.time.Duration

/**
 * A [ChannelRequest] for a wallet's own tests. Needs no native library.
 *
 * It has no rules: a test says what each call leads to, and how the request stands.
 * ```
 * val request = FakeChannelRequest()
 * request.acceptReturns(fakeFunded(), after = 60.seconds)
 * request.becomes(request.snapshot().copy(state = ChannelRequestState.AWAITING), ChannelStep.AGREED)
 * ```
 * Of several answers to one method each call takes the next, and the last one stays. `after` passes as
 * [kotlinx.coroutines.delay] does: at once under `runTest`, and never if it is [Duration.INFINITE].
 */
public class FakeChannelRequest(snapshot: ChannelRequestSnapshot = fakeSnapshot()) : ChannelRequest(NoHandle) {
    private val lock = Any()
    private var snapshot = snapshot
    private val accept = Script<ChannelOutcome>("accept")
    private val askAgain = Script<ChannelOutcome>("askAgain")
    private val awaitReady = Script<IncomingChannel>("awaitReady")
    private val preflight = Script<List<ChannelConcern>>("preflight", emptyList())
    private val cancel = Script("cancel", Unit)
    private val dismiss = Script("dismiss", Unit)
    private val acceptCalls = mutableListOf<ChannelVisibility>()
    private val askAgainCalls = mutableListOf<ChannelVisibility>()
    private val preflightCalls = mutableListOf<ChannelVisibility>()
    private var awaitReadyCalls = 0
    private var pauseCalls = 0
    private var cancelCalls = 0
    private var dismissCalls = 0

    /** The client that tells of it; set by that client. */
    @Volatile
    internal var client: FakeChannelClient? = null

    // What the test says.

    /** A call to [accept] returns [outcome]. */
    public fun acceptReturns(outcome: ChannelOutcome, after: Duration = Duration.ZERO): Unit =
        accept.returns(outcome, after)

    /** A call to [accept] throws [error]. */
    public fun acceptThrows(error: LnurlChannelException, after: Duration = Duration.ZERO): Unit =
        accept.throws(error, after)

    /** A call to [askAgain] returns [outcome]. */
    public fun askAgainReturns(outcome: ChannelOutcome, after: Duration = Duration.ZERO): Unit =
        askAgain.returns(outcome, after)

    /** A call to [askAgain] throws [error]. */
    public fun askAgainThrows(error: LnurlChannelException, after: Duration = Duration.ZERO): Unit =
        askAgain.throws(error, after)

    /** A call to [awaitReady] returns [channel]. */
    public fun awaitReadyReturns(channel: IncomingChannel, after: Duration = Duration.ZERO): Unit =
        awaitReady.returns(channel, after)

    /** A call to [awaitReady] throws [error]. */
    public fun awaitReadyThrows(error: LnurlChannelException, after: Duration = Duration.ZERO): Unit =
        awaitReady.throws(error, after)

    /** A call to [preflight] returns [concerns]; without this, none. */
    public fun preflightReturns(concerns: List<ChannelConcern>, after: Duration = Duration.ZERO): Unit =
        preflight.returns(concerns, after)

    /** A call to [preflight] throws [error]. */
    public fun preflightThrows(error: LnurlChannelException, after: Duration = Duration.ZERO): Unit =
        preflight.throws(error, after)

    /** What [receipt] returns. */
    @Volatile
    public var receipt: String = "{}"

    /** A call to [cancel] throws [error]; without this it returns at once. */
    public fun cancelThrows(error: LnurlChannelException, after: Duration = Duration.ZERO): Unit =
        cancel.throws(error, after)

    /** A call to [dismiss] throws [error]; without this it returns at once. */
    public fun dismissThrows(error: LnurlChannelException, after: Duration = Duration.ZERO): Unit =
        dismiss.throws(error, after)

    /**
     * The request stands so from now on, with the next revision. Its client lists it, and tells the
     * listener in place, on this thread.
     */
    public fun becomes(snapshot: ChannelRequestSnapshot, step: ChannelStep = ChannelStep.CHANGED) {
        val next = synchronized(lock) {
            snapshot.copy(revision = this.snapshot.revision + 1u).also { this.snapshot = it }
        }
        client?.changed(this, next, step)
    }

    // What the wallet did.

    /** What each call to [accept] asked for. */
    public val accepts: List<ChannelVisibility> get() = synchronized(lock) { acceptCalls.toList() }

    /** What each call to [askAgain] asked for. */
    public val asksAgain: List<ChannelVisibility> get() = synchronized(lock) { askAgainCalls.toList() }

    /** What each call to [preflight] was for. */
    public val preflights: List<ChannelVisibility> get() = synchronized(lock) { preflightCalls.toList() }

    /** How often [awaitReady] was called. */
    public val awaitsReady: Int get() = synchronized(lock) { awaitReadyCalls }

    /** How often [pause] was called. */
    public val pauses: Int get() = synchronized(lock) { pauseCalls }

    /** How often [cancel] was called. */
    public val cancels: Int get() = synchronized(lock) { cancelCalls }

    /** How often [dismiss] was called. */
    public val dismissals: Int get() = synchronized(lock) { dismissCalls }

    // The request itself.

    override fun requestId(): String = snapshot().requestId

    override fun snapshot(): ChannelRequestSnapshot = synchronized(lock) { snapshot }

    override suspend fun accept(visibility: ChannelVisibility): ChannelOutcome {
        synchronized(lock) { acceptCalls += visibility }
        return accept.playInTime()
    }

    override suspend fun askAgain(visibility: ChannelVisibility): ChannelOutcome {
        synchronized(lock) { askAgainCalls += visibility }
        return askAgain.playInTime()
    }

    override suspend fun awaitReady(): IncomingChannel {
        synchronized(lock) { awaitReadyCalls++ }
        return awaitReady.playInTime()
    }

    override suspend fun preflight(visibility: ChannelVisibility): List<ChannelConcern> {
        synchronized(lock) { preflightCalls += visibility }
        return preflight.playInTime()
    }

    override fun receipt(): String = receipt

    override fun pause(): Unit = synchronized(lock) { pauseCalls++ }

    override suspend fun cancel() {
        synchronized(lock) { cancelCalls++ }
        cancel.playInTime()
    }

    override suspend fun dismiss() {
        synchronized(lock) { dismissCalls++ }
        dismiss.playInTime()
    }

    override fun toString(): String = snapshot().run { "FakeChannelRequest($requestId, $state)" }
}
