package dev.lnurlchannel.samples

import dev.lnurlchannel.ChannelClientInterface
import org.lightningdevkit.ldknode.LogLevel
import org.lightningdevkit.ldknode.LogRecord
import org.lightningdevkit.ldknode.LogWriter

private val KEY = Regex("0[23][0-9a-f]{64}")
private val REASON = Regex("^[^:]*?( due to |: )(.*)$", RegexOption.DOT_MATCHES_ALL)

/**
 * Reports why ldk-node turned a channel down, which it tells its log only. Give it to
 * `Builder.setCustomLogger`; what it hears goes on to [next], the app's own log.
 *
 * ldk-node hands over all that it says, at every level. Its wording may change with any version: a
 * sentence of another form tells no reason, and one that names no peer nothing at all.
 */
class LdkNodeLog(private val next: LogWriter? = null) : LogWriter {
    /** Set it as soon as there is one: the log is there before the node, and the client after it. */
    @Volatile
    var client: ChannelClientInterface? = null

    override fun log(record: LogRecord) {
        if (record.level == LogLevel.ERROR) report(record.args)
        next?.log(record)
    }

    private fun report(line: String) {
        if ("inbound" !in line || "channel" !in line) return
        val peer = KEY.find(line) ?: return
        val reason = REASON.find(line.substring(peer.range.last + 1))?.groupValues?.get(2)
        client?.reportChannelClosed(peer.value, null, reason)
    }
}
