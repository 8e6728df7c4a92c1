package dev.lnurlchannel.interop

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.DurationUnit
import kotlin.time.TimeSource
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull

private val BEGAN = TimeSource.Monotonic.markNow()
private val TEST_LIMIT = 180.seconds
private val LIMIT = 60.seconds

/** Between two questions to a node that does not tell by itself. */
val POLL: Duration = 100.milliseconds

/** What a row has proved, one line each, as it proves it. */
fun say(proof: String) = println("%7.2f s  %s".format(BEGAN.elapsedNow().toDouble(DurationUnit.SECONDS), proof))

/** Runs a test's coroutines on threads, for no longer than any test may take. */
fun timed(test: suspend CoroutineScope.() -> Unit) = runBlocking(Dispatchers.Default) { withTimeout(TEST_LIMIT, test) }

/** Waits for what nothing tells of. */
suspend fun waitUntil(what: String, limit: Duration = LIMIT, holds: () -> Boolean) {
    withTimeoutOrNull(limit) {
        while (!holds()) delay(POLL)
    } ?: throw AssertionError("in vain: $what")
}
