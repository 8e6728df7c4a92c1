package com.example.wallet

import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.EditText
import android.widget.TextView
import dev.lnurlchannel.ChannelRequestSnapshot
import dev.lnurlchannel.LnurlChannelException

/** Where a code is scanned or pasted, and the list of requests. */
class HomePage(val view: View, private val screen: ChannelScreen, private val texts: Texts) {
    val code: EditText = view.find(R.id.code)
    private val problem: TextView = view.find(R.id.home_problem)

    init {
        view.find<View>(R.id.open).setOnClickListener { screen.open(code.text.toString()) }
    }

    fun render(page: Page.Home, error: LnurlChannelException?) {
        problem.show(error?.let(texts.sentences::of))
        show(page.underWay, view.find(R.id.under_way_heading), view.find(R.id.under_way))
        show(page.earlier, view.find(R.id.earlier_heading), view.find(R.id.earlier))
    }

    private fun show(requests: List<ChannelRequestSnapshot>, heading: View, list: ViewGroup) {
        heading.isVisible = requests.isNotEmpty()
        list.fill(requests, R.layout.row) { row, request ->
            row.find<TextView>(R.id.row_title).text = request.offer.run { service ?: alias ?: peer.host }
            row.find<TextView>(R.id.row_state).text = texts.title(request)
            row.find<TextView>(R.id.row_date).text = texts.date(request.createdAtSeconds)
            row.setOnClickListener { screen.open(request) }
        }
    }
}

/** Nothing is sent before the user agrees here. */
class ConsentPage(val view: View, private val screen: ChannelScreen, private val texts: Texts) {
    private val title: TextView = view.find(R.id.consent_title)
    private val problem: TextView = view.find(R.id.consent_problem)
    private val fetch: Button = view.find(R.id.fetch)

    init {
        fetch.setOnClickListener { screen.fetch() }
        view.find<View>(R.id.not_now).setOnClickListener { screen.goHome() }
        view.find<View>(R.id.consent_back).setOnClickListener { screen.goHome() }
    }

    fun render(page: Page.Consent, error: LnurlChannelException?) {
        title.text = view.context.getString(R.string.consent_title, page.authority)
        view.find<View>(R.id.consent_onion).isVisible = page.isOnion
        problem.show(error?.let(texts.sentences::of))
        fetch.isEnabled = !page.isFetching
        fetch.setText(if (page.isFetching) R.string.fetching else R.string.fetch)
    }
}
