//! Whether a key is a point of secp256k1, whose points have y² = x³ + 7 modulo p (SEC 2, 2.4.1). Keys are
//! public: nothing here needs to take the same time for each.

use crypto_bigint::modular::ConstMontyForm;
use crypto_bigint::{JacobiSymbol, U256, const_monty_params};

const P: &str = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f";

const_monty_params!(Field, U256, P, "The field of the curve");

/// Whether a point has this x: x³ + 7 is a square.
pub fn has_point(x: &[u8; 32]) -> bool {
    let x = U256::from_be_slice(x);
    if x >= U256::from_be_hex(P) {
        return false;
    }
    let x = ConstMontyForm::<Field, { U256::LIMBS }>::new(&x);
    let square = x.square() * x + ConstMontyForm::new(&U256::from_u8(7));
    square.jacobi_symbol_vartime() == JacobiSymbol::One
}

#[cfg(test)]
mod tests {
    use k256::PublicKey;
    use proptest::prelude::*;

    use super::*;

    fn is_key(x: &[u8]) -> bool {
        PublicKey::from_sec1_bytes(&[&[2], x].concat()).is_ok()
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many keys for an interpreter")]
    fn the_edges_of_the_field_are_as_another_library_has_them() {
        let p = U256::from_be_hex(P);
        let one = U256::ONE;
        let near = (0_u32..300).map(U256::from_u32);
        let near = near.flat_map(|n| [n, p.wrapping_sub(&n), p.wrapping_add(&n)]);
        let mut on_curve = 0;
        for x in near.chain([U256::MAX, U256::MAX.wrapping_sub(&one)]) {
            let x: [u8; 32] = x.to_be_bytes().into();
            assert_eq!(has_point(&x), is_key(&x), "{}", hex::encode(x));
            on_curve += u32::from(has_point(&x));
        }
        // About half of what is below p.
        assert!((240..360).contains(&on_curve), "{on_curve}");
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: if cfg!(miri) { 2 } else { 2_000 },
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn any_key_is_one_as_another_library_has_it(x in any::<[u8; 32]>()) {
            prop_assert_eq!(has_point(&x), is_key(&x));
        }
    }
}
