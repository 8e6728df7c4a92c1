//! The switch that ends the program.

use std::sync::{Arc, Condvar, Mutex};

/// A switch that is thrown once. Clones are the same switch.
#[derive(Clone, Default)]
pub struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    pub fn throw(&self) {
        let (thrown, changed) = &*self.0;
        *thrown.lock().unwrap() = true;
        changed.notify_all();
    }

    /// Blocks until the switch is thrown.
    pub fn wait(&self) {
        let (thrown, changed) = &*self.0;
        let guard = thrown.lock().unwrap();
        drop(changed.wait_while(guard, |thrown| !*thrown).unwrap());
    }
}
