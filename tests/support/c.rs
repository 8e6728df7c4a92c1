//! The C compiler that Rust links with, for what has to stand below Rust's standard library.

use std::path::Path;
use std::process::Command;

/// Compile one file, named from the root of the repository.
pub fn compile(source: &str, target: &Path, flags: &[&str]) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
    let mut compiler = Command::new("cc");
    compiler.args(["-O1", "-Wall", "-Wextra", "-Werror"]);
    compiler.args(flags).arg("-o").arg(target).arg(&source);
    let status = compiler.status().expect("a C compiler");
    assert!(status.success(), "{}", source.display());
}
