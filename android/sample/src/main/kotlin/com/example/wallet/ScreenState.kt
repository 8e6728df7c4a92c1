package com.example.wallet

import dev.lnurlchannel.ChannelConcern
import dev.lnurlchannel.ChannelRequestSnapshot
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelStep
import dev.lnurlchannel.ChannelVisibility
import dev.lnurlchannel.LnurlChannelException

/** What the screen shows. Values, and no text: the views say it in the user's language. */
data class ScreenState(
    val page: Page = Page.Home(),
    /** Why the last thing that the user did on this page failed. */
    val problem: LnurlChannelException? = null,
)

sealed interface Page {
    /** Where a code is scanned or pasted, and the list of all requests. */
    data class Home(
        val underWay: List<ChannelRequestSnapshot> = emptyList(),
        val earlier: List<ChannelRequestSnapshot> = emptyList(),
    ) : Page

    /** A code was read. Nothing is fetched before the user has agreed to its host. */
    data class Consent(val authority: String, val isOnion: Boolean, val isFetching: Boolean) : Page

    /** One request, from its offer to its end. */
    data class Request(
        val request: ChannelRequestSnapshot,
        /** What has happened in this run of the app. */
        val steps: List<ChannelStep>,
        /** Before the user accepts, what the node says; afterwards, what stands in the way. */
        val concerns: List<ChannelConcern>,
        val visibility: ChannelVisibility,
    ) : Page {
        val actions: List<Action> = actionsFor(request)
    }
}

/** What the user can do with a request. */
enum class Action(val isPrimary: Boolean = false) {
    ACCEPT(isPrimary = true),
    TURN_DOWN,
    WAIT_ON(isPrimary = true),
    ASK_AGAIN,
    PAUSE,
    CANCEL,
    DISMISS(isPrimary = true),
}

/** In the order of the buttons. */
private fun actionsFor(request: ChannelRequestSnapshot): List<Action> = when (request.state) {
    ChannelRequestState.ARRIVED, ChannelRequestState.READY,
    ChannelRequestState.REFUSED, ChannelRequestState.CANCELLED ->
        if (request.isDismissed) emptyList() else listOf(Action.DISMISS)
    else -> if (request.isRunning) listOf(Action.PAUSE, Action.CANCEL) else when (request.state) {
        ChannelRequestState.OFFERED -> listOf(Action.ACCEPT, Action.TURN_DOWN)
        ChannelRequestState.AWAITING, ChannelRequestState.OUTCOME_UNKNOWN ->
            listOf(Action.WAIT_ON, Action.ASK_AGAIN, Action.CANCEL)
        else -> listOf(Action.WAIT_ON, Action.CANCEL)
    }
}
