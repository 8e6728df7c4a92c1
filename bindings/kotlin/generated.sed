# What bindings/generate.sh changes in the generated Kotlin, since UniFFI has no setting for it.

# A variant without fields prints its name.
s/^    object ([A-Z][A-Za-z]*) : (Channel[A-Za-z]*)\(\)$/    data object \1 : \2()/

# Errors of the wallet's code too, such as `TODO()` or a class that shrinking removed. One that passes here
# is lost, and the library reads a default value as the method's result.
s/^    \} catch\(e: kotlin\.Exception\) \{$/    } catch(e: Throwable) {/

# Their class and text, which may be code of the wallet that fails as well. Nobody reads the stack.
s/try \{ e\.stackTraceToString\(\) \} catch\(_: Throwable\) \{ "" \}/try { e.toString() } catch(_: Throwable) { e.javaClass.name }/

# A coroutine that was cancelled before calls nothing.
/^import kotlinx\.coroutines\.suspendCancellableCoroutine$/i\
import kotlinx.coroutines.currentCoroutineContext\
import kotlinx.coroutines.ensureActive
/^internal suspend fun<T, F, E: kotlin\.Exception> uniffiRustCallAsync/,/^\}/{
    /^        do \{$/i\
        currentCoroutineContext().ensureActive()
}

# What UniFFI keeps for itself is no part of the API, although UniFFI has it public for types of other crates.
s/^public (object|interface|abstract class) FfiConverter/internal \1 FfiConverter/
s/^open class RustBuffer/internal &/
s/^(interface|object) Uniffi/internal &/
s/^public fun uniffiEnsureInitialized/internal fun uniffiEnsureInitialized/
s/^interface Disposable/internal &/
s/^(open class [A-Za-z]+): Disposable, AutoCloseable/\1: AutoCloseable/
s/^    override fun destroy\(\) \{/    private fun destroy() {/
s/^inline fun <T : Disposable/internal &/
s/^    constructor\(withHandle: UniffiWithHandle/    internal constructor(withHandle: UniffiWithHandle/
s/^    protected val (handle|cleanable): /    private val \1: /
s/^    val uniffiIsDestroyed: /    internal val uniffiIsDestroyed: /
s/^    fun uniffiCloneHandle/    internal fun uniffiCloneHandle/
s/^    companion object ErrorHandler/    internal companion object ErrorHandler/

# Companions without anything in them, but that of the cleaner, which has a function.
/^internal interface UniffiCleaner/,/^\}/!{
    /^ *companion object *$/d
}

# Explicit API mode: what a wallet sees is marked, and has a type.
s/^(class|data class|enum class|open class|sealed class|object NoHandle)/public \1/
s/^    (class|data class|data object) /    public \1 /
s/^    constructor\(/    public constructor(/
s/^    (suspend fun|fun) `/    public \1 `/
s/^(    @Throws\([A-Za-z]+::class\)) ?(suspend fun|fun) `/\1 public \2 `/
s/^( *)val `/\1public val `/
s/^( *)override val message$/\1override val message: String/
s/^(.*override fun `[A-Za-z]+`\([^()]*\))$/\1: Unit/

# What a wallet reads of it.
/^public class InternalException/i\
/**\
 * The library failed where it never should, or the process has no room left. Please report its message.\
 */

# Printed without what may be secret: a proxy's address that is refused may hold a password.
/^public data class ClientConfig/,/^\}/{
    /^\)\{$/a\
    override fun toString(): String = printed()
}
