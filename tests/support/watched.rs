//! A list that grows, for others to wait on.

use std::sync::{Condvar, Mutex};

use super::LIMIT;

pub struct Watched<T> {
    items: Mutex<Vec<T>>,
    changed: Condvar,
}

impl<T> Default for Watched<T> {
    fn default() -> Self {
        Self {
            items: Mutex::default(),
            changed: Condvar::new(),
        }
    }
}

impl<T: Clone> Watched<T> {
    pub fn push(&self, item: T) {
        self.items.lock().unwrap().push(item);
        self.changed.notify_all();
    }

    pub fn all(&self) -> Vec<T> {
        self.items.lock().unwrap().clone()
    }

    /// Forget what there is so far.
    pub fn clear(&self) {
        *self.items.lock().unwrap() = Vec::new();
    }

    /// Wait until `wanted` holds of the list; false after the limit.
    pub fn wait_until(&self, wanted: impl Fn(&[T]) -> bool) -> bool {
        let items = self.items.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(items, LIMIT, |items| !wanted(items));
        !waited.unwrap().1.timed_out()
    }
}
