import java.util.Properties

buildscript {
    repositories {
        google()
        mavenCentral()
    }
    dependencies {
        // Kotlin is built into the Android plugin, with a compiler of its age; this is the one to use instead.
        classpath(libs.kotlin.gradle.plugin)
    }
}

plugins {
    alias(libs.plugins.android.application) apply false
    alias(libs.plugins.android.library) apply false
    alias(libs.plugins.dokka) apply false
}

// `gradle wrapper` makes the scripts and the jar, which are not in the repository. Which Gradle they start, and
// its checksum, stay as the properties in the repository say.
tasks.wrapper {
    val pinned = Properties()
    file("gradle/wrapper/gradle-wrapper.properties").inputStream().use { pinned.load(it) }
    distributionUrl = pinned.getProperty("distributionUrl")
    distributionSha256Sum = pinned.getProperty("distributionSha256Sum")
}
