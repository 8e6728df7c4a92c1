package com.example.wallet

import android.os.Looper
import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelRequest
import dev.lnurlchannel.ChannelVisibility
import dev.lnurlchannel.IncomingChannel
import dev.lnurlchannel.Lnurl
import dev.lnurlchannel.NoHandle
import java.util.concurrent.ConcurrentHashMap
import kotlin.coroutines.intrinsics.startCoroutineUninterceptedOrReturn
import kotlin.coroutines.intrinsics.suspendCoroutineUninterceptedOrReturn

/** How long calls held the thread that made them. Those that suspend hold it until they do. */
class Times {
    class Call(val count: Int, val longestMs: Long)

    private val main = ConcurrentHashMap<String, Call>()
    private val others = ConcurrentHashMap<String, Call>()

    val onMain: Map<String, Call> get() = main
    val elsewhere: Map<String, Call> get() = others

    fun <T> take(name: String, call: () -> T): T {
        val calls = if (Looper.getMainLooper().isCurrentThread) main else others
        val start = System.nanoTime()
        try {
            return call()
        } finally {
            val took = (System.nanoTime() - start) / 1_000_000
            calls.merge(name, Call(1, took), ::plus)
        }
    }

    private fun plus(one: Call, other: Call) = Call(one.count + other.count, maxOf(one.longestMs, other.longestMs))

    suspend fun <T> takeUntilSuspended(name: String, call: suspend () -> T): T =
        suspendCoroutineUninterceptedOrReturn { take(name) { call.startCoroutineUninterceptedOrReturn(it) } }
}

/** A client that passes all calls on, and notes how long each held its thread. */
class TimedClient(private val real: ChannelClient, private val times: Times) : ChannelClient(NoHandle) {
    override suspend fun fetch(lnurl: Lnurl) =
        TimedRequest(times.takeUntilSuspended("fetch") { real.fetch(lnurl) }, times)
    override fun takeAnswer(lnurl: Lnurl, answer: String) = times.take("takeAnswer") { real.takeAnswer(lnurl, answer) }
    override fun requests() = times.take("requests") { real.requests() }
    override fun request(requestId: String) =
        times.take("request") { real.request(requestId) }?.let { TimedRequest(it, times) }
    override fun reportIncomingChannel(channel: IncomingChannel) =
        times.take("reportIncomingChannel") { real.reportIncomingChannel(channel) }
    override fun reportChannelClosed(peerId: String, channelId: String?, reason: String?) =
        times.take("reportChannelClosed") { real.reportChannelClosed(peerId, channelId, reason) }
    override fun reportPeerConnection(peerId: String, isConnected: Boolean) =
        times.take("reportPeerConnection") { real.reportPeerConnection(peerId, isConnected) }
    override fun reportPeerMessage(peerId: String, messageType: UShort, payload: ByteArray) =
        times.take("reportPeerMessage") { real.reportPeerMessage(peerId, messageType, payload) }
    override fun checkPeers() = times.take("checkPeers") { real.checkPeers() }
    override suspend fun shutdown() = real.shutdown()
}

class TimedRequest(private val real: ChannelRequest, private val times: Times) : ChannelRequest(NoHandle) {
    override fun requestId() = times.take("requestId") { real.requestId() }
    override fun snapshot() = times.take("snapshot") { real.snapshot() }
    override fun receipt() = times.take("receipt") { real.receipt() }
    override fun pause() = times.take("pause") { real.pause() }
    override suspend fun preflight(visibility: ChannelVisibility) =
        times.takeUntilSuspended("preflight") { real.preflight(visibility) }
    override suspend fun accept(visibility: ChannelVisibility) =
        times.takeUntilSuspended("accept") { real.accept(visibility) }
    override suspend fun askAgain(visibility: ChannelVisibility) =
        times.takeUntilSuspended("askAgain") { real.askAgain(visibility) }
    override suspend fun awaitReady() = times.takeUntilSuspended("awaitReady") { real.awaitReady() }
    override suspend fun cancel() = times.takeUntilSuspended("cancel") { real.cancel() }
    override suspend fun dismiss() = times.takeUntilSuspended("dismiss") { real.dismiss() }
}
