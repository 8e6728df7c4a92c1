import Foundation

/// A JSON object of the control interface.
struct Json: @unchecked Sendable {
    let fields: [String: Any]

    init(_ fields: [String: Any]) {
        self.fields = fields
    }

    init(data: Data) throws {
        guard let fields = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw Missing(name: "an object")
        }
        self.fields = fields
    }

    struct Missing: Error {
        let name: String
    }

    func text(_ name: String) throws -> String { try field(name) }
    /// None if it is missing, or null.
    func optionalText(_ name: String) -> String? { fields[name] as? String }
    func flag(_ name: String) throws -> Bool { try field(name) }
    func number(_ name: String) throws -> UInt64 { (try field(name) as NSNumber).uint64Value }
    func texts(_ name: String) throws -> [String] { try field(name) }
    func object(_ name: String) throws -> Json { Json(try field(name)) }
    func list(_ name: String) throws -> [Json] {
        (try field(name) as [[String: Any]]).map(Json.init)
    }

    private func field<T>(_ name: String) throws -> T {
        guard let value = fields[name] as? T else { throw Missing(name: name) }
        return value
    }
}

extension Data {
    init(hex: String) {
        let digits = Array(hex.utf8)
        self.init(
            stride(from: 0, to: digits.count - 1, by: 2).map { at in
                UInt8(String(decoding: digits[at...at + 1], as: UTF8.self), radix: 16) ?? 0
            })
    }

    var hex: String { map { String(format: "%02x", $0) }.joined() }
}
