use std::num::NonZero;
use std::thread;

/// Fewer than so many are not worth a thread.
const FEW: usize = 16;

/// Does the same with each of many, on all cores. What comes of it is in their order.
///
/// # Panics
/// When `each` does.
pub fn on_all_cores<T: Sync, R: Send>(all: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    if cores == 1 || all.len() < FEW {
        return all.iter().map(each).collect();
    }
    let each = &each;
    thread::scope(|scope| {
        let parts = all.chunks(all.len().div_ceil(cores));
        let workers: Vec<_> = parts.map(|part| scope.spawn(move || part.iter().map(each).collect::<Vec<_>>())).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker does not panic")).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_what_was_asked() {
        for count in [0, 1, 15, 16, 17, 1_000] {
            let all: Vec<usize> = (0..count).collect();
            assert_eq!(on_all_cores(&all, |n| n * 2), all.iter().map(|n| n * 2).collect::<Vec<_>>());
        }
    }
}
