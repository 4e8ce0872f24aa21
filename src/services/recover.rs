/// What a recovery run brought.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Recovery {
    /// Peers asked.
    pub peers: usize,
    /// Peers that did not serve.
    pub failed: usize,
}
