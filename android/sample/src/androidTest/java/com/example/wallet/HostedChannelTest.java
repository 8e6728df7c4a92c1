package com.example.wallet;

import static org.junit.Assert.assertTrue;

import android.app.Activity;
import android.app.Instrumentation;
import android.content.Intent;
import android.os.SystemClock;
import android.view.View;
import android.view.ViewGroup;
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

        click(activity, "Try the demo offer");
        awaitText(activity, "Contact host.example?");
        click(activity, "Ask for the offer");
        awaitText(activity, "A hosted channel is offered");
        click(activity, "Accept");
        awaitText(activity, "100,000 sat");
    }

    private void click(Activity activity, String label) {
        awaitText(activity, label);
        instrumentation.runOnMainSync(() -> assertTrue(find(activity, label).performClick()));
    }

    private void awaitText(Activity activity, String text) {
        long deadline = SystemClock.uptimeMillis() + PATIENCE_MS;
        boolean[] isShown = {false};
        while (!isShown[0] && SystemClock.uptimeMillis() < deadline) {
            instrumentation.waitForIdleSync();
            instrumentation.runOnMainSync(() -> isShown[0] = find(activity, text) != null);
        }
        assertTrue("waited for: " + text, isShown[0]);
    }

    /** What the user sees, and can use. */
    private static View find(Activity activity, String text) {
        return find(activity.getWindow().getDecorView(), text);
    }

    private static View find(View view, String text) {
        if (view.getVisibility() != View.VISIBLE) return null;
        if (view instanceof TextView && view.isEnabled() && text.contentEquals(((TextView) view).getText())) return view;
        if (!(view instanceof ViewGroup)) return null;
        ViewGroup group = (ViewGroup) view;
        for (int i = 0; i < group.getChildCount(); i++) {
            View found = find(group.getChildAt(i), text);
            if (found != null) return found;
        }
        return null;
    }
}
