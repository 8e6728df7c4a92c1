package dev.lnurlchannel

import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/** Whether the channel was asked for and has not come: `accept` waits on, and asks nobody. */
public val ChannelRequestSnapshot.awaitsChannel: Boolean
    get() = state == ChannelRequestState.AWAITING ||
        state == ChannelRequestState.OUTCOME_UNKNOWN ||
        state == ChannelRequestState.OPENING

/** Whether the channel has come and cannot be used yet: `awaitReady` keeps its peer connected. */
public val ChannelRequestSnapshot.awaitsReady: Boolean
    get() = state == ChannelRequestState.ARRIVED && offer.kind == ChannelKind.FUNDED

/** Whether the wallet may not have taken the message of a hosted channel: `accept` returns it at once. */
private val ChannelRequestSnapshot.isHostedArrival: Boolean
    get() = state == ChannelRequestState.ARRIVED && offer.kind == ChannelKind.HOSTED && !isDismissed

/** Whether the channel may be awaited soon: a call that is about to ask for it runs. */
private val ChannelRequestSnapshot.isAsking: Boolean
    get() = isRunning && (state == ChannelRequestState.CONNECTING || state == ChannelRequestState.REQUESTING)

/**
 * Goes on with all that waits, while the app is in the foreground: with [ChannelRequest.accept] for a channel
 * that has not come, then with [ChannelRequest.awaitReady] until it can be used. It also tells of the hosted
 * channels that have come: the app may have been killed before it took the message. Nobody is asked anything.
 *
 * For the start of the app, and for its return to the foreground. It returns when nothing waits any more; to
 * confirm a channel can take hours. What a call ends with, the request's snapshot shows. Cancelling it
 * ends its waits, and pauses the requests for which nobody else waits. It may be called on the main thread.
 *
 * @param isInForeground asked before it awaits that a channel can be used, for an app that leaves the
 *   foreground and lets the other waits go on.
 * @param onOutcome a channel has come. Of a hosted one the message is in its outcome, and it is told again each
 *   time, until the request is dismissed. Whoever waits for the same channel by `accept` is told too.
 */
public suspend fun ChannelClientInterface.goOn(
    isInForeground: () -> Boolean = { true },
    onOutcome: suspend (ChannelRequest, ChannelOutcome) -> Unit = { _, _ -> },
): Unit = coroutineScope {
    launchPeerCheck(this@goOn)
    waitForAll(isInForeground, onOutcome)
}

/**
 * Goes on with the channels that have not come, for as long as a phone lets an app work in the background, and
 * tells of hosted ones that have. Nobody is asked anything, and nothing is kept connected until it is ready.
 *
 * After [limit], or when nothing waits any more, it ends its waits, which pauses the requests for which
 * nobody else waits, and returns how long to leave until the next time: null if no channel is awaited.
 * Cancelling it, as in `JobService.onStopJob`, ends its waits too.
 *
 * @param onOutcome a channel has come. Of a hosted one the message is in its outcome, and it is told again each
 *   time, until the request is dismissed. Whoever waits for the same channel by `accept` is told too.
 */
public suspend fun ChannelClientInterface.goOnInBackground(
    limit: Duration = 25.seconds,
    onOutcome: suspend (ChannelRequest, ChannelOutcome) -> Unit = { _, _ -> },
): Duration? = coroutineScope {
    launchPeerCheck(this@goOnInBackground)
    withTimeoutOrNull(limit) { waitForAll({ false }, onOutcome) }
    comeBackIn()
}

/**
 * How long to leave until the next [goOnInBackground]: null if no channel is awaited and none is being asked for.
 *
 * A quarter of the time since the newest awaited channel was offered, at least 15 minutes, which is also
 * the least of Android's jobs, and at most 12 hours.
 */
public fun ChannelClientInterface.comeBackIn(): Duration? = comeBackIn(System.currentTimeMillis() / 1000)

internal fun ChannelClientInterface.comeBackIn(nowSeconds: Long): Duration? {
    val awaited = requests().filter { it.awaitsChannel || it.isAsking }
    val newest = awaited.maxOfOrNull { it.createdAtSeconds.toLong() } ?: return null
    return ((nowSeconds - newest).seconds / 4).coerceIn(15.minutes, 12.hours)
}

/**
 * Pauses every call that runs, whoever waits for it: for when the system is about to stop the app. Each ends
 * with [LnurlChannelException.Cancelled], or is ready by then.
 *
 * It may write to the disk. [goOn] goes on.
 *
 * @param isMeant which of them, such as those that [awaitsReady] when the app leaves the foreground.
 */
public fun ChannelClientInterface.pauseAll(isMeant: (ChannelRequestSnapshot) -> Boolean = { true }): Unit =
    requests().filter { it.isRunning && isMeant(it) }.forEach { request(it.requestId)?.pause() }

/** Beside the waits: it may wait for the disk, and the app may go on from its main thread. */
private fun CoroutineScope.launchPeerCheck(client: ChannelClientInterface) =
    launch(Dispatchers.IO) { client.checkPeers() }

private suspend fun ChannelClientInterface.waitForAll(
    isInForeground: () -> Boolean,
    onOutcome: suspend (ChannelRequest, ChannelOutcome) -> Unit,
) = coroutineScope {
    for (snapshot in requests()) {
        val takesOutcome = snapshot.awaitsChannel || snapshot.isHostedArrival
        if (!takesOutcome && !(snapshot.awaitsReady && isInForeground())) continue
        val request = request(snapshot.requestId) ?: continue
        launch { waitFor(request, takesOutcome, isInForeground, onOutcome) }
    }
}

/** @param takesOutcome as it stood when it was listed: a channel that came since then is told too. */
private suspend fun waitFor(
    request: ChannelRequest,
    takesOutcome: Boolean,
    isInForeground: () -> Boolean,
    onOutcome: suspend (ChannelRequest, ChannelOutcome) -> Unit,
) {
    if (takesOutcome) {
        val outcome = orNull { request.accept() } ?: return
        onOutcome(request, outcome)
    }
    if (isInForeground() && request.snapshot().awaitsReady) orNull { request.awaitReady() }
}

/** None if the call fails: the request's snapshot says why. */
private suspend fun <T : Any> orNull(call: suspend () -> T): T? = try {
    call()
} catch (_: LnurlChannelException) {
    null
}
