import LnurlChannel

/// How one scripted `accept` or `resume` goes: its steps, and its end.
public struct FakeCall: Sendable {
    public enum Step: Sendable {
        case connecting
        case requesting
        case awaitingChannel
        case reconnecting(attempt: UInt32)
    }

    enum End: Sendable {
        case returns(ChannelOutcome)
        case fails(LnurlChannelError)
        case waits
    }

    let steps: [Step]
    let end: End

    /// All goes well.
    public static func arrives(_ outcome: ChannelOutcome = .fake) -> FakeCall {
        FakeCall(steps: [.connecting, .requesting, .awaitingChannel], end: .returns(outcome))
    }

    /// It fails, after the steps that such an error comes after.
    public static func fails(_ error: LnurlChannelError) -> FakeCall {
        FakeCall(steps: stepsBefore(error), end: .fails(error))
    }

    /// It comes so far, and stays there until `FakeChannelRequest.arrive`, `fail`, `pause` or
    /// `cancel`.
    public static func waits(
        after steps: [Step] = [.connecting, .requesting, .awaitingChannel]
    ) -> FakeCall {
        FakeCall(steps: steps, end: .waits)
    }

    private static func stepsBefore(_ error: LnurlChannelError) -> [Step] {
        switch error {
        case .StorageFailed, .WrongState: []
        case .NodeFailed: [.connecting]
        case .NoChannel, .OutcomeUnknown: [.connecting, .requesting, .awaitingChannel]
        default: [.connecting, .requesting]
        }
    }
}
