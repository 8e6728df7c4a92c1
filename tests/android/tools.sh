# shellcheck shell=bash
# What the scripts of this folder share. Sourced, with this folder as the current one.
root=$(cd ../.. && pwd)
android=$root/android
native=$root/target/debug

# Of android/gradle/libs.versions.toml.
version() { sed -n "s/^$1 = \"\(.*\)\"/\1/p" "$android/gradle/libs.versions.toml"; }

# These runs are short: the second compiler of the JVM costs more than it gives.
jvm() { java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx2g "$@"; }

maven() {
    local name options=(-B -Dstyle.color=never)
    for name in kotlin coroutines jna r8 dokka; do options+=("-D$name=$(version "$name")"); done
    mvn "${options[@]}" "$@"
}

# The class path of a profile of pom.xml; asked for again when a version has changed.
fetch() {
    local file=target/classpath/$1
    [ -s "$file" ] && [ "$file" -nt pom.xml ] && [ "$file" -nt "$android/gradle/libs.versions.toml" ] && return
    maven -P "$1" dependency:build-classpath -Dmdep.outputFile="$PWD/$file" &&
        touch "$file"
}
classpath() { cat "target/classpath/$1"; }
jars() { classpath "$1" | tr : '\n'; echo; }
