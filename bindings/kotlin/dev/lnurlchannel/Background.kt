package dev.lnurlchannel

import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/** Whether the channel was asked for and has not come: `accept` waits on, and asks nobody. */
val ChannelRequestSnapshot.awaitsChannel: Boolean
    get() = state == ChannelRequestState.AWAITING ||
        state == ChannelRequestState.OUTCOME_UNKNOWN ||
        state == ChannelRequestState.OPENING

/** Whether the channel has come and cannot be used yet: `awaitReady` keeps its peer connected. */
val ChannelRequestSnapshot.awaitsReady: Boolean
    get() = state == ChannelRequestState.ARRIVED && offer.kind == ChannelKind.FUNDED

/**
 * Goes on with all that waits, while the app is in the foreground: with [ChannelRequest.accept] for a channel
 * that has not come, then with [ChannelRequest.awaitReady] until it can be used. Nobody is asked anything.
 *
 * For the start of the app, and for its return to the foreground. It returns when nothing waits any more; to
 * confirm a channel can take hours. What a call ends with, the request's snapshot shows. Cancelling it
 * ends its waits, and pauses the requests for which nobody else waits.
 *
 * @param onOutcome a channel has come; the message of a hosted one is in its outcome.
 */
suspend fun ChannelClientInterface.goOn(
    onOutcome: suspend (ChannelRequest, ChannelOutcome) -> Unit = { _, _ -> },
) {
    checkPeers()
    waitForAll(inForeground = true, onOutcome)
}

/**
 * Goes on with the channels that have not come, for as long as a phone lets an app work in the background.
 * Nobody is asked anything, and nothing is kept connected until it is ready.
 *
 * After [limit], or when nothing waits any more, it ends its waits, which pauses the requests for which
 * nobody else waits, and returns how long to leave until the next time: null if no channel is awaited.
 * Cancelling it, as in `JobService.onStopJob`, ends its waits too.
 *
 * @param onOutcome a channel has come; the message of a hosted one is in its outcome.
 */
suspend fun ChannelClientInterface.goOnInBackground(
    limit: Duration = 25.seconds,
    onOutcome: suspend (ChannelRequest, ChannelOutcome) -> Unit = { _, _ -> },
): Duration? {
    checkPeers()
    withTimeoutOrNull(limit) { waitForAll(inForeground = false, onOutcome) }
    return comeBackIn()
}

/**
 * How long to leave until the next [goOnInBackground]: null if no channel is awaited.
 *
 * A quarter of the time since the newest awaited channel was offered, at least 15 minutes, which is also
 * the least of Android's jobs, and at most 12 hours.
 */
fun ChannelClientInterface.comeBackIn(): Duration? = comeBackIn(System.currentTimeMillis() / 1000)

internal fun ChannelClientInterface.comeBackIn(nowSeconds: Long): Duration? {
    val newest = requests().filter { it.awaitsChannel }.maxOfOrNull { it.createdAtSeconds.toLong() } ?: return null
    return ((nowSeconds - newest).seconds / 4).coerceIn(15.minutes, 12.hours)
}

/**
 * Pauses every call that runs, whoever waits for it: for when the system is about to stop the app. Each ends
 * with [LnurlChannelException.Cancelled], or is ready by then.
 *
 * It may write to the disk. [goOn] goes on.
 */
fun ChannelClientInterface.pauseAll() =
    requests().filter { it.isRunning }.forEach { request(it.requestId)?.pause() }

private suspend fun ChannelClientInterface.waitForAll(
    inForeground: Boolean,
    onOutcome: suspend (ChannelRequest, ChannelOutcome) -> Unit,
) = coroutineScope {
    for (snapshot in requests()) {
        if (!snapshot.awaitsChannel && !(inForeground && snapshot.awaitsReady)) continue
        val request = request(snapshot.requestId) ?: continue
        launch { waitFor(request, inForeground, onOutcome) }
    }
}

private suspend fun waitFor(
    request: ChannelRequest,
    inForeground: Boolean,
    onOutcome: suspend (ChannelRequest, ChannelOutcome) -> Unit,
) {
    if (request.snapshot().awaitsChannel) {
        val outcome = orNull { request.accept() } ?: return
        onOutcome(request, outcome)
    }
    if (inForeground && request.snapshot().awaitsReady) orNull { request.awaitReady() }
}

/** None if the call fails: the request's snapshot says why. */
private suspend fun <T : Any> orNull(call: suspend () -> T): T? = try {
    call()
} catch (_: LnurlChannelException) {
    null
}
