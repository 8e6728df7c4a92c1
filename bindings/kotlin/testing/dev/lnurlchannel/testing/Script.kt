package dev.lnurlchannel.testing

import kotlin.time.Duration
import kotlinx.coroutines.delay

/**
 * What the calls to one method lead to, in the order of the test. The last answer stays.
 *
 * @param unsaid what a call leads to of which the test says nothing; without it, the call fails.
 */
internal class Script<T>(private val method: String, private val unsaid: T? = null) {
    private class Answer<T>(val result: Result<T>, val after: Duration)

    private val answers = ArrayDeque<Answer<T>>()

    fun returns(value: T, after: Duration = Duration.ZERO) = add(Answer(Result.success(value), after))

    fun throws(error: Exception, after: Duration = Duration.ZERO) = add(Answer(Result.failure(error), after))

    /** For methods that do not suspend: without the delay. */
    fun play(): T = next().result.getOrThrow()

    /** In virtual time under a test's dispatcher. */
    suspend fun playInTime(): T {
        val answer = next()
        delay(answer.after)
        return answer.result.getOrThrow()
    }

    private fun add(answer: Answer<T>): Unit = synchronized(answers) { answers += answer }

    private fun next(): Answer<T> = synchronized(answers) {
        when (answers.size) {
            0 -> {
                val value = checkNotNull(unsaid) { "the test does not say what $method does" }
                Answer(Result.success(value), Duration.ZERO)
            }
            1 -> answers.first()
            else -> answers.removeFirst()
        }
    }
}
