import Foundation

/// A custom message, as LND sends and takes it; `Data` is base64 in JSON, as LND wants it.
public struct LndMessage: Codable, Sendable {
    public let peer: Data
    public let type: UInt16
    public let data: Data

    public init(peer: Data, type: UInt16, data: Data) {
        (self.peer, self.type, self.data) = (peer, type, data)
    }
}

extension Data {
    /// Of hex digits that the library or LND has written.
    init(hex: String) {
        let digits = hex.utf8.map { UInt8($0 > 96 ? $0 - 87 : $0 - 48) }
        self.init(stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
    }

    var hex: String { map { String(format: "%02x", $0) }.joined() }

    /// Version 0, and the program of `address`, which bech32 holds in groups of five bits.
    static func p2wpkhScript(of address: String) -> Data {
        let digits = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l")
        let groups = address.split(separator: "1").last!.dropFirst().dropLast(6).map { digits.firstIndex(of: $0)! }
        var (script, bits, count) = (Data([0, 20]), 0, 0)
        for group in groups {
            (bits, count) = ((bits << 5 | group) & 0xfff, count + 5)
            if count >= 8 {
                count -= 8
                script.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return script
    }
}

extension String {
    /// BOLT-2: the hash of the funding transaction, XORed with the number of its output.
    static func channelId(_ point: String) -> String {
        let parts = point.split(separator: ":")
        var id = Data(Data(hex: String(parts[0])).reversed())
        let output = UInt16(parts[1])!
        id[30] ^= UInt8(output >> 8)
        id[31] ^= UInt8(output & 0xff)
        return id.hex
    }
}
