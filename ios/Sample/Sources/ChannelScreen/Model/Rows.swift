import Foundation
import LnurlChannel

/// The lines of an offer.
struct OfferRows {
    let words: Words

    func rows(_ offer: ChannelOffer) -> [Row] {
        var rows = [
            Row(label: .offerKind, value: words(offer.kind == .hosted ? .offerKindHosted : .offerKindFunded)),
            Row(label: .offerService, value: offer.service ?? words(.offerNobody)),
        ]
        if let other = offer.answeredBy { rows.append(Row(label: .offerAnsweredBy, value: other)) }
        if let host = offer.callbackHost, host != hostName(offer.answeredBy ?? offer.service) {
            rows.append(Row(label: .offerCallbackHost, value: host))
        }
        // The host's own word for itself: plain text, untrusted.
        if let alias = offer.alias { rows.append(Row(label: .offerAlias, value: alias)) }
        rows.append(Row(label: .offerNode, value: offer.peer.socketAddress))
        rows.append(Row(label: .offerNodeId, value: offer.peer.nodeId))
        return rows
    }

    /// Of an authority, which may have a port.
    private func hostName(_ authority: String?) -> String? {
        authority.flatMap { URLComponents(string: "https://\($0)")?.host }
    }
}

/// The lines of a channel that is being opened, or has come.
struct ResultRows {
    let words: Words

    func rows(_ request: ChannelRequestSnapshot) -> [Row] {
        request.channel.map(rows) ?? request.hostedTerms.map(rows) ?? []
    }

    private func rows(_ channel: IncomingChannel) -> [Row] {
        var rows: [Row] = []
        if let sat = channel.capacitySat { rows.append(Row(label: .resultCapacity, value: words.sat(sat))) }
        if let msat = channel.pushMsat, msat > 0 {
            rows.append(Row(label: .resultReceived, value: words.sat(msat / 1000)))
        }
        if let seen = channel.confirmations {
            let text =
                channel.confirmationsRequired.map {
                    words(.resultConfirmationsOf, seen.formatted(), $0.formatted())
                } ?? seen.formatted()
            rows.append(Row(label: .resultConfirmations, value: text))
        }
        // A proposal's id is not the channel's.
        if channel.stage != .proposed, let id = channel.channelId {
            rows.append(Row(label: .resultChannelId, value: id))
        }
        return rows
    }

    private func rows(_ terms: HostedChannelTerms) -> [Row] {
        [
            Row(label: .resultCapacity, value: words.sat(terms.capacityMsat / 1000)),
            Row(label: .resultReceived, value: words.sat(terms.initialClientBalanceMsat / 1000)),
        ]
    }
}
