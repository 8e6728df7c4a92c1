//! A listener that keeps what it hears.

use lnurl_channel::{ChannelListener, ChannelRequestSnapshot, ChannelStep, WalletNodeError};

use super::Watched;

type OnChange =
    Box<dyn Fn(&ChannelRequestSnapshot, ChannelStep) -> Result<(), WalletNodeError> + Send + Sync>;

/// Each change that it heard of, in order.
pub struct Listener {
    pub heard: Watched<(ChannelRequestSnapshot, ChannelStep)>,
    on_change: OnChange,
}

impl Default for Listener {
    fn default() -> Self {
        Self::that(|_, _| Ok(()))
    }
}

impl Listener {
    /// Which also does this at each change.
    pub fn that(
        on_change: impl Fn(&ChannelRequestSnapshot, ChannelStep) -> Result<(), WalletNodeError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            heard: Watched::default(),
            on_change: Box::new(on_change),
        }
    }

    /// All steps but `Changed`, of all requests, in order.
    pub fn steps(&self) -> Vec<ChannelStep> {
        let heard = self.heard.all().into_iter();
        let steps = heard.map(|(_, step)| step);
        steps.filter(|step| *step != ChannelStep::Changed).collect()
    }

    /// Wait until a step has come so many times.
    pub fn wait_for(&self, wanted: ChannelStep, times: usize) {
        let heard = self.heard.wait_until(|heard| {
            let count = heard.iter().filter(|(_, step)| *step == wanted).count();
            count >= times
        });
        assert!(
            heard,
            "{wanted:?} came less than {times} times: {:?}",
            self.steps()
        );
    }

    /// Wait for a snapshot like this.
    pub fn wait_until(&self, what: &str, wanted: impl Fn(&ChannelRequestSnapshot) -> bool) {
        let is_wanted = |heard: &[(ChannelRequestSnapshot, ChannelStep)]| {
            heard.iter().any(|(snapshot, _)| wanted(snapshot))
        };
        assert!(self.heard.wait_until(is_wanted), "not heard: {what}");
    }
}

impl ChannelListener for Listener {
    fn on_request_changed(
        &self,
        request: ChannelRequestSnapshot,
        step: ChannelStep,
    ) -> Result<(), WalletNodeError> {
        self.heard.push((request.clone(), step));
        (self.on_change)(&request, step)
    }
}
