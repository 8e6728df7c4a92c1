# shellcheck shell=bash
# Called by tests/swift/iphone where Swift is, whose LLVM has a compiler and a linker for Apple's systems.
set -euo pipefail
# Debian keeps LLVM's tools beside Swift's compiler, and not on the PATH.
PATH=$CARGO_HOME/bin:$PATH:/usr/libexec/swift/bin
target=aarch64-apple-ios
read -r _ platform triple < <(targets | grep "^$target ")
out=target/iphone
stubs=tests/swift/stubs/iphone

# As Apple's folder of headers and libraries is laid out, and named.
rm -rf "$out/iPhoneOS.sdk"
mkdir -p "$out/iPhoneOS.sdk/usr"
cp -R "$stubs" "$out/iPhoneOS.sdk/usr/include"
SDKROOT=$PWD/$out/iPhoneOS.sdk CC_aarch64_apple_ios=clang AR_aarch64_apple_ios=llvm-ar \
    cargo +nightly rustc --quiet -Z build-std=std,panic_unwind --locked --offline --release --lib \
    --crate-type staticlib --target "$target" --target-dir "$out"

linker=(clang -fuse-ld=lld -nostdlib "$stubs/libSystem.tbd")
link_library "$platform" "$triple" 1.2.3 "$out/$target/release/liblnurl_channel.a" "$out/$FRAMEWORK" "${linker[@]}"
app() {
    sed 's/.*/void &(void); void *address_of_&(void) { return \&&; }/' >"$out/app.c"
    "${linker[@]}" -target "$triple" -dynamiclib -ffreestanding -o "$out/app" "$out/app.c" "$out/$FRAMEWORK"
}
exported_functions | app
if echo rust_eh_personality | app 2>"$out/wrong.txt"; then
    echo "rust_eh_personality is exported" >&2
    exit 1
fi
grep -q 'undefined symbol: _*rust_eh_personality' "$out/wrong.txt"
echo "for an iPhone: $(stat --format %s "$out/$FRAMEWORK") bytes, not stripped; gzip leaves $(gzip -9 --stdout "$out/$FRAMEWORK" | wc --bytes)"
