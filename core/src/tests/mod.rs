//! The rules on the real `Client`, in virtual time.

mod asking;
mod bench;
mod channels;
mod checks;
mod first_edition;
mod honest;
mod hosted;
mod matching;
mod model;
mod play;
mod properties;
mod ready;
mod receipts;
mod runs;
mod samples;
mod transitions;
mod waiting;
