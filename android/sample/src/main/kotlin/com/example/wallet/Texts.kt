package com.example.wallet

import android.content.Context
import android.text.format.DateUtils
import dev.lnurlchannel.ChannelKind
import dev.lnurlchannel.ChannelOffer
import dev.lnurlchannel.ChannelRequestSnapshot
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.Sentences
import dev.lnurlchannel.socketAddress

/** A line of an offer, or of a channel, with its name. */
class Fact(val name: String, val value: String)

/** What the app says, in the user's language. */
class Texts(private val context: Context) {
    /** The library's, which the app's `strings.xml` overrides and translates. */
    val sentences = Sentences { key ->
        val id = context.resources.getIdentifier(key, "string", context.packageName)
        if (id == 0) null else context.getString(id)
    }

    fun title(request: ChannelRequestSnapshot): String {
        val isHosted = request.offer.kind == ChannelKind.HOSTED
        return when {
            request.state == ChannelRequestState.ARRIVED && isHosted -> context.getString(R.string.arrived_hosted_title)
            request.state != ChannelRequestState.OFFERED -> sentences.of(request.state)
            isHosted -> context.getString(R.string.offered_hosted_title)
            else -> context.getString(R.string.offered_title)
        }
    }

    fun offeredBy(offer: ChannelOffer): String =
        offer.service?.let { context.getString(R.string.by_service, it) } ?: context.getString(R.string.by_code)

    fun date(seconds: ULong): String {
        val flags = DateUtils.FORMAT_SHOW_DATE or DateUtils.FORMAT_SHOW_TIME or DateUtils.FORMAT_SHOW_YEAR or
            DateUtils.FORMAT_ABBREV_MONTH
        return DateUtils.formatDateTime(context, seconds.toLong() * 1000, flags)
    }

    /** What came of the request. */
    fun channel(request: ChannelRequestSnapshot): List<Fact> = listOfNotNull(
        request.channel?.capacitySat?.let { fact(R.string.amount, sat(it)) },
        request.channel?.pushMsat?.let { fact(R.string.yours, sat(it / 1000u)) },
        confirmations(request),
        request.hostedTerms?.let { fact(R.string.amount, sat(it.capacityMsat / 1000u)) },
        request.hostedTerms?.let { fact(R.string.yours, sat(it.initialClientBalanceMsat / 1000u)) },
        existing(request),
    )

    /** What a service or a host says of itself is shown as plain text: it may be a lie. */
    fun offer(offer: ChannelOffer): List<Fact> = listOfNotNull(
        fact(R.string.kind, context.getString(kind(offer.kind))),
        fact(R.string.service, offer.service ?: context.getString(R.string.service_none)),
        offer.answeredBy?.takeIf { it != offer.service }?.let { fact(R.string.answered_by, it) },
        offer.callbackHost?.takeIf { it != offer.service }?.let { fact(R.string.asked_at, it) },
        offer.alias?.let { fact(R.string.alias, it) },
        fact(R.string.peer, offer.peer.socketAddress),
        fact(R.string.node_id, offer.peer.nodeId),
    )

    private fun kind(kind: ChannelKind) = when (kind) {
        ChannelKind.FUNDED -> R.string.kind_funded
        ChannelKind.HOSTED -> R.string.kind_hosted
    }

    private fun confirmations(request: ChannelRequestSnapshot): Fact? {
        val required = request.channel?.confirmationsRequired ?: return null
        val now = request.channel?.confirmations ?: 0u
        return fact(R.string.confirmations, context.getString(R.string.confirmations_of, now.toInt(), required.toInt()))
    }

    private fun existing(request: ChannelRequestSnapshot): Fact? {
        val exists = request.state == ChannelRequestState.ARRIVED && request.offer.kind == ChannelKind.HOSTED &&
            request.hostedTerms == null
        return if (exists) fact(R.string.at_host, context.getString(R.string.hosted_exists)) else null
    }

    private fun sat(amount: ULong) = context.getString(R.string.sat, "%,d".format(amount.toLong()))

    private fun fact(name: Int, value: String) = Fact(context.getString(name), value)
}
