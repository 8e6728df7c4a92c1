package com.example.wallet;

import static org.junit.Assert.assertTrue;

import android.app.Activity;
import android.app.Instrumentation;
import android.content.Intent;
import android.os.SystemClock;
import android.view.View;
import android.widget.TextView;
import androidx.test.platform.app.InstrumentationRegistry;
import org.junit.Test;

/**
 * The minified app on a device: the demo offer is opened and accepted, and its channel arrives.
 *
 * <p>In Java, and with none of the app's classes: the app's Kotlin library is shrunk, and its names are not
 * those of the sources.
 */
public class HostedChannelTest {
    private static final long PATIENCE_MS = 10_000;

    private final Instrumentation instrumentation = InstrumentationRegistry.getInstrumentation();

    @Test
    public void theDemoOfferLeadsToAChannel() {
        Intent intent = new Intent(Intent.ACTION_MAIN)
                .setClassName(instrumentation.getTargetContext(), "com.example.wallet.MainActivity")
                .addFlags(Intent.FLAG_ACTIVITY_NEW_TASK);
        Activity activity = instrumentation.startActivitySync(intent);

        click(activity, "Demo offer");
        awaitLine(activity, "Ask host.example what it offers?");
        click(activity, "Ask for the offer");
        awaitLine(activity, "The code itself offers a hosted channel");
        click(activity, "Accept");
        awaitLine(activity, "The host offers 100000 sat.");
    }

    private void click(Activity activity, String tag) {
        await(tag + " to be enabled", () -> find(activity, tag).isEnabled());
        instrumentation.runOnMainSync(() -> assertTrue(find(activity, tag).performClick()));
    }

    private void awaitLine(Activity activity, String text) {
        await(text, () -> ((TextView) find(activity, "lines")).getText().toString().contains(text));
    }

    private void await(String what, Condition condition) {
        long deadline = SystemClock.uptimeMillis() + PATIENCE_MS;
        boolean[] holds = {false};
        while (!holds[0] && SystemClock.uptimeMillis() < deadline) {
            instrumentation.waitForIdleSync();
            instrumentation.runOnMainSync(() -> holds[0] = condition.holds());
        }
        assertTrue("waited for: " + what, holds[0]);
    }

    private static View find(Activity activity, String tag) {
        return activity.getWindow().getDecorView().findViewWithTag(tag);
    }

    private interface Condition {
        boolean holds();
    }
}
