import org.jetbrains.kotlin.gradle.dsl.JvmTarget
import org.jetbrains.kotlin.gradle.dsl.KotlinVersion

plugins {
    alias(libs.plugins.android.library)
    alias(libs.plugins.kotlin.android)
    alias(libs.plugins.dokka)
    `maven-publish`
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
        kotlin.srcDir(rootProject.file("../bindings/kotlin/dev"))
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
    // An app's compiler reads what its own version or the next one wrote, and nothing newer.
    coreLibrariesVersion = libs.versions.stdlib.get()
    compilerOptions {
        languageVersion = KotlinVersion.KOTLIN_2_2
        apiVersion = KotlinVersion.KOTLIN_2_2
        jvmTarget = JvmTarget.JVM_11
    }
}

dependencies {
    // `api`: both appear in the signatures of the bindings.
    api(variantOf(libs.jna) { artifactType("aar") })
    api(libs.coroutines.core)
}

// Without it the AAR builds, and fails to load on every phone.
val nativeLibraries = layout.projectDirectory.dir("src/main/jniLibs")
val abis = providers.gradleProperty("lnurlchannel.abis").map { it.split(",") }
val checkNativeLibraries by tasks.registering {
    val libraries = abis.map { names -> names.map { nativeLibraries.file("$it/liblnurl_channel.so").asFile } }
    doLast {
        val missing = libraries.get().filterNot { it.exists() }
        check(missing.isEmpty()) { "run build-native.sh first; missing: $missing" }
    }
}
tasks.named("preBuild") { dependsOn(checkNativeLibraries) }

val dokkaJar by tasks.registering(Jar::class) {
    description = "The API documentation, in the place where editors look for it."
    archiveClassifier = "javadoc"
    from(tasks.named("dokkaGeneratePublicationHtml"))
}

publishing {
    publications {
        register<MavenPublication>("release") {
            artifactId = "lnurl-channel-android"
            artifact(dokkaJar)
            afterEvaluate { from(components["release"]) }
            pom {
                name = "lnurl-channel"
                description = "Turns a scanned LNURL into an incoming Lightning channel (LUD-02, LUD-07)."
                licenses {
                    license { name = "MIT" }
                    license { name = "Apache-2.0" }
                }
            }
        }
    }
}
