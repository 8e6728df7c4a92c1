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
