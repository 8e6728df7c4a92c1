#!/usr/bin/env bash
# calls.sh LIBRARY OUT: a shared library with every function of LIBRARY's interface, which counts each
# call and passes it on. For Linux on x86_64. A program loads it in the library's place, or
# before it (LD_PRELOAD), with the library's path in CALLS_LIBRARY; `calls_so_far()` is the sum;
# with CALLS_PRINT set, the process prints each function's count at its end. What checks the interface
# once, while the library is loaded, is passed on and not counted.
set -euo pipefail
library=$1 out=$2
source=$(mktemp --suffix=.c)
trap 'rm -f "$source"' EXIT

mapfile -t names < <(nm --dynamic --defined-only "$library" | sed -n 's/^[0-9a-f]* T \(\(uniffi\|ffi\)_.*\)$/\1/p')
[ "${#names[@]}" -gt 0 ] || { echo "$library has no such functions" >&2; exit 1; }

{
    echo '#define _GNU_SOURCE'
    echo '#include <dlfcn.h>'
    echo '#include <stdio.h>'
    echo '#include <stdlib.h>'
    echo "unsigned long calls[${#names[@]}] __attribute__((visibility(\"hidden\")));"
    echo "void *targets[${#names[@]}] __attribute__((visibility(\"hidden\")));"
    printf 'static const char *const names[] = {\n'
    printf '    "%s",\n' "${names[@]}"
    printf '};\n'
    cat <<'C'
#define COUNT (sizeof names / sizeof *names)
static unsigned long calls_of(size_t i) { return __atomic_load_n(&calls[i], __ATOMIC_SEQ_CST); }
unsigned long calls_so_far(void) {
    unsigned long sum = 0;
    for (size_t i = 0; i < COUNT; i++)
        sum += calls_of(i);
    return sum;
}
__attribute__((destructor)) static void print(void) {
    for (size_t i = 0; getenv("CALLS_PRINT") && i < COUNT; i++)
        if (calls_of(i))
            fprintf(stderr, "%lu %s\n", calls_of(i), names[i]);
}
__attribute__((constructor)) static void load(void) {
    const char *path = getenv("CALLS_LIBRARY");
    void *library = path ? dlopen(path, RTLD_NOW) : NULL;
    for (size_t i = 0; i < COUNT; i++) {
        targets[i] = library ? dlsym(library, names[i]) : NULL;
        if (!targets[i])
            abort();
    }
}
C
    for index in "${!names[@]}"; do
        name=${names[$index]}
        counted="lock incq calls+$((8 * index))(%rip)"
        case $name in *_checksum_* | *_contract_version) counted= ;; esac
        printf '__asm__(".text\\n.globl %s\\n.type %s, @function\\n%s:\\n %s\\n jmp *targets+%s(%%rip)\\n");\n' \
            "$name" "$name" "$name" "$counted" "$((8 * index))"
    done
} >"$source"
cc -shared -fPIC -Wl,-Bsymbolic -o "$out" "$source" -ldl
