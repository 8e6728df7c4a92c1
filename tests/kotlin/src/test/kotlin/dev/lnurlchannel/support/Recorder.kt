package dev.lnurlchannel.support

import dev.lnurlchannel.ChannelListener
import dev.lnurlchannel.ChannelRequestSnapshot
import dev.lnurlchannel.ChannelStep
import java.util.concurrent.CopyOnWriteArrayList

/** What the listener was told, in order. */
class Recorder(private val onChange: (ChannelRequestSnapshot, ChannelStep) -> Unit = { _, _ -> }) : ChannelListener {
    data class Change(val request: ChannelRequestSnapshot, val step: ChannelStep)

    val changes = CopyOnWriteArrayList<Change>()

    fun of(requestId: String): List<Change> = changes.filter { it.request.requestId == requestId }

    override fun onRequestChanged(request: ChannelRequestSnapshot, step: ChannelStep) {
        changes += Change(request, step)
        onChange(request, step)
    }
}
