package com.example.wallet

import android.os.SystemClock
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.Chronometer
import android.widget.RadioGroup
import android.widget.TextView
import dev.lnurlchannel.ChannelKind
import dev.lnurlchannel.ChannelRequestSnapshot
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelVisibility
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.awaitsChannel

/** One request: its offer, what stands in the way, how far it is, and what the user can do. */
class RequestPage(val view: View, private val screen: ChannelScreen, private val texts: Texts, share: () -> Unit) {
    private val sentences = texts.sentences
    private val title: TextView = view.find(R.id.request_title)
    private val service: TextView = view.find(R.id.request_service)
    private val problem: TextView = view.find(R.id.request_problem)
    private val concerns: ViewGroup = view.find(R.id.concerns)
    private val steps: ViewGroup = view.find(R.id.steps)
    private val step: TextView = view.find(R.id.step)
    private val timeLeft: Chronometer = view.find(R.id.time_left)
    private val connection: TextView = view.find(R.id.connection)
    private val channel: ViewGroup = view.find(R.id.channel)
    private val offer: ViewGroup = view.find(R.id.offer)
    private val visibility: RadioGroup = view.find(R.id.visibility)
    private val primary: Button = view.find(R.id.primary)
    private val others: ViewGroup = view.find(R.id.others)
    private val share: View = view.find(R.id.share)
    private var requestId: String? = null

    init {
        view.find<View>(R.id.request_back).setOnClickListener { screen.goHome() }
        this.share.setOnClickListener { share() }
        timeLeft.format = view.context.getString(R.string.time_left)
        view.find<View>(R.id.private_channel).setOnClickListener { screen.choose(ChannelVisibility.UNANNOUNCED) }
        view.find<View>(R.id.public_channel).setOnClickListener { screen.choose(ChannelVisibility.ANNOUNCED) }
    }

    fun render(page: Page.Request, error: LnurlChannelException?) {
        val request = page.request
        if (request.requestId != requestId) view.scrollTo(0, 0)
        requestId = request.requestId
        title.show(texts.title(request))
        service.text = texts.offeredBy(request.offer)
        val problem = problem(request, error)
        this.problem.show(problem)
        showConcerns(page, problem)
        showProgress(page)
        val facts = texts.channel(request)
        view.find<View>(R.id.channel_card).isVisible = facts.isNotEmpty()
        channel.show(facts)
        offer.show(texts.offer(request.offer))
        visibility.isVisible = Action.ACCEPT in page.actions && request.offer.kind == ChannelKind.FUNDED
        visibility.check(
            if (page.visibility == ChannelVisibility.ANNOUNCED) R.id.public_channel else R.id.private_channel,
        )
        showActions(page.actions)
        share.isVisible = request.state != ChannelRequestState.OFFERED
    }

    /** A refusal is shown after a restart too. */
    private fun problem(request: ChannelRequestSnapshot, error: LnurlChannelException?): String? = when {
        error != null -> sentences.of(error)
        request.state == ChannelRequestState.REFUSED -> sentences.of(LnurlChannelException.Refused(request.refusal))
        else -> null
    }

    private fun ViewGroup.show(facts: List<Fact>) = fill(facts, R.layout.fact) { view, fact ->
        view.find<TextView>(R.id.fact_name).text = fact.name
        view.find<TextView>(R.id.fact_value).text = fact.value
    }

    private fun showConcerns(page: Page.Request, problem: String?) {
        val lines = page.concerns.map(sentences::of).distinct() - setOf(problem)
        view.find<View>(R.id.concerns_card).isVisible = lines.isNotEmpty()
        view.find<TextView>(R.id.concerns_heading).setText(
            when (page.request.state) {
                ChannelRequestState.OFFERED -> R.string.concerns_before
                ChannelRequestState.REFUSED -> R.string.concerns_refused
                else -> R.string.concerns_after
            },
        )
        concerns.fill(lines, R.layout.concern) { line, text ->
            (line as TextView).text = view.context.getString(R.string.bullet, text)
        }
    }

    private fun showProgress(page: Page.Request) {
        val request = page.request
        view.find<View>(R.id.progress_card).isVisible = request.isRunning || page.steps.isNotEmpty()
        steps.fill(page.steps.dropLast(1).takeLast(EARLIER_STEPS), R.layout.step) { line, step ->
            (line as TextView).text = view.context.getString(R.string.step_done, sentences.of(step))
        }
        step.show(page.steps.lastOrNull()?.let(sentences::of) ?: sentences.of(request.state))
        view.find<View>(R.id.bar).isVisible = request.isRunning
        showTimeLeft(request.waitsUntilSeconds)
        connection.isVisible = request.isRunning && request.state != ChannelRequestState.CONNECTING
        connection.setText(if (request.isPeerConnected) R.string.peer_connected else R.string.peer_not_connected)
        view.find<View>(R.id.may_leave).isVisible = request.isRunning && request.awaitsChannel
    }

    /** The clock of a chronometer is that of the phone's uptime. */
    private fun showTimeLeft(untilSeconds: ULong?) {
        timeLeft.isVisible = untilSeconds != null
        if (untilSeconds == null) return timeLeft.stop()
        timeLeft.base = SystemClock.elapsedRealtime() + untilSeconds.toLong() * 1000 - System.currentTimeMillis()
        timeLeft.start()
    }

    private fun showActions(actions: List<Action>) {
        val main = actions.find { it.isPrimary }
        primary.isVisible = main != null
        if (main != null) primary.show(main)
        others.fill(actions - setOfNotNull(main), R.layout.quiet_button) { button, action ->
            (button as Button).show(action)
        }
        view.find<View>(R.id.ask_again_hint).isVisible = Action.ASK_AGAIN in actions
    }

    private fun Button.show(action: Action) {
        setText(label(action))
        setOnClickListener { screen.act(action) }
    }

    private fun label(action: Action): Int = when (action) {
        Action.ACCEPT -> R.string.accept
        Action.TURN_DOWN -> R.string.turn_down
        Action.WAIT_ON -> R.string.wait_on
        Action.ASK_AGAIN -> R.string.ask_again
        Action.PAUSE -> R.string.pause
        Action.CANCEL -> R.string.cancel
        Action.DISMISS -> R.string.dismiss
    }

    private companion object {
        const val EARLIER_STEPS = 4
    }
}
