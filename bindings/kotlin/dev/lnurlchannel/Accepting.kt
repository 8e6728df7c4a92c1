package dev.lnurlchannel

import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext

/**
 * [ChannelRequest.accept], paused when the coroutine is cancelled.
 *
 * A coroutine that was cancelled before does not begin at all: the request stays as it was. One
 * that is cancelled midway throws once the pause is stored, so that whoever catches the
 * cancellation may read [ChannelRequest.state]; [resumeOrPause], or this again in
 * [ChannelRequestState.CONNECTING], goes on. Storing is disk work, and done in [context].
 *
 * What had arrived by then is returned all the same: the library may count it as told already.
 */
suspend fun ChannelRequestInterface.acceptOrPause(
    visibility: ChannelVisibility = ChannelVisibility.UNANNOUNCED,
    context: CoroutineContext = Dispatchers.IO,
): ChannelOutcome = orPause(context) { accept(visibility) }

/**
 * [ChannelRequest.resume], paused when the coroutine is cancelled, unless others wait for the same
 * call. As [acceptOrPause] in all else.
 */
suspend fun ChannelRequestInterface.resumeOrPause(
    context: CoroutineContext = Dispatchers.IO,
): ChannelOutcome = orPause(context) { resume() }

private suspend fun ChannelRequestInterface.orPause(
    context: CoroutineContext,
    call: suspend () -> ChannelOutcome,
): ChannelOutcome {
    currentCoroutineContext().ensureActive()
    return try {
        // In there the call also ends: the caller's thread, often the main one, stores nothing.
        withContext(context) { call() }
    } catch (cancellation: CancellationException) {
        arrived() ?: throw cancellation
    }
}

private fun ChannelRequestInterface.arrived(): ChannelOutcome? =
    try {
        outcome()
    } catch (_: IllegalStateException) {
        // Closed since: nobody asks any more.
        null
    }
