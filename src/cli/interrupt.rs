//! Ctrl-C: work that can be given up cleanly is, a second one ends the program at once.

use std::sync::atomic::{AtomicBool, Ordering};

static CANCELLED: AtomicBool = AtomicBool::new(false);

/// What a shell reports of a program that Ctrl-C ended.
const KILLED: i32 = 130;

/// Makes the first Ctrl-C ask the work to stop, and the second one end the program.
pub fn watch() {
    // Without a handler Ctrl-C simply ends the program.
    let _ = ctrlc::set_handler(|| {
        if CANCELLED.swap(true, Ordering::SeqCst) {
            std::process::exit(KILLED);
        }
    });
}

/// Leaves Ctrl-C to the pager, which knows what to do with it.
pub fn leave_to_pager() {
    let _ = ctrlc::set_handler(|| {});
}

/// Returns true once the work should stop.
pub fn is_cancelled() -> bool {
    CANCELLED.load(Ordering::Relaxed)
}
