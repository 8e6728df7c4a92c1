import Foundation

#if canImport(LnurlChannelFFI)
    import LnurlChannelFFI
#endif

// The calls that wait, under their plain names, so that `Task.cancel()` reaches them. What is generated
// for them has other names (`perform…`), and is for fakes to override.

extension ChannelClientProtocol {
    /// Fetch the offer behind `lnurl`. The service learns nothing about the wallet.
    ///
    /// Where a request from this LNURL is under way (`connecting` to `opening`), or was fetched less
    /// than a minute ago, that one is returned, and nothing is fetched.
    ///
    /// `Task.cancel()` ends it at once, with `CancellationError`.
    public func fetch(lnurl: Lnurl) async throws -> ChannelRequest {
        guard let client = self as? ChannelClient else {
            return try await performFetch(lnurl: lnurl)
        }
        return try await cancellable(.ofObjects, lift: FfiConverterTypeChannelRequest_lift) {
            uniffi_lnurl_channel_fn_method_channelclient_fetch(
                client.uniffiCloneHandle(), FfiConverterTypeLnurl_lower(lnurl))
        }
    }
}

extension ChannelRequestProtocol {
    /// Connect to the peer, ask for the channel, and wait until it arrives: funded, or offered by the
    /// host.
    ///
    /// Asks the service once, and only in `offered`. Called again it waits on, asking nobody: after
    /// `NoChannel`, a pause or a restart. After the end it gives the same end at once. While a call
    /// runs it joins that one. `visibility` counts only when it asks, and not when hosted.
    ///
    /// `Task.cancel()` ends the wait at once, with `CancellationError`. The request is paused once
    /// nobody waits for it any more.
    public func accept(
        visibility: ChannelVisibility = .unannounced
    ) async throws -> ChannelOutcome {
        guard let request = native else { return try await performAccept(visibility: visibility) }
        return try await cancellable(.ofValues, lift: FfiConverterTypeChannelOutcome_lift) {
            uniffi_lnurl_channel_fn_method_channelrequest_accept(
                request.uniffiCloneHandle(), FfiConverterTypeChannelVisibility_lower(visibility))
        }
    }

    /// Ask the service once more, though the channel may still come. Only the user should decide so.
    ///
    /// In `awaiting` and `outcomeUnknown`, while no call runs. Sends nothing if a channel comes while
    /// it connects. The service may open two channels, or refuse the second request.
    ///
    /// `Task.cancel()` acts as with `accept`.
    public func askAgain(
        visibility: ChannelVisibility = .unannounced
    ) async throws -> ChannelOutcome {
        guard let request = native else { return try await performAskAgain(visibility: visibility) }
        return try await cancellable(.ofValues, lift: FfiConverterTypeChannelOutcome_lift) {
            uniffi_lnurl_channel_fn_method_channelrequest_ask_again(
                request.uniffiCloneHandle(), FfiConverterTypeChannelVisibility_lower(visibility))
        }
    }

    /// Keep the peer connected until the channel that arrived can be used.
    ///
    /// Has no time limit: confirmations take as long as they take. Ends with `NoChannel` if the channel
    /// is closed first. Not for hosted channels.
    ///
    /// `Task.cancel()` acts as with `accept`.
    public func awaitReady() async throws -> IncomingChannel {
        guard let request = native else { return try await performAwaitReady() }
        return try await cancellable(.ofValues, lift: FfiConverterTypeIncomingChannel_lift) {
            uniffi_lnurl_channel_fn_method_channelrequest_await_ready(request.uniffiCloneHandle())
        }
    }

    /// Ask the wallet's node what would stand in the way of accepting. Nothing is sent.
    ///
    /// An empty list means that nothing is known to.
    ///
    /// `Task.cancel()` ends the wait at once, with `CancellationError`; the node's method goes on,
    /// unheard.
    public func preflight(
        visibility: ChannelVisibility = .unannounced
    ) async throws -> [ChannelConcern] {
        // What iterates over a stream is told of its cancellation at once.
        let answers = AsyncThrowingStream<[ChannelConcern], Error> { answers in
            let asking = Task {
                do {
                    answers.yield(try await performPreflight(visibility: visibility))
                    answers.finish()
                } catch {
                    answers.finish(throwing: error)
                }
            }
            answers.onTermination = { _ in asking.cancel() }
        }
        for try await concerns in answers { return concerns }
        throw CancellationError()
    }

    /// This request, unless it is a fake.
    private var native: ChannelRequest? {
        self is HandlelessRequest ? nil : self as? ChannelRequest
    }
}
