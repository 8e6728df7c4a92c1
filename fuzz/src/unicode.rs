//! What of a text can be seen, by Unicode's own data.

use icu_properties::props::{
    DefaultIgnorableCodePoint, GeneralCategory, GraphemeExtend, NoncharacterCodePoint, WhiteSpace,
};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Blank, and in no class of blanks: Braille, hieroglyphs, Khitan, and a note without a head.
const FILLERS: [char; 5] = [
    '\u{2800}',
    '\u{13441}',
    '\u{13442}',
    '\u{16fe4}',
    '\u{1d159}',
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Seen,
    /// Drawn onto the character before it.
    Mark,
    Blank,
    Unseen,
    /// Assigned no meaning yet.
    Unknown,
}

pub fn look_of(c: char) -> Look {
    use GeneralCategory as Category;
    if CodePointSetData::new::<WhiteSpace>().contains(c) {
        return Look::Blank;
    }
    let is_unseen = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || CodePointSetData::new::<NoncharacterCodePoint>().contains(c)
        || FILLERS.contains(&c);
    if is_unseen {
        return Look::Unseen;
    }
    let extends = CodePointSetData::new::<GraphemeExtend>().contains(c);
    match CodePointMapData::<Category>::new().get(c) {
        Category::Control | Category::Format | Category::PrivateUse => Look::Unseen,
        _ if extends => Look::Mark,
        Category::NonspacingMark | Category::EnclosingMark => Look::Mark,
        Category::Unassigned => Look::Unknown,
        _ => Look::Seen,
    }
}

/// `text` without what stands at its ends and cannot be seen. Control characters stay: they are no
/// accident.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| {
        !c.is_control() && matches!(look_of(c), Look::Blank | Look::Unseen) || c.is_whitespace()
    })
}
