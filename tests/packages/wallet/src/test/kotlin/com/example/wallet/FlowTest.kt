package com.example.wallet

import com.example.wallet.ChannelViewModel.Screen
import dev.lnurlchannel.ChannelRequestState
import java.io.File
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The wallet as it ships, on real nodes. */
class FlowTest {
    @Test
    fun `a scanned code becomes a channel that can be used`(@TempDir folder: File) = Testbed.use { info ->
        val testbed = Testbed.of(info)
        within { scope ->
            val model = startChannels(scope, TestbedLdk(testbed), testbed.config(folder))
            model.scanned(testbed.offer())
            model.screen.first { it is Screen.MayContact }
            model.answer(true)
            model.screen.first { it is Screen.MayAccept }
            model.answer(true)
            val arrived = model.screen.first { it is Screen.Arrived } as Screen.Arrived
            assertEquals(testbed.targetId, arrived.channel.peerId)
            while (model.requests.value.single().state != ChannelRequestState.READY) {
                // The funding transaction may come after some of the blocks.
                testbed.post("mine")
                delay(50.milliseconds)
            }
            assertEquals(1, testbed.callbacks())
        }
    }
}

/** A wallet's scope, for as long as a test may take. */
fun within(test: suspend (CoroutineScope) -> Unit): Unit = runBlocking(Dispatchers.Default) {
    withTimeout(LIMIT_SECONDS.seconds) {
        test(this)
        coroutineContext.cancelChildren()
    }
}
