//! Shuttle's scheduler as the runtime, with the same `Job`.

use std::future::Future;

use tokio::task::{AbortHandle, JoinHandle};

pub fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> Option<JoinHandle<T>> {
    Some(tokio::spawn(future))
}

pub struct Job(Option<AbortHandle>);

impl Job {
    pub fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Option<Self> {
        Some(Self::of(spawn(future)?.abort_handle()))
    }

    pub fn of(task: AbortHandle) -> Self {
        Self(Some(task))
    }

    pub fn detach(mut self) {
        self.0 = None;
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}
