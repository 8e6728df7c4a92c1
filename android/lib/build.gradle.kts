import org.jetbrains.kotlin.gradle.dsl.JvmTarget
import org.jetbrains.kotlin.gradle.dsl.KotlinVersion

plugins {
    alias(libs.plugins.android.library)
    alias(libs.plugins.dokka)
    `maven-publish`
    signing
}

group = "dev.lnurlchannel"
// The version of the Rust library, which Cargo.toml holds.
version = providers.fileContents(rootProject.layout.projectDirectory.file("../Cargo.toml")).asText
    .map { Regex("(?m)^version = \"(.+)\"").find(it)!!.groupValues[1] }
    .get()

android {
    namespace = "dev.lnurlchannel"
    compileSdk = libs.versions.compileSdk.get().toInt()
    defaultConfig {
        minSdk = libs.versions.minSdk.get().toInt()
        consumerProguardFiles("consumer-rules.pro")
    }
    sourceSets.named("main") {
        kotlin.directories += "../../bindings/kotlin/dev"
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
    publishing {
        singleVariant("release") {
            withSourcesJar()
        }
    }
}

kotlin {
    compilerOptions {
        // For apps on Kotlin 2.1, such as those of React Native.
        languageVersion = KotlinVersion.KOTLIN_2_1
        apiVersion = KotlinVersion.KOTLIN_2_1
        jvmTarget = JvmTarget.JVM_11
        freeCompilerArgs.addAll("-Xsuppress-version-warnings", "-jvm-default=enable", "-Xexplicit-api=strict")
    }
}

dependencies {
    // Named, since the Android plugin compiles with Kotlin's library and leaves it out of the POM.
    api(libs.kotlin.stdlib)
    // `api`: both appear in the signatures of the bindings.
    api(variantOf(libs.jna) { artifactType("aar") })
    api(libs.coroutines.core)
}

/** Fails where native libraries are missing: without them the AAR builds, and fails to load on every phone. */
abstract class CheckNativeLibraries : DefaultTask() {
    @get:InputFiles
    @get:PathSensitive(PathSensitivity.RELATIVE)
    abstract val libraries: ConfigurableFileCollection

    /** Stays empty. It makes whatever packages native libraries ask this task first, and nothing else. */
    @get:OutputDirectory
    abstract val nothing: DirectoryProperty

    @TaskAction
    fun look() {
        val missing = libraries.files.filterNot { it.exists() }
        if (missing.isNotEmpty()) throw GradleException("run android/build-native.sh first; missing: $missing")
    }
}

val checkNativeLibraries by tasks.registering(CheckNativeLibraries::class) {
    val abis = providers.gradleProperty("lnurlchannel.abis").get().split(",")
    libraries.from(abis.map { "src/main/jniLibs/$it/liblnurl_channel.so" })
}
androidComponents {
    onVariants { variant ->
        variant.sources.jniLibs?.addGeneratedSourceDirectory(checkNativeLibraries, CheckNativeLibraries::nothing)
    }
}

dokka {
    dokkaPublications.configureEach { failOnWarning = true }
}

val dokkaJar by tasks.registering(Jar::class) {
    description = "The API documentation, in the place where editors look for it."
    archiveClassifier = "javadoc"
    from(tasks.named("dokkaGeneratePublicationHtml"))
}

val projectUrl = providers.gradleProperty("lnurlchannel.projectUrl").get()

publishing {
    publications {
        register<MavenPublication>("release") {
            artifactId = "lnurl-channel-android"
            artifact(dokkaJar)
            afterEvaluate { from(components["release"]) }
            pom {
                name = "lnurl-channel"
                description = "Turns a scanned LNURL into an incoming Lightning channel (LUD-02, LUD-07)."
                url = projectUrl
                // Either, at the user's option.
                licenses {
                    license {
                        name = "MIT"
                        url = "https://opensource.org/license/mit"
                    }
                    license {
                        name = "Apache-2.0"
                        url = "https://www.apache.org/licenses/LICENSE-2.0.txt"
                    }
                }
                developers {
                    developer {
                        name = "The lnurl-channel maintainers"
                        url = projectUrl
                    }
                }
                scm {
                    url = projectUrl
                    connection = "scm:git:$projectUrl.git"
                    developerConnection = "scm:git:$projectUrl.git"
                }
            }
        }
    }
    repositories {
        maven {
            // A folder which, zipped, is what Maven Central's portal takes.
            name = "bundle"
            url = uri(layout.buildDirectory.dir("bundle"))
        }
    }
}

tasks.withType<PublishToMavenRepository>().configureEach {
    val isPlaceholder = projectUrl.endsWith(".invalid")
    doFirst { check(!isPlaceholder) { "set lnurlchannel.projectUrl, in gradle.properties or with -P" } }
}

// With a key in ORG_GRADLE_PROJECT_signingKey, and its password in ORG_GRADLE_PROJECT_signingPassword. Maven
// Central asks for signatures; a wallet's own repository does not.
val signingKey = providers.gradleProperty("signingKey").orNull.orEmpty()
if (signingKey.isNotBlank()) {
    signing {
        useInMemoryPgpKeys(signingKey, providers.gradleProperty("signingPassword").orNull)
        sign(publishing.publications["release"])
    }
}
