package com.example.wallet

import dev.lnurlchannel.support.Testbed
import dev.lnurlchannel.support.child
import java.io.File
import kotlin.reflect.KClass
import kotlin.system.exitProcess
import org.junit.runner.JUnitCore

/** Runs the tests of a class in a process of their own: one life of the app, on nodes and a folder that outlive it. */
class Lives(private val testbed: Testbed, private val folder: File) {
    fun live(life: KClass<*>, environment: Map<String, String> = emptyMap()): List<String> {
        val kept = listOf("robolectric.offline", "robolectric.dependency.dir").map { "-D$it=${System.getProperty(it)}" }
        val own = listOf("-Dsample.life=${life.java.name}", "-Dsample.folder=$folder", "-Dtestbed.program=${joining()}")
        return child(Life::class, *(kept + own).toTypedArray(), environment = environment)
    }

    /** In place of the testbed's program: it says what the one that runs says, and ends with its input. */
    private fun joining(): File = folder.resolveSibling("${folder.name}-testbed").apply {
        writeText("#!/bin/sh\ncat <<'END'\n${testbed.get("info")}\nEND\nexec cat >/dev/null\n")
        check(setExecutable(true))
    }
}

object Life {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val result = JUnitCore.runClasses(Class.forName(System.getProperty("sample.life")))
        result.failures.forEach { println(it.trace) }
        exitProcess(if (result.wasSuccessful() && result.runCount > 0) 0 else 1)
    }
}
