//! Keys and texts that inputs are completed with.

/// Points of the curve: a peer, another, and the wallet itself.
pub const PEER: &str = "02864ef025fde8fb587d989186ce6a4a186895ee44a926bfc370e2c366597a3f8f";
pub const OTHER_PEER: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
pub const OWN: &str = "0331f80652fb840239df8dc99205792bba2e559a05469915804c08420230e23c7c";

/// P2WPKH.
pub fn refund_script() -> Vec<u8> {
    [vec![0, 20], vec![7; 20]].concat()
}

/// The repository's vectors.
pub fn vectors() -> serde_json::Value {
    serde_json::from_str(include_str!("../../tests/vectors.json")).expect("the vectors are JSON")
}
