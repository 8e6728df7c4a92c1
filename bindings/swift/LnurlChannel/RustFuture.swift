import Foundation

#if canImport(LnurlChannelFFI)
    import LnurlChannelFFI
#endif

/// Awaits a call of the library so that `Task.cancel()` ends it at once, with `CancellationError`.
///
/// The generated methods let a cancelled call run on. UniFFI's `rust_future_cancel` is made for this:
/// the call is dropped in Rust, as a cancelled coroutine's is, and the library itself knows who still
/// waits. A result that was there before the cancellation is returned.
func cancellable<Raw, Value>(
    _ functions: RustFutureFunctions<Raw>,
    lift: (Raw) throws -> Value,
    begin: () -> UInt64
) async throws -> Value {
    try Task.checkCancellation()
    let future = RustFuture(handle: begin(), functions: functions)
    defer { future.free() }
    await withTaskCancellationHandler {
        while await future.poll() != isReady {}
    } onCancel: {
        future.cancel()
    }
    do {
        return try lift(future.complete())
    } catch LnurlChannelError.Cancelled where Task.isCancelled {
        throw CancellationError()
    }
}

/// The library's functions for futures whose result crosses as `Raw`.
struct RustFutureFunctions<Raw>: Sendable {
    let poll: @Sendable (UInt64, @escaping UniffiRustFutureContinuationCallback, UInt64) -> Void
    let cancel: @Sendable (UInt64) -> Void
    let complete: @Sendable (UInt64, UnsafeMutablePointer<RustCallStatus>) -> Raw
    let free: @Sendable (UInt64) -> Void
}

extension RustFutureFunctions<RustBuffer> {
    /// Results that are records or enums.
    static let ofValues = RustFutureFunctions(
        poll: ffi_lnurl_channel_rust_future_poll_rust_buffer,
        cancel: ffi_lnurl_channel_rust_future_cancel_rust_buffer,
        complete: ffi_lnurl_channel_rust_future_complete_rust_buffer,
        free: ffi_lnurl_channel_rust_future_free_rust_buffer)
}

extension RustFutureFunctions<UInt64> {
    /// Results that are objects.
    static let ofObjects = RustFutureFunctions(
        poll: ffi_lnurl_channel_rust_future_poll_u64,
        cancel: ffi_lnurl_channel_rust_future_cancel_u64,
        complete: ffi_lnurl_channel_rust_future_complete_u64,
        free: ffi_lnurl_channel_rust_future_free_u64)
}

/// The library ended a call by a panic: a bug of the library, to be reported.
public struct LibraryPanic: LocalizedError {
    public let reason: String
    public var errorDescription: String? { "A bug of the library: \(reason)" }
}

/// What a poll tells, and how a call ended, as UniFFI numbers them.
private let isReady: Int8 = 0
private let success: Int8 = 0
private let failure: Int8 = 1
private let wasCancelled: Int8 = 3

private final class RustFuture<Raw>: @unchecked Sendable {
    private let handle: UInt64
    private let functions: RustFutureFunctions<Raw>
    /// Held over a cancellation, which must not meet a handle that has been freed.
    private let lock = NSLock()
    private var isFreed = false

    init(handle: UInt64, functions: RustFutureFunctions<Raw>) {
        self.handle = handle
        self.functions = functions
    }

    func poll() async -> Int8 {
        await withCheckedContinuation { continuation in
            let waiter = Unmanaged.passRetained(Waiter(continuation)).toOpaque()
            functions.poll(handle, wake, UInt64(UInt(bitPattern: waiter)))
        }
    }

    func cancel() {
        lock.withLock {
            if !isFreed { functions.cancel(handle) }
        }
    }

    func complete() throws -> Raw {
        var status = RustCallStatus()
        let raw = functions.complete(handle, &status)
        switch status.code {
        case success: return raw
        case failure: throw try FfiConverterTypeLnurlChannelError_lift(status.errorBuf)
        case wasCancelled: throw CancellationError()
        default: throw LibraryPanic(reason: text(of: status.errorBuf))
        }
    }

    func free() {
        lock.withLock { isFreed = true }
        functions.free(handle)
    }
}

private final class Waiter {
    let continuation: CheckedContinuation<Int8, Never>

    init(_ continuation: CheckedContinuation<Int8, Never>) {
        self.continuation = continuation
    }
}

/// The library calls it once for each poll.
private let wake: UniffiRustFutureContinuationCallback = { waiter, result in
    guard let waiter = UnsafeRawPointer(bitPattern: UInt(waiter)) else { return }
    Unmanaged<Waiter>.fromOpaque(waiter).takeRetainedValue().continuation.resume(returning: result)
}

private func text(of buffer: RustBuffer) -> String {
    let bytes = UnsafeBufferPointer(start: buffer.data, count: Int(buffer.len))
    let text = String(decoding: bytes, as: UTF8.self)
    var status = RustCallStatus()
    ffi_lnurl_channel_rustbuffer_free(buffer, &status)
    return text
}
