use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Gate, OwnedMutexGuard};

use crate::disclosure::GrantId;

/// Gates kept before those that nobody stands at are forgotten.
const MOST: usize = 256;

/// A gate for each grant: whoever changes one waits for nobody who changes another.
///
/// Threat: a view that waits for the log keeps officers from taking another grant back.
#[derive(Default)]
pub(super) struct Gates(Mutex<HashMap<GrantId, Arc<Gate<()>>>>);

impl Gates {
    /// Goes through the gate of a grant; others stand before it until what is answered is dropped.
    pub(super) async fn enter(&self, grant: &GrantId) -> OwnedMutexGuard<()> {
        self.of(grant).lock_owned().await
    }

    fn of(&self, grant: &GrantId) -> Arc<Gate<()>> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gates.len() >= MOST {
            // Whoever stands at one, or is about to, has it too.
            gates.retain(|_, gate| Arc::strong_count(gate) > 1);
        }
        Arc::clone(gates.entry(*grant).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn one_grant_waits_for_itself_alone_and_gates_are_forgotten() {
        let (gates, one) = (Gates::default(), GrantId([1; 16]));
        let inside = gates.enter(&one).await;
        drop(gates.enter(&GrantId([2; 16])).await);
        assert!(tokio::time::timeout(Duration::from_millis(20), gates.enter(&one)).await.is_err(), "two in one gate");
        for number in 0..1_000_u128 {
            drop(gates.enter(&GrantId((number << 8).to_be_bytes())).await);
        }
        assert!(gates.0.lock().expect("no panic").len() <= MOST);
        assert!(tokio::time::timeout(Duration::from_millis(20), gates.enter(&one)).await.is_err(), "a gate in use was forgotten");
        drop(inside);
        drop(gates.enter(&one).await);
    }
}
