package androidx.test.platform.app

import android.app.Instrumentation
import android.os.Bundle

object InstrumentationRegistry {
    private lateinit var instrumentation: Instrumentation

    @JvmStatic
    fun getInstrumentation(): Instrumentation = instrumentation

    @JvmStatic
    fun registerInstance(instrumentation: Instrumentation?, arguments: Bundle?) {
        if (instrumentation != null) this.instrumentation = instrumentation
    }
}
