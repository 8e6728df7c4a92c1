package dev.lnurlchannel

import java.lang.ref.WeakReference
import kotlinx.coroutines.ExperimentalForInheritanceCoroutinesApi
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow

/**
 * What [ChannelClient.requests] lists, as a flow for a screen: newest first, always as it stands now.
 *
 * ```
 * val requests = ChannelRequests()
 * val client = ChannelClient(node, requests, config)
 * requests.follow(client)
 * ```
 * Empty until [follow] is called. A wallet that has a listener of its own calls [onRequestChanged] from
 * there.
 */
@OptIn(ExperimentalForInheritanceCoroutinesApi::class)
public class ChannelRequests private constructor(private val shown: MutableStateFlow<List<ChannelRequestSnapshot>>) :
    ChannelListener, StateFlow<List<ChannelRequestSnapshot>> by shown {

    public constructor() : this(MutableStateFlow(emptyList()))

    @Volatile
    private var client = WeakReference<ChannelClientInterface>(null)

    /** Shows the requests of [client], those of earlier runs at once. It does not keep the client. */
    public fun follow(client: ChannelClientInterface) {
        this.client = WeakReference(client)
        show(client)
    }

    /** For the library: every change comes here. */
    override fun onRequestChanged(request: ChannelRequestSnapshot, step: ChannelStep) {
        // Before `follow` nothing is lost: it reads all requests.
        client.get()?.let(::show)
    }

    /**
     * Reads the whole list again, instead of putting the change into it: the library keeps the order.
     *
     * One at a time, since changes of several requests come at once and a list that was read earlier
     * must not replace a later one.
     */
    @Synchronized
    private fun show(client: ChannelClientInterface) {
        shown.value = client.requests()
    }
}
