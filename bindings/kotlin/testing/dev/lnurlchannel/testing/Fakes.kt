package dev.lnurlchannel.testing

import dev.lnurlchannel.ChannelKind
import dev.lnurlchannel.ChannelOffer
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelRequestSnapshot
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.HostedChannelTerms
import dev.lnurlchannel.IncomingChannel
import dev.lnurlchannel.PeerAddress
import java.util.UUID

/** A node's key, as it may stand in an offer. */
public const val FAKE_PEER_ID: String =
    "02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619"

/** An offer of a funded or of a hosted channel. */
public fun fakeOffer(
    kind: ChannelKind = ChannelKind.FUNDED,
    service: String? = "service.example",
    callbackHost: String? = service,
    peer: PeerAddress = PeerAddress(FAKE_PEER_ID, "node.example", 9735u),
    alias: String? = null,
): ChannelOffer = ChannelOffer(kind, peer, service, callbackHost = callbackHost, alias = alias)

/** A request that was just fetched; a test copies it with what it needs. */
public fun fakeSnapshot(
    offer: ChannelOffer = fakeOffer(),
    state: ChannelRequestState = ChannelRequestState.OFFERED,
    requestId: String = UUID.randomUUID().toString(),
): ChannelRequestSnapshot = ChannelRequestSnapshot(
    requestId = requestId,
    revision = 1uL,
    offer = offer,
    state = state,
    createdAtSeconds = 1_800_000_000uL,
    updatedAtSeconds = 1_800_000_000uL,
)

/** A channel of [peerId], as a node shows it. */
public fun fakeChannel(
    stage: ChannelStage = ChannelStage.FUNDED,
    peerId: String = FAKE_PEER_ID,
    channelId: String = "07".repeat(32),
): IncomingChannel =
    IncomingChannel(peerId, stage, channelId, capacitySat = 100_000uL, pushMsat = 0uL, isAnnounced = false)

/** What a request for a funded channel leads to. */
public fun fakeFunded(channel: IncomingChannel = fakeChannel()): ChannelOutcome = ChannelOutcome.Funded(channel)

/** What a request for a hosted channel leads to. */
public fun fakeHostedOffer(message: ByteArray = ByteArray(0)): ChannelOutcome =
    ChannelOutcome.HostedOffered(
        HostedChannelTerms(
            capacityMsat = 1_000_000_000uL,
            initialClientBalanceMsat = 0uL,
            maxHtlcValueInFlightMsat = 1_000_000_000uL,
            htlcMinimumMsat = 1_000uL,
            maxAcceptedHtlcs = 10u,
        ),
        message,
    )
