package androidx.test.platform.app;

import android.app.Instrumentation;

/** The one class of androidx that the instrumented test names; androidx is not on Maven Central. */
public final class InstrumentationRegistry {
    private InstrumentationRegistry() {}

    public static Instrumentation getInstrumentation() {
        throw new UnsupportedOperationException("only compiled against");
    }
}
