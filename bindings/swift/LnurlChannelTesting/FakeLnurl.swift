import LnurlChannel

/// An LNURL that was decoded from nothing. Needs no native library, unless it is compared.
public final class FakeLnurl: HandlelessLnurl, @unchecked Sendable {
    private let fakeUrl: String
    private let fakeHost: String
    private let fakeAuthority: String
    private let fakeIsOnion: Bool

    public init(
        url: String = "https://service.example/channel", host: String = "service.example",
        authority: String? = nil, isOnion: Bool = false
    ) {
        fakeUrl = url
        fakeHost = host
        fakeAuthority = authority ?? host
        fakeIsOnion = isOnion
        super.init()
    }

    /// Only the library makes objects from handles; a fake has none.
    public required init(unsafeFromHandle handle: UInt64) {
        fatalError("a fake has no handle")
    }

    public override func authority() -> String { fakeAuthority }
    public override func host() -> String { fakeHost }
    public override func isOnion() -> Bool { fakeIsOnion }
    public override func url() -> String { fakeUrl }
}
