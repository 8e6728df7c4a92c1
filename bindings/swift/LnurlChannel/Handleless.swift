/// A request without the library behind it, to derive fakes from: override what is called of it.
///
/// What is generated and not open, only this module can override. A fake that derives from
/// `ChannelRequest` itself ends the process when it is printed for debugging, as a failed
/// expectation prints it.
open class HandlelessRequest: ChannelRequest, @unchecked Sendable {
    public init() {
        super.init(noHandle: NoHandle())
    }

    /// Only the library makes objects from handles.
    public required init(unsafeFromHandle handle: UInt64) {
        fatalError("it has no handle")
    }

    open override var debugDescription: String { "\(type(of: self))" }
}

/// An LNURL that was decoded from nothing, to derive fakes from: override `authority`, `host`,
/// `isOnion` and `url`. It is printed, compared and hashed like a real one.
open class HandlelessLnurl: Lnurl, @unchecked Sendable {
    public init() {
        super.init(noHandle: NoHandle())
    }

    /// Only the library makes objects from handles.
    public required init(unsafeFromHandle handle: UInt64) {
        fatalError("it has no handle")
    }

    open override var description: String { authority() }
    open override var debugDescription: String { "Lnurl(\(authority()))" }

    /// For `==`, which cannot be overridden, and for hashing: the library is lent one that is decoded
    /// from `url`, which therefore has to be a possible one.
    public override func uniffiCloneHandle() -> UInt64 {
        let rest = url().drop { $0 != ":" }
        do {
            return try decodeLnurl(text: "lnurlc\(rest)").uniffiCloneHandle()
        } catch {
            fatalError("\(url()) is no URL of an LNURL: \(error.localizedDescription)")
        }
    }
}
