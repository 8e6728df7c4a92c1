package dev.lnurlchannel.support

import java.io.File
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.reflect.KClass
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue

/** Where cargo leaves the library. */
val NATIVE: Path = Path.of(System.getProperty("jna.library.path")).toAbsolutePath().normalize()

/** The library, as Linux names it. */
val LIBRARY: Path = NATIVE.resolve("liblnurl_channel.so")

/** Runs [main] in a JVM of its own, which has to end well, and returns the lines that it prints. */
fun child(
    main: KClass<*>,
    vararg options: String,
    environment: Map<String, String> = emptyMap(),
): List<String> {
    val java = File(System.getProperty("java.home"), "bin/java").path
    val properties = listOf("jna.library.path", "testbed.program").map { "-D$it=${System.getProperty(it)}" }
    val command = listOf(java, "-cp", System.getProperty("java.class.path")) + properties + options + main.java.name
    return run(command, environment)
}

/** Compiles one of `tests/shims` to a library that is loaded into a process, and returns where it is. */
fun shim(name: String, vararg command: String): Path {
    val library = NATIVE.resolve("../tmp").normalize().toFile().apply { mkdirs() }.resolve("kotlin-$name.so")
    run(command.toList() + library.path)
    return library.toPath()
}

private fun run(command: List<String>, environment: Map<String, String> = emptyMap()): List<String> {
    val process = ProcessBuilder(command).redirectErrorStream(true).apply { environment().putAll(environment) }.start()
    val lines = process.inputReader().readLines()
    assertTrue(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS))
    assertEquals(0, process.exitValue()) { lines.joinToString("\n") }
    return lines
}
