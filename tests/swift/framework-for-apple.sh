# shellcheck shell=bash
# Called by tests/swift/framework where Swift is, whose LLVM has a linker for Apple's systems: links a library of each
# target from the list of exported functions. In place of Rust's archive stands a small one, which has each of these
# functions, and one more: what of Rust's runtime is the same in all of its libraries.
set -euo pipefail
out=$1
mkdir -p "$out"
# Debian keeps LLVM's tools beside the compiler, and not on the PATH.
PATH=$PATH:/usr/libexec/swift/bin

exported_functions | sed 's/.*/void &(void) {}/' >"$out/library.c"
echo 'void rust_eh_personality(void) {}' >>"$out/library.c"
# By address, as calls would need a part of the system, of which there is nothing here.
addresses_of() { sed 's/.*/void &(void); void *address_of_&(void) { return \&&; }/'; }
exported_functions | addresses_of >"$out/app.c"
echo rust_eh_personality | addresses_of >"$out/wrong.c"

while read -r target platform triple; do
    built=$out/$target
    clang -target "$triple" -ffreestanding -c "$out/library.c" -o "$built.o"
    llvm-ar rc "$built.a" "$built.o"
    linker=(clang -fuse-ld=lld -nostdlib)
    link_library "$platform" "$triple" 1.2.3 "$built.a" "$built.dylib" "${linker[@]}"
    grep -q "$(install_name "$platform")" "$built.dylib"
    app() { "${linker[@]}" -target "$triple" -dynamiclib -ffreestanding -o "$built.app" "$out/$1.c" "$built.dylib"; }
    app app
    if app wrong 2>"$built.txt"; then
        echo "$target: rust_eh_personality is exported" >&2
        exit 1
    fi
    grep -q 'undefined symbol: _*rust_eh_personality' "$built.txt"
done < <(targets)
