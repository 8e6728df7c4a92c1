//! Shuttle's scheduler as the runtime, with the same `Job`.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use tokio::task::{self, AbortHandle, JoinHandle};

pub fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> Option<JoinHandle<T>> {
    Some(tokio::spawn(future))
}

/// Shuttle's handles do not know their task, so that the task itself tells.
pub struct Job {
    task: Option<AbortHandle>,
    id: Arc<OnceLock<task::Id>>,
}

impl Job {
    pub fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Option<Self> {
        let id = Arc::new(OnceLock::new());
        let own = id.clone();
        let task = spawn(async move {
            own.get_or_init(task::id);
            future.await;
        })?;
        Some(Self {
            task: Some(task.abort_handle()),
            id,
        })
    }

    pub fn of(task: AbortHandle) -> Self {
        Self {
            task: Some(task),
            id: Arc::default(),
        }
    }

    pub fn is(&self, task: task::Id) -> bool {
        self.id.get() == Some(&task)
    }

    pub fn detach(mut self) {
        self.task = None;
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
