package dev.lnurlchannel

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.SharedFlow
import kotlinx.coroutines.flow.asSharedFlow
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.map

/** An event, with the request that moved on. */
data class RequestEvent(val requestId: String, val event: ChannelEvent)

/**
 * A [WalletNode] whose events are a [Flow] as well.
 *
 * An event waits for the slowest collector, and the library waits for none. A collector that comes
 * late gets the last [replay] events first, and again if it collects again: an event is a step to
 * show, and [ChannelRequest.state] tells where a request stands.
 */
class ObservedWalletNode(private val node: WalletNode, replay: Int = 64) : WalletNode by node {
    private val observed = MutableSharedFlow<RequestEvent>(replay, extraBufferCapacity = Int.MAX_VALUE)

    /** The events of all requests; those of one request in order. It never completes. */
    val events: SharedFlow<RequestEvent> = observed.asSharedFlow()

    /** The events of one request, in order. It never completes. */
    fun eventsOf(requestId: String): Flow<ChannelEvent> =
        events.filter { it.requestId == requestId }.map { it.event }

    override fun onChannelEvent(requestId: String, event: ChannelEvent) {
        // There is always room: the buffer has no end.
        observed.tryEmit(RequestEvent(requestId, event))
        node.onChannelEvent(requestId, event)
    }
}
