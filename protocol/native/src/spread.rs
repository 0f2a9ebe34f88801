//! One batch over several cores: threads take the next block until none is left, so a slow core holds nobody up.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// Elements in a block: enough that one shared inversion costs little, few enough that the cores finish together.
pub const BLOCK: usize = 128;

/// Call `work(start, piece)` on every piece of `out` of at most `block` places, on at most `threads` threads.
pub fn fill<T: Send>(out: &mut [T], block: usize, threads: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    let pieces = out.len().div_ceil(block);
    let waiting = Mutex::new(out.chunks_mut(block).enumerate());
    let take_all = || {
        while let Some((number, piece)) = next(&waiting) {
            work(number * block, piece);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(pieces) {
            scope.spawn(take_all);
        }
        take_all();
    });
}

fn next<I: Iterator>(waiting: &Mutex<I>) -> Option<I::Item> {
    // A panic of another thread poisons the lock, not the iterator; scope passes the panic on.
    waiting.lock().unwrap_or_else(PoisonError::into_inner).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_filled_once_whatever_the_number_of_threads() {
        for threads in [0, 1, 2, 7] {
            for count in [0, 1, 5, 6, 23] {
                let mut out = vec![0usize; count];
                fill(&mut out, 5, threads, |start, piece| {
                    for (i, place) in piece.iter_mut().enumerate() {
                        *place += start + i + 1;
                    }
                });
                assert_eq!(out, (1..=count).collect::<Vec<_>>());
            }
        }
    }
}
